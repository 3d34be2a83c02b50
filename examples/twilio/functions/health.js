/* Anybody may ask whether we are well. */
exports.handler = (context, event, callback) => callback(null, { status: 'ok' });
