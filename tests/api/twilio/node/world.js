/* What the tests act on: the official client, simulated phones, and an app that takes webhooks. */
const http = require('node:http');
const { once } = require('node:events');
const twilio = require('twilio');
const { connect } = require('../../../../examples/clients/parley_twilio');

const { PARLEY_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN } = process.env;
const client = connect();
const authorization = `Basic ${Buffer.from(`${TWILIO_ACCOUNT_SID}:${TWILIO_AUTH_TOKEN}`).toString('base64')}`;

async function ask(method, path, body) {
  const headers = { Authorization: authorization, 'Content-Type': 'application/json' };
  const answer = await fetch(PARLEY_URL + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** The newest message on a phone that contains a text, once there is one. */
async function arrived(phone, contains) {
  const query = new URLSearchParams({ wait: 30, contains });
  const [message] = (await ask('GET', `/simulator/phones/${phone}/messages?${query}`)).messages;
  return message;
}

/** A message once it has a status. */
async function reached(sid, status) {
  let message;
  do message = await client.messages(sid).fetch();
  while (message.status !== status);
  return message;
}

/** A phone writes to a number. */
const says = (phone, to, body, media = []) => ask('POST', `/simulator/phones/${phone}/messages`, { to, body, media });

/** From now on a phone behaves so. */
const behaves = (phone, behaviour) => ask('PUT', `/simulator/phones/${phone}`, behaviour);

/** What the official middleware asks of Express, over the server that Node has. */
function expressLike(request, response, body) {
  request.header = (name) => request.headers[name.toLowerCase()];
  request.protocol = 'http';
  request.originalUrl = request.url;
  request.body = Object.fromEntries(new URLSearchParams(body));
  response.type = (kind) => response.setHeader('Content-Type', kind) && response;
  response.status = (code) => Object.assign(response, { statusCode: code });
  response.send = (text) => response.end(text);
}

/** An app behind `twilio.webhook()`. `answer(form)` gives the TwiML; `until(wanted, count)` the forms that came. */
async function app(answer = () => new twilio.twiml.MessagingResponse()) {
  const middleware = twilio.webhook();
  const forms = [];
  let look = () => {};
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    expressLike(request, response, body);
    middleware(request, response, () => {
      forms.push({ ...request.body, path: request.url });
      response.type('text/xml').send(answer(request.body).toString());
      look();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const until = (wanted, count = 1) =>
    new Promise((resolve) => {
      look = () => {
        const found = forms.filter(wanted);
        if (found.length >= count) resolve(found);
      };
      look();
    });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, until, close };
}

module.exports = { app, arrived, behaves, client, reached, says, twilio };
