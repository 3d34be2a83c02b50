/* Five events a minute for each name, counted afresh each minute. One process; Redis for several. */
const MOST = 5;
const WINDOW_MS = 60_000;
const windows = new Map();

exports.allows = (name, now = Date.now()) => {
  for (const [other, { ends }] of windows) if (ends <= now) windows.delete(other);
  if (!windows.has(name)) windows.set(name, { count: 0, ends: now + WINDOW_MS });
  return ++windows.get(name).count <= MOST;
};
