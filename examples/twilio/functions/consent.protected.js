/* Logs who opts out and in. The platform honours the words, and has answered them: we say nothing. */
exports.handler = (context, event, callback) => {
  const way = { STOP: 'out', START: 'in' }[event.OptOutType];
  if (way) console.log(`${event.From} opted ${way}, of ${event.MessagingServiceSid ?? event.To}`);
  callback(null, new Twilio.twiml.MessagingResponse());
};
