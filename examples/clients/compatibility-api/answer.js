// @signalwire/compatibility-api 3: answers each message to a number by LaML, and sends one itself.
const http = require('node:http');
const { RestClient } = require('@signalwire/compatibility-api');

const number = process.argv[2] ?? '+15551234567';
const phone = process.argv[3] ?? '+15550001111';

const client = RestClient(process.env.SIGNALWIRE_PROJECT_ID, process.env.SIGNALWIRE_API_TOKEN, {
  signalwireSpaceUrl: new URL(process.env.SIGNALWIRE_SPACE_URL).host, // it takes no scheme: TLS always
});

const app = http.createServer(async (request, response) => {
  let form = '';
  for await (const chunk of request) form += chunk;
  const body = new URLSearchParams(form).get('Body');
  console.log('Received:', body);
  const answer = new RestClient.LaML.MessagingResponse();
  answer.message(`You said: ${body}`);
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(answer.toString());
});

app.listen(0, '127.0.0.1', async () => {
  try {
    const sent = await client.messages.create({ from: number, to: phone, body: 'Hello from LaML' });
    console.log('Sent:', sent.sid);
    const [mine] = await client.incomingPhoneNumbers.list({ phoneNumber: number });
    await mine.update({ smsUrl: `http://127.0.0.1:${app.address().port}/` });
    console.log('Ready');
  } catch (error) {
    console.log('Refused:', error.message);
    app.close();
  }
});
