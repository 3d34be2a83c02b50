// @signalwire/realtime-api 3: answers each message of a context, and tells what becomes of the answers.
const { Messaging } = require('@signalwire/realtime-api');

const context = process.argv[2] ?? 'office';

const client = new Messaging.Client({ // it connects by itself: there is no connect()
  host: process.env.SIGNALWIRE_SPACE_URL.replace('http', 'ws'),
  project: process.env.SIGNALWIRE_PROJECT_ID,
  token: process.env.SIGNALWIRE_API_TOKEN,
  contexts: [context],
});
client.on('message.received', async ({ from, to, body, media }) => {
  console.log('Received:', body);
  const answer = { from: to, to: from, body: `You said: ${body}`, context };
  if (media?.length) answer.media = media;
  try {
    const { messageId } = await client.send(answer);
    console.log('Sent:', messageId);
  } catch (error) {
    console.log('Not sent:', error); // uncaught, it ends the process, also when the connection drops
  }
});
client.on('message.updated', ({ id, state }) => console.log(`${id}: ${state}`));
