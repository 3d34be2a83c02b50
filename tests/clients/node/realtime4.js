// @signalwire/realtime-api 4: answers what comes, and tells on stdout what becomes of the answers.
const { SignalWire } = require('@signalwire/realtime-api');

const { HOST: host, PROJECT: project, TOKEN: token, CONTEXT: context } = process.env;
const tell = (what) => console.log(JSON.stringify(what));

(async () => {
  const client = await SignalWire({ host, project, token, listen: { onAuthError: (e) => tell({ refused: e.message }) } });
  await client.messaging.listen({
    topics: [context],
    onMessageReceived: async ({ from, to, body, media }) => {
      const sent = await client.messaging.send({
        from: to, to: from, body: `You said: ${body}`, context, ...(media?.length ? { media } : {}),
      });
      tell({ sent: sent.messageId });
    },
    onMessageUpdated: (message) => tell({ id: message.id, state: message.state }),
  });
  tell({ ready: true });
})();
