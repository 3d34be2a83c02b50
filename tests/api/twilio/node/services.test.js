const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { app, arrived, client, says, twilio } = require('./world');

const NUMBERS = ['+15553020000', '+15553020001'];
let service;

before(async () => {
  service = await client.messaging.v1.services.create({ friendlyName: 'From Node', stickySender: true });
  for (const phoneNumber of NUMBERS) {
    const { sid } = await client.incomingPhoneNumbers.create({ phoneNumber });
    await client.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: sid });
  }
});

test('a service is read, updated and listed', async () => {
  assert.match(service.sid, /^MG[0-9a-f]{32}$/);
  const updated = await client.messaging.v1.services(service.sid).update({ validityPeriod: 600, smartEncoding: true });
  assert.deepEqual([updated.validityPeriod, updated.smartEncoding, updated.stickySender], [600, true, true]);
  const extra = await client.messaging.v1.services.create({ friendlyName: 'Another' });
  const listed = await client.messaging.v1.services.list({ pageSize: 1 });
  assert.deepEqual(listed.map((each) => each.sid).slice(0, 2), [extra.sid, service.sid]);
  assert.equal(await client.messaging.v1.services(extra.sid).remove(), true);
  const pool = await client.messaging.v1.services(service.sid).phoneNumbers.list();
  assert.deepEqual(new Set(pool.map((each) => each.phoneNumber)), new Set(NUMBERS));
});

test('a service chooses the sender, and keeps to it', async () => {
  const to = '+15553020002';
  const sent = await client.messages.create({ messagingServiceSid: service.sid, to, body: 'First' });
  assert.deepEqual([sent.status, sent.from, sent.messagingServiceSid], ['accepted', null, service.sid]);
  const first = await arrived(to, 'First');
  assert.ok(NUMBERS.includes(first.from));
  for (const body of ['Second', 'Third']) {
    await client.messages.create({ messagingServiceSid: service.sid, to, body });
    assert.equal((await arrived(to, body)).from, first.from);
  }
});

test('what was scheduled is canceled, or refused when it is too near', async () => {
  const scheduled = { messagingServiceSid: service.sid, to: '+15553020003', body: 'Later', scheduleType: 'fixed' };
  const sent = await client.messages.create({ ...scheduled, sendAt: new Date(Date.now() + 3_600_000) });
  assert.equal(sent.status, 'scheduled');
  const canceled = await client.messages(sent.sid).update({ status: 'canceled' });
  assert.equal(canceled.status, 'canceled');
  await assert.rejects(client.messages(sent.sid).update({ status: 'canceled' }), { status: 409, code: 30409 });
  await assert.rejects(client.messages.create({ ...scheduled, sendAt: new Date() }), { status: 400, code: 35114 });
});

test('the webhook of the service takes what its numbers get, and STOP is for all of it', async () => {
  const phone = '+15553020004';
  const hook = await app((form) => {
    const twiml = new twilio.twiml.MessagingResponse();
    if (!form.OptOutType) twiml.message(`Service got ${form.Body}`);
    return twiml;
  });
  const inboundRequestUrl = `${hook.url}/in`;
  await client.messaging.v1.services(service.sid).update({ inboundRequestUrl, useInboundWebhookOnNumber: false });
  await says(phone, NUMBERS[0], 'a question');
  const [inbound] = await hook.until((form) => form.Body === 'a question');
  assert.equal(inbound.MessagingServiceSid, service.sid);
  assert.equal((await arrived(phone, 'Service got')).body, 'Service got a question');
  await says(phone, NUMBERS[1], 'STOP');
  await hook.until((form) => form.OptOutType === 'STOP');
  const send = client.messages.create({ from: NUMBERS[0], to: phone, body: 'Still there?' });
  await assert.rejects(send, { status: 400, code: 21610 });
  const taken = await client.messages.create({ messagingServiceSid: service.sid, to: phone, body: 'Still there?' });
  assert.equal((await client.messages(taken.sid).fetch()).errorCode, 21610);
  hook.close();
});
