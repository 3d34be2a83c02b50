/* What is known so far travels in the URL of a Redirect; an answer may have a picture. */
const PRICES = { tea: 2, cake: 4 };

exports.handler = (context, event, callback) => {
  const twiml = new Twilio.twiml.MessagingResponse();
  const what = (event.Body ?? '').trim().toLowerCase();
  if (event.state) {
    const { item, price } = JSON.parse(event.state);
    const message = twiml.message(`One ${item}, $${price}. Show this at the counter:`);
    message.media(context.PICTURE);
  } else if (Object.hasOwn(PRICES, what)) {
    const state = JSON.stringify({ item: what, price: PRICES[what] });
    twiml.redirect(`/order?state=${encodeURIComponent(state)}`);
  } else {
    twiml.message(`We have ${Object.keys(PRICES).join(' and ')}.`);
  }
  callback(null, twiml);
};
