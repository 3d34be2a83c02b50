// @signalwire/realtime-api 3: answers what comes, and tells on stdout what becomes of the answers. It has no connect(),
// and of a wrong token it only writes to its log.
const { Messaging } = require('realtime-api-3');

const { HOST: host, PROJECT: project, TOKEN: token, CONTEXT: context } = process.env;
const tell = (what) => console.log(JSON.stringify(what));

const client = new Messaging.Client({ host, project, token, contexts: [context] });
client.on('session.connected', () => tell({ ready: true }));
client.on('message.received', async ({ from, to, body, media }) => {
  const sent = await client.send({
    from: to, to: from, body: `You said: ${body}`, context, ...(media?.length ? { media } : {}),
  });
  tell({ sent: sent.messageId });
});
client.on('message.updated', (message) => tell({ id: message.id, state: message.state }));
