/* Two questions, one after the other; each phone is where its last answer has left it. */
const { conversation } = require(Runtime.getFunctions().state.path);

const STEPS = {
  start(state) {
    state.step = 'rating';
    return 'How likely are you to come again, from 0 to 10?';
  },
  rating(state, body) {
    if (!/^(\d|10)$/.test(body)) return 'A number from 0 to 10, please.';
    Object.assign(state, { rating: Number(body), step: 'reason' });
    return 'What is the reason? SKIP if you would rather not say.';
  },
  reason(state, body) {
    Object.assign(state, { reason: /^skip$/i.test(body) ? null : body, step: 'end' });
    console.log('An answer:', state.rating, state.reason);
    return 'Thank you, that is all we wanted to know.';
  },
  end: () => 'We have your answers. Thank you!',
};

exports.handler = (context, event, callback) => {
  const twiml = new Twilio.twiml.MessagingResponse();
  const state = conversation(event);
  if (!event.OptOutType) twiml.message(STEPS[state.step](state, event.Body.trim()));
  callback(null, twiml);
};
