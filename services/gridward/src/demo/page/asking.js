// Asking the API, as whoever is signed in.

import { me } from './state.js';
import { lang } from './words.js';

function headers(more) {
  const token = me.visitor ? { Authorization: `Bearer ${me.visitor.token}` } : {};
  return { 'Accept-Language': lang(), ...token, ...more };
}
async function refusal(answer) {
  const problem = await answer.json().catch(() => ({}));
  return Object.assign(new Error(problem.detail || `HTTP ${answer.status}`), { status: answer.status });
}
/** The body of an answer; throws an error with the status and the problem's words. */
export async function ask(path) {
  const answer = await fetch(path, { headers: headers(), signal: AbortSignal.timeout(8000) });
  if (answer.ok) return answer.json();
  throw await refusal(answer);
}
/** Does something. `revision`: what the case was when the visitor looked at it, where they saw one. */
export async function act(path, body, revision) {
  const seen = revision === undefined ? {} : { 'If-Match': `"${revision}"` };
  const answer = await fetch(path, {
    method: 'POST', headers: headers({ 'Content-Type': 'application/json', ...seen }), body: JSON.stringify(body), signal: AbortSignal.timeout(15_000),
  });
  if (answer.ok) return answer.status === 204 ? {} : answer.json();
  throw await refusal(answer);
}
/** Null for what is not there, or not ours to see. */
export const ask_or_null = (path) => ask(path).catch((error) => { if (error.status === 404) return null; throw error; });
