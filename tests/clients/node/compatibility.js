// @signalwire/compatibility-api: REST in Twilio's form, always by TLS.
const { RestClient } = require('@signalwire/compatibility-api');

const { HOST, PROJECT, TOKEN, FROM, TO } = process.env;
const tell = (what) => console.log(JSON.stringify(what));

(async () => {
  const client = RestClient(PROJECT, TOKEN, { signalwireSpaceUrl: HOST });
  try {
    const sent = await client.messages.create({ from: FROM, to: TO, body: 'By the compatibility API' });
    tell({ sent: sent.sid, account: sent.accountSid });
    tell({ listed: (await client.messages.list({ to: TO, limit: 5 })).length });
  } catch (e) {
    tell({ refused: e.message });
  }
})();
