// @signalwire/realtime-api 4: answers each message of a context, and tells what becomes of the answers.
const { SignalWire } = require('@signalwire/realtime-api');

const context = process.argv[2] ?? 'office';

async function main() {
  const client = await SignalWire({
    host: process.env.SIGNALWIRE_SPACE_URL.replace('http', 'ws'),
    project: process.env.SIGNALWIRE_PROJECT_ID,
    token: process.env.SIGNALWIRE_API_TOKEN,
    listen: {
      onAuthError: (error) => {
        console.log('Refused:', error.message);
        process.exit(1); // or the next line waits for ever
      },
    },
  });
  await client.messaging.listen({
    topics: [context],
    onMessageReceived: async ({ from, to, body, media }) => {
      console.log('Received:', body);
      const answer = { from: to, to: from, body: `You said: ${body}`, context }; // without it, no states are told
      if (media?.length) answer.media = media;
      try {
        const { messageId } = await client.messaging.send(answer);
        console.log('Sent:', messageId);
      } catch (error) {
        console.log('Not sent:', error); // uncaught, it ends the process, also when the connection drops
      }
    },
    onMessageUpdated: ({ id, state }) => console.log(`${id}: ${state}`),
  });
  console.log('Ready');
}

main();
