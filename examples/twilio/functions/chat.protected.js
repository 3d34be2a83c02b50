/* Answers everything, but nobody more than five times a minute. */
const { allows } = require(Runtime.getFunctions().limit.path);

exports.handler = (context, event, callback) => {
  const twiml = new Twilio.twiml.MessagingResponse();
  if (allows(event.From)) twiml.message(`You wrote: ${event.Body}`);
  callback(null, twiml);
};
