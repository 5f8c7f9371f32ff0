// Times on the clock of the cases, which runs faster than the visitor's.

import { KNOWN } from './state.js';
import { lang, say } from './words.js';

export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
export const ZONE = (() => {
  try { new Intl.DateTimeFormat('en', { timeZone: KNOWN.zone }); return KNOWN.zone; } catch { return 'UTC'; }
})();
let speed = Number(KNOWN.speed) || 1;
export const how_fast = () => speed;

const parts_of = new Intl.DateTimeFormat('en-GB', { timeZone: ZONE, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
export function local(at) {
  const parts = {};
  for (const { type, value } of parts_of.formatToParts(at)) parts[type] = value;
  return parts;
}
/** `07-15 09:51`: the same in both languages. */
export function moment(text) { const p = local(new Date(text)); return `${p.month}-${p.day} ${p.hour}:${p.minute}`; }

/** A length of time in the one unit a person would use for it. */
export function length(ms) {
  const minutes = Math.max(1, Math.round(ms / MINUTE));
  if (minutes < 60) return say('minutes', minutes);
  const hours = Math.round(minutes / 60);
  return hours < 48 ? say('hours', hours) : say('days', Math.round(hours / 24));
}

// `GET /demo/now` tells the time of the cases' clock. Without it: the clock is never before anything it has stamped,
// so the latest stamp seen is the anchor, and it runs `speed` times as fast as this computer's.
let anchor = null, told = false, jumped = null;
export const now = () => (anchor ? anchor.at + (Date.now() - anchor.host) * speed : NaN);
export const knows_time = () => anchor !== null;
export function set_clock(text, times) {
  const at = Date.parse(text);
  if (!(at > 0)) return;
  // Further than an answer can be late: what lies between was left out.
  if (told && at - now() > Math.max(2 * HOUR, 5000 * speed)) jumped = { to: at, host: Date.now() };
  told = true;
  if (times > 0) speed = times;
  anchor = { at, host: Date.now() };
}
/** Where the clock jumped to a moment ago; null when it did not. */
export const jump = () => (jumped && Date.now() - jumped.host < 8000 ? jumped.to : null);
export function heard(stamp) {
  const at = Date.parse(stamp);
  if (!told && !(at <= now())) anchor = { at, host: Date.now() };
}
/** What the server calls overdue, or not yet, bounds its clock from both sides. */
export function heard_due(listed) {
  if (told || !listed.due_at) return;
  if (listed.overdue) return heard(listed.due_at);
  // Three seconds of slack: an answer is a little old when it arrives.
  if (Date.parse(listed.due_at) < now() - 3000 * speed) anchor = { at: Date.parse(listed.due_at), host: Date.now() };
}
/** What the clock shows now: the day, and the time of day. */
export function clock_words() {
  const p = local(now());
  const day = new Intl.DateTimeFormat(lang() === 'zh' ? 'zh-CN' : 'en', { timeZone: ZONE, weekday: 'short' }).format(now());
  return [`${p.year}-${p.month}-${p.day} ${day}`, `${p.hour}:${p.minute}`];
}
