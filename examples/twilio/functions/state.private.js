/* Where each conversation stands, by who writes to which number. In memory: a database, in earnest. */
const conversations = new Map();

exports.conversation = ({ From, To }) => {
  const name = `${From} ${To}`;
  if (!conversations.has(name)) conversations.set(name, { step: 'start' });
  return conversations.get(name);
};
