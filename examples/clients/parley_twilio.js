/*
 * Points Twilio's Node SDK at Parley: all products, and the pages of lists.
 *
 *     const { connect } = require('./parley_twilio');
 *     const client = connect();
 *
 * uses PARLEY_URL, TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Without PARLEY_URL it is Twilio's own client, and Twilio's
 * own service. For more say, hand ParleyRequestClient to `twilio()` yourself. TWILIO_EDGE and TWILIO_REGION change
 * nothing here.
 */
const twilio = require('twilio');

/** Takes requests that are meant for twilio.com to your own server, which knows the product by the Host header. */
class ParleyRequestClient extends twilio.RequestClient {
  constructor(url, options) {
    super(options);
    this.parley = new URL(url);
  }

  /** Make one request; a URL elsewhere is left as it is. */
  request(options) {
    const url = new URL(options.uri);
    if (!url.hostname.endsWith('.twilio.com')) return super.request(options);
    const headers = { ...options.headers, Host: url.hostname };
    return super.request({ ...options, headers, uri: this.parley.origin + url.pathname + url.search });
  }
}

/** The official client, for Parley where PARLEY_URL says where that is. */
function connect({ PARLEY_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN } = process.env) {
  const options = PARLEY_URL ? { httpClient: new ParleyRequestClient(PARLEY_URL) } : {};
  return twilio(TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, options);
}

module.exports = { ParleyRequestClient, connect };
