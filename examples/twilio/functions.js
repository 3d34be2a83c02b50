/*
 * Runs handlers in the manner of Twilio Functions: `exports.handler = function (context, event, callback) { ... }`.
 *
 *     node functions.js DIRECTORY [PORT]
 *
 * The name of a file says who may call it: `health.js` everybody, `sms.protected.js` only requests that the official
 * validator finds signed with our auth token, `state.private.js` nobody but other handlers.
 */
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const twilio = require('twilio');
const { connect } = require('../clients/parley_twilio');

const MOST_BYTES = 1_000_000;

global.Twilio = twilio;
global.Runtime = {};

/** The files of a directory by the names that URLs have, `/sms` for `sms.protected.js`. */
function find(directory) {
  const files = fs.readdirSync(directory).filter((name) => name.endsWith('.js'));
  return new Map(files.map((name) => [`/${name.split('.')[0]}`, path.resolve(directory, name)]));
}

async function read(request) {
  let body = '';
  for await (const piece of request) if ((body += piece).length > MOST_BYTES) throw new Error('The body is too long');
  return Object.fromEntries(new URLSearchParams(body));
}

/** What a handler hands to its callback, as status, type and text. */
function rendered(result) {
  if (result === undefined || typeof result === 'string') return [200, 'text/plain', result ?? ''];
  if (result.toString !== Object.prototype.toString) return [200, 'text/xml', result.toString()]; // TwiML
  return [200, 'application/json', JSON.stringify(result)];
}

function call(file, context, event) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => (error ? reject(error) : resolve(rendered(result)));
    Promise.resolve(require(file).handler(context, event, callback)).catch(reject);
  });
}

async function answer(files, request) {
  const form = await read(request);
  const origin = process.env.PUBLIC_URL ?? `http://${request.headers.host}`;
  const url = new URL(origin + request.url);
  const file = files.get(url.pathname);
  if (!file || file.endsWith('.private.js')) return [404, 'text/plain', 'There is no such function'];
  const signature = request.headers['x-twilio-signature'] ?? '';
  const isSigned = () => twilio.validateRequest(process.env.TWILIO_AUTH_TOKEN, signature, origin + request.url, form);
  if (file.endsWith('.protected.js') && !isSigned()) return [403, 'text/plain', 'Not signed with our auth token'];
  const context = { ...process.env, DOMAIN_NAME: url.host, PATH: url.pathname, getTwilioClient: () => connect() };
  return call(file, context, { ...Object.fromEntries(url.searchParams), ...form });
}

/** A server of a directory's handlers; `listen` is up to you. */
function server(directory) {
  const files = find(directory);
  Runtime.getFunctions = () =>
    Object.fromEntries([...files].map(([name, file]) => [name.slice(1), { path: file.replace(/\.js$/, '') }]));
  return http.createServer(async (request, response) => {
    const [status, type, text] = await answer(files, request).catch((error) => [500, 'text/plain', error.message]);
    response.writeHead(status, { 'Content-Type': type }).end(text);
  });
}

module.exports = { server };

if (require.main === module) {
  const [directory, port = 5005] = process.argv.slice(2);
  server(directory).listen(port, '127.0.0.1', () => console.log(`Functions are at http://127.0.0.1:${port}`));
}
