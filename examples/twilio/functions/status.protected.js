/* Hears what becomes of messages. */
exports.handler = (context, event, callback) => {
  const { MessageSid, MessageStatus, ErrorCode } = event;
  if (['undelivered', 'failed'].includes(MessageStatus)) console.error(`${MessageSid} failed: ${ErrorCode}`);
  else console.log(`${MessageSid} is ${MessageStatus}`);
  callback();
};
