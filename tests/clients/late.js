// @signalwire/realtime-api 3: answers each message, and receives another context once it is told to.
const { Messaging } = require('@signalwire/realtime-api');

const [context, later] = process.argv.slice(2);

const client = new Messaging.Client({
  host: process.env.SIGNALWIRE_SPACE_URL.replace('http', 'ws'),
  project: process.env.SIGNALWIRE_PROJECT_ID,
  token: process.env.SIGNALWIRE_API_TOKEN,
  contexts: [context],
});
client.on('message.received', async ({ from, to, body }) => {
  console.log('Received:', body);
  if (body === 'Join') {
    await client.addContexts([later]);
    console.log('Joined:', later);
  } else {
    const { messageId } = await client.send({ from: to, to: from, body: `You said: ${body}`, context });
    console.log('Sent:', messageId);
  }
});
client.on('message.updated', ({ id, state }) => console.log(`${id}: ${state}`));
