const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');
const { after, before, mock, test } = require('node:test');
const { arrived, behaves, client, says, twilio } = require('../api/twilio/node/world');
const { server } = require('../../examples/twilio/functions');

const FUNCTIONS = path.resolve(__dirname, '../../examples/twilio/functions');
const PICTURE = Buffer.from('GIF89a of one pixel');
const ATTACHED = { content_type: 'image/gif', data: PICTURE.toString('base64') };
const functions = server(FUNCTIONS);
const pictures = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'image/gif' }).end(PICTURE);
});
const log = { lines: [], look: () => {} };
let url;

/** Lines that functions log which contain a text, once there is one. */
const logged = (text) =>
  new Promise((resolve) => {
    log.look = () => {
      const line = log.lines.find((each) => each.includes(text));
      if (line) resolve(line);
    };
    log.look();
  });

async function listening(app) {
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  return `http://127.0.0.1:${app.address().port}`;
}

before(async () => {
  url = await listening(functions);
  process.env.PICTURE = `${await listening(pictures)}/picture.gif`;
  for (const method of ['log', 'error']) {
    mock.method(console, method, (...words) => {
      log.lines.push(words.join(' '));
      log.look();
    });
  }
});

after(() => {
  for (const app of [functions, pictures]) {
    app.close();
    app.closeAllConnections();
  }
});

/** Own a number whose messages go to a function. */
async function own(phoneNumber, name) {
  await client.incomingPhoneNumbers.create({ phoneNumber, smsUrl: `${url}/${name}`, smsMethod: 'POST' });
  return phoneNumber;
}

/** A phone writes to a number, and gets an answer that contains a text. */
async function talk(phone, to, body, contains, media) {
  await says(phone, to, body, media);
  return arrived(phone, contains);
}

test('the name of a file says who may call it', async () => {
  const post = async (name, headers = {}) => (await fetch(url + name, { method: 'POST', headers })).status;
  assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok' });
  assert.equal(await post('/keywords'), 403);
  assert.equal(await post('/keywords', { 'X-Twilio-Signature': 'bm90IGl0' }), 403);
  for (const name of ['/state', '/limit', '/nothing', '/functions/../state']) assert.equal(await post(name), 404);
});

test('a handler can be tested by itself', async () => {
  const { handler } = require(`${FUNCTIONS}/keywords.protected`);
  const context = { getTwilioClient() {} };
  const reply = (event) => new Promise((resolve) => handler(context, event, (_, twiml) => resolve(`${twiml}`)));
  assert.match(await reply({ Body: 'HOURS please' }), /<Message>We are open from 9 to 17.<\/Message>/);
  assert.match(await reply({ Body: '' }), /<Message>Ask for HOURS, WHERE, COUNT.<\/Message>/);
  assert.match(await reply({ Body: 'STOP', OptOutType: 'STOP' }), /<Response\/>/);
});

test('keywords', async () => {
  const number = await own('+15558000001', 'keywords');
  assert.match((await talk('+15558000101', number, 'Where?', 'Ask for')).body, /^Ask for HOURS/);
  await talk('+15558000101', number, 'where', 'Main Street');
  await talk('+15558000101', number, 'count', 'written to us 3 times');
});

test('a survey', async () => {
  const number = await own('+15558000002', 'survey');
  await talk('+15558000102', number, 'Hi', 'How likely');
  await talk('+15558000102', number, '11', 'A number from 0 to 10');
  await talk('+15558000102', number, '10', 'What is the reason');
  await talk('+15558000102', number, 'The cake', 'all we wanted');
  await talk('+15558000102', number, 'Bye', 'We have your answers');
  assert.equal(await logged('An answer'), 'An answer: 10 The cake');
});

test('pictures come in, and are deleted', async () => {
  const number = await own('+15558000003', 'album');
  await talk('+15558000103', number, 'Hi', 'Send us a picture');
  const { message_id } = await says('+15558000103', number, 'Two', [ATTACHED, ATTACHED]);
  assert.equal((await arrived('+15558000103', 'pictures')).body, `2 pictures, ${2 * PICTURE.length} bytes. Thank you!`);
  assert.deepEqual(await client.messages(`MM${message_id.replaceAll('-', '')}`).media.list(), []);
});

test('what is known travels in the URL, and a picture goes out', async () => {
  const number = await own('+15558000004', 'order');
  await talk('+15558000104', number, 'Coffee', 'We have tea and cake');
  const shown = await talk('+15558000104', number, 'Tea', 'One tea, $2');
  assert.deepEqual(shown.media.map((each) => each.size), [PICTURE.length]);
});

test('nobody is answered more than five times a minute', async () => {
  const number = await own('+15558000005', 'chat');
  await talk('+15558000105', number, 'one', 'You wrote: one');
  const { allows } = require(`${FUNCTIONS}/limit.private`);
  const minute = Date.now() + 3_600_000;
  const asked = Array.from({ length: 6 }, () => allows('somebody', minute));
  assert.deepEqual(asked, [true, true, true, true, true, false]);
  assert.deepEqual([allows('somebody else', minute), allows('somebody', minute + 60_000)], [true, true]);
});

test('a change of mind is logged', async () => {
  const number = await own('+15558000006', 'consent');
  await says('+15558000106', number, 'STOP');
  assert.equal(await logged('opted out'), `+15558000106 opted out, of ${number}`);
  await says('+15558000106', number, 'START');
  assert.equal(await logged('opted in'), `+15558000106 opted in, of ${number}`);
});

test('what becomes of messages is heard', async () => {
  await behaves('+15558000107', { outcome: 'undelivered', error_code: 30005 });
  const sent = [];
  for (const to of ['+15558000107', '+15558000108']) {
    const statusCallback = `${url}/status?who=it's%20me`;
    sent.push(await client.messages.create({ from: '+15558000007', to, body: 'Hi', statusCallback }));
  }
  assert.equal(await logged(`${sent[0].sid} failed`), `${sent[0].sid} failed: 30005`);
  assert.equal(await logged(`${sent[1].sid} is delivered`), `${sent[1].sid} is delivered`);
});
