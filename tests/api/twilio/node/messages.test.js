const assert = require('node:assert/strict');
const { test } = require('node:test');
const { app, arrived, behaves, client, reached, says, twilio } = require('./world');

const OURS = '+15553010000';
const PICTURE = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');

/** An app's picture: what a MediaUrl leads to. */
async function album() {
  const server = require('node:http').createServer((request, response) => {
    response.setHeader('Content-Type', 'image/gif');
    response.end(PICTURE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/picture.gif`, close };
}

test('a message is sent, fetched, redacted and deleted', async () => {
  const to = '+15553010001';
  const sent = await client.messages.create({ from: OURS, to, body: 'From Node: ünïcödé 💡' });
  assert.match(sent.sid, /^SM[0-9a-f]{32}$/);
  assert.deepEqual([sent.status, sent.direction, sent.numSegments], ['queued', 'outbound-api', '1']);
  assert.ok(sent.dateCreated instanceof Date);
  assert.equal((await arrived(to, 'From Node')).body, 'From Node: ünïcödé 💡');
  const fetched = await reached(sent.sid, 'delivered');
  assert.equal((await fetched.update({ body: '' })).body, '');
  assert.equal(await client.messages(sent.sid).remove(), true);
  await assert.rejects(client.messages(sent.sid).fetch(), { status: 404, code: 20404 });
});

test('media go out, and are listed, and removed', async () => {
  const [to, pictures] = ['+15553010002', await album()];
  const sent = await client.messages.create({ from: OURS, to, body: 'Look', mediaUrl: [pictures.url, pictures.url] });
  assert.deepEqual([sent.sid.slice(0, 2), sent.numMedia], ['MM', '2']);
  assert.deepEqual((await arrived(to, 'Look')).media.map((each) => each.size), [PICTURE.length, PICTURE.length]);
  const media = await client.messages(sent.sid).media.list();
  assert.deepEqual(media.map((each) => each.contentType), ['image/gif', 'image/gif']);
  for (const each of media) assert.equal(await client.messages(sent.sid).media(each.sid).remove(), true);
  assert.deepEqual(await client.messages(sent.sid).media.list(), []);
  pictures.close();
});

test('a list is read page by page', async () => {
  const to = '+15553010003';
  const sent = [];
  for (let n = 0; n < 5; n++) sent.unshift((await client.messages.create({ from: OURS, to, body: `No ${n}` })).sid);
  const pages = [];
  for (let page = await client.messages.page({ to, pageSize: 2 }); page; page = await page.nextPage()) {
    pages.push(page.instances.map((message) => message.sid));
  }
  assert.deepEqual(pages, [sent.slice(0, 2), sent.slice(2, 4), sent.slice(4)]);
  const listed = await client.messages.list({ to, pageSize: 2, limit: 3 });
  assert.deepEqual(listed.map((message) => message.sid), sent.slice(0, 3));
  const told = await client.messages.pageWithHttpInfo({ to, pageSize: 2 });
  assert.equal(told.statusCode, 200);
  for (const sid of sent) await reached(sid, 'delivered');
  const yesterday = new Date(Date.now() - 86_400_000);
  assert.equal((await client.messages.list({ to, dateSentAfter: yesterday })).length, 5);
  assert.equal((await client.messages.list({ to, dateSentBefore: yesterday })).length, 0);
});

test('each refusal is an error with its code', async () => {
  const to = '+15553010004';
  const create = (given) => client.messages.create({ from: OURS, to, body: 'x', ...given });
  await assert.rejects(create({ to: '12' }), { status: 400, code: 21211 });
  await assert.rejects(create({ body: 'x'.repeat(1601) }), { status: 400, code: 21617 });
  await assert.rejects(create({ body: '' }), { status: 400, code: 21602 });
  await assert.rejects(create({ mediaUrl: ['not a url'] }), { status: 400, code: 21620 });
  await assert.rejects(twilio(client.accountSid, 'wrong', { httpClient: client.httpClient }).messages.list(), {
    status: 401,
    code: 20003,
  });
});

test('what did not arrive says why', async () => {
  const to = '+15553010005';
  await behaves(to, { outcome: 'undelivered', error_code: 30005 });
  const { sid } = await client.messages.create({ from: OURS, to, body: 'Lost' });
  assert.equal((await reached(sid, 'undelivered')).errorCode, 30005);
});

test('the other products are reached through the same client', async () => {
  const looked = await client.lookups.v2.phoneNumbers('+14155552671').fetch();
  assert.deepEqual([looked.valid, looked.countryCode], [true, 'US']);
  const countries = await client.pricing.v1.messaging.countries.list({ pageSize: 2, limit: 3 });
  assert.equal(new Set(countries.map((country) => country.isoCountry)).size, 3);
});

test('the middleware takes status callbacks and inbound messages, and nobody else', async () => {
  const [phone, number] = ['+15553010006', '+15553010007'];
  const hook = await app((form) => {
    const twiml = new twilio.twiml.MessagingResponse();
    if (form.SmsStatus === 'received') twiml.message(`You said ${form.Body}`);
    return twiml;
  });
  const smsUrl = `${hook.url}/sms?from=node%20js`;
  await client.incomingPhoneNumbers.create({ phoneNumber: number, smsUrl, smsMethod: 'POST' });

  const statusCallback = `${hook.url}/status`;
  const sent = await client.messages.create({ from: number, to: phone, body: 'Hi', statusCallback });
  const told = await hook.until((form) => form.MessageSid === sent.sid, 2);
  assert.deepEqual(told.map((form) => form.MessageStatus), ['sent', 'delivered']);
  assert.deepEqual([told[0].To, told[0].From, told[0].path], [phone, number, '/status']);

  const picture = { content_type: 'image/gif', data: PICTURE.toString('base64') };
  await says(phone, number, 'Ünïcödé + signs & all', [picture]);
  const [inbound] = await hook.until((form) => form.SmsStatus === 'received');
  assert.deepEqual([inbound.From, inbound.NumMedia, inbound.MediaContentType0], [phone, '1', 'image/gif']);
  assert.equal((await arrived(phone, 'You said')).body, 'You said Ünïcödé + signs & all');

  const unsigned = await fetch(`${hook.url}/sms`, { method: 'POST', body: new URLSearchParams({ Body: 'Hi' }) });
  assert.equal(unsigned.status, 400);
  const headers = { 'X-Twilio-Signature': 'bm90IGl0' };
  const forged = await fetch(`${hook.url}/sms`, { method: 'POST', headers, body: new URLSearchParams({ Body: 'Hi' }) });
  assert.equal(forged.status, 403);
  hook.close();
});
