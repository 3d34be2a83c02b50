/* Answers by the first word of a message. */
const ANSWERS = {
  hours: async () => 'We are open from 9 to 17.',
  where: async () => 'Main Street 1, next to the station.',
  count: async (client, event) => {
    const messages = await client.messages.list({ from: event.From, to: event.To, limit: 100 });
    return `You have written to us ${messages.length} times.`;
  },
};

exports.handler = async (context, event, callback) => {
  const twiml = new Twilio.twiml.MessagingResponse();
  if (event.OptOutType) return callback(null, twiml); // STOP, START and HELP have been answered already
  const [word] = (event.Body ?? '').trim().toLowerCase().split(/\s+/);
  const answer = Object.hasOwn(ANSWERS, word) ? await ANSWERS[word](context.getTwilioClient(), event) : null;
  twiml.message(answer ?? `Ask for ${Object.keys(ANSWERS).join(', ').toUpperCase()}.`);
  return callback(null, twiml);
};
