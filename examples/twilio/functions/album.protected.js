/* Takes pictures: reads each with our credentials, says how big they are, and deletes them from the server. */
async function download(url, { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN }) {
  const credentials = Buffer.from(`${TWILIO_ACCOUNT_SID}:${TWILIO_AUTH_TOKEN}`).toString('base64');
  const response = await fetch(url, { headers: { Authorization: `Basic ${credentials}` } });
  if (!response.ok) throw new Error(`The picture cannot be had: ${response.status}`);
  return response.arrayBuffer();
}

exports.handler = async (context, event, callback) => {
  const twiml = new Twilio.twiml.MessagingResponse();
  const urls = Array.from({ length: Number(event.NumMedia) }, (_, n) => event[`MediaUrl${n}`]);
  const pictures = await Promise.all(urls.map((url) => download(url, context)));
  const message = context.getTwilioClient().messages(event.MessageSid);
  for (const media of await message.media.list()) await message.media(media.sid).remove();
  const bytes = pictures.reduce((sum, picture) => sum + picture.byteLength, 0);
  twiml.message(pictures.length ? `${pictures.length} pictures, ${bytes} bytes. Thank you!` : 'Send us a picture.');
  callback(null, twiml);
};
