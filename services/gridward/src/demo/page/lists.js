// Lists of cases: the queue, the own reports, what was escalated.

import { $, el, fill_select, put, sync, tag } from './draw.js';
import { open_case } from './case.js';
import { be } from './page.js';
import { ask } from './asking.js';
import { LARGEST_PAGE, VISITORS, me, narrows, page_size, role, seen, wish } from './state.js';
import { DAY, heard_due, length, moment, now } from './time.js';
import { LATE, LEVELS, ROLES, STATES, area_name, category_name, holder_name, is_above, lang, level_word, say, state_of, state_word, where, word } from './words.js';

/** How pressing a case is: a class for the colour, and the words beside it. */
export function pressing(one) {
  if (!one.due_at) return ['none', one.state === 'CLOSED' ? moment(one.opened_at) : say('no_due')];
  const left = Date.parse(one.due_at) - now();
  if (one.overdue || left < 0) return ['late', say('overdue_by', word(LATE, one.due_kind), length(Math.abs(left)))];
  return [left < DAY ? 'soon' : 'good', say('left', length(left))];
}

/** A row that opens its case. */
export function case_row(incident, spans) {
  return el('li', {}, el('button', { type: 'button', className: 'row', onclick: () => open_case(incident) }, ...spans.map((name) => el('span', { className: name }))));
}
/** A case of a list, told in two lines. */
function fill_case(item, row) {
  const node = item.firstChild;
  const [what, due, place, tags] = node.children;
  const [colour, words] = pressing(row);
  node.className = `row ${colour}`;
  node.setAttribute('aria-current', String(row.incident === wish.case));
  put(what, category_name(row.category));
  put(due, words);
  put(place, [where(row.area), row.holder.startsWith('grid_leader:') ? '' : holder_name(row.holder, row.area)].filter(Boolean).join(' · '));
  const marks = [['', word(STATES, state_of(row))]];
  if (row.level !== 'grid') marks.unshift([row.level, say('made_answerable', level_word(row.level, row.area))]);
  sync(tags, marks, ([kind]) => kind || 'state', () => el('span'), (mark, [kind, text]) => { mark.className = `tag ${kind}`; put(mark, text); });
}
export function show_cases(list, rows) {
  sync(list, rows, (row) => row.incident, (row) => case_row(row.incident, ['what', 'due', 'where', 'tags']), fill_case);
}

// ---------------------------------------------------------------- the queue
function queue_query(extra) {
  const query = new URLSearchParams(extra);
  for (const name of ['area', 'state', 'level']) if (wish[name]) query.set(name, wish[name]);
  if (role() === 'leader') query.set('holder', `grid_leader:${me.visitor.area}`);
  if (role() === 'checker') query.set('state', 'CHECKING');
  return `/api/v1/cases?${query}`;
}
// "Falling due next" skips what is overdue. The API has no such filter, so this walks past the overdue
// pages once and remembers where they end; later polls start from there.
let past_overdue = '';
export async function ask_queue() {
  const shown = Math.min(LARGEST_PAGE, wish.shown || page_size());
  if (wish.view === 'all') return ask(queue_query({ limit: shown }));
  for (;;) {
    const page = await ask(queue_query({ limit: LARGEST_PAGE, ...(past_overdue && { after: past_overdue }) }));
    page.cases.forEach(heard_due);
    const coming = page.cases.filter((listed) => !listed.overdue);
    if (coming.length || !page.next) return { cases: coming.slice(0, shown), next: coming.length > shown ? 'more' : undefined };
    past_overdue = page.next;
  }
}
export function narrow() {
  Object.assign(wish, { view: $('view').value, area: $('of-area').value, state: $('of-state').value, level: $('of-level').value, shown: 0 });
  past_overdue = '';
}
export function show_queue() {
  if (!seen.queue) return;
  const held = document.activeElement && document.activeElement.closest('#queue-rows li');
  const at = held ? [...$('queue-rows').children].indexOf(held) : -1;
  show_cases($('queue-rows'), seen.queue.cases);
  // The case under the cursor left the queue: the cursor stays at its place.
  if (held && !held.isConnected) step_to($('queue-rows'), at);
  $('queue-empty').hidden = seen.queue.cases.length > 0;
  put($('queue-empty'), say('no_cases'));
  $('queue-more').hidden = !seen.queue.next || (wish.shown || page_size()) >= LARGEST_PAGE;
}
export function show_selects() {
  put($('queue-name'), say({ leader: 'my_queue', worker: 'grid_cases', checker: 'to_check' }[role()] || 'queue'));
  fill_select($('view'), say('view'), [['all', say('view_all')], ['next', say('view_next')]]);
  const below = seen.figures ? seen.figures.below : [];
  fill_select($('of-area'), say('area'), [['', say('all_areas')], ...below.map((row) => [row.area, area_name(row.area)])]);
  $('of-area').hidden = !narrows();
  fill_select($('of-state'), say('state'), [['', say('all_states')], ...Object.keys(STATES).filter((code) => code !== 'PASSED').map((code) => [code, state_word(code)])]);
  fill_select($('of-level'), say('level'), [['', say('all_levels')], ...Object.keys(LEVELS).map((code) => [code, word(LEVELS, code)])]);
  $('find-id').placeholder = say('find_hint');
  $('find-id').setAttribute('aria-label', say('find_hint'));
}

// ---------------------------------------------------------------- by keyboard
function step_to(list, index) {
  const row = list.children[Math.max(0, Math.min(list.children.length - 1, index))];
  if (row) row.firstChild.focus();
}
/** Moves in `list` from where the cursor is; else from the open case; else from the top. */
export function move(list, by) {
  const rows = [...list.children];
  let from = rows.findIndex((row) => row.contains(document.activeElement));
  if (from < 0) from = rows.findIndex((row) => row.dataset.key === wish.case);
  step_to(list, from < 0 ? 0 : from + by);
}

// ---------------------------------------------------------------- the own reports
/** What the visitor reported, wherever it lies, the newest first. */
export const ask_mine = () => ask(`/api/v1/cases?reporter=me&limit=${LARGEST_PAGE}`);
export function show_mine() {
  if (!seen.mine) return;
  const rows = seen.mine.cases;
  show_cases($('mine-rows'), rows);
  show_mine_note(rows);
  $('mine-empty').hidden = rows.length > 0;
  put($('mine-count'), rows.length ? say('count', seen.mine.next ? `${rows.length}+` : rows.length) : '');
}

/** The demo's people handle what its day reports, and nobody what a visitor does: it says so, and offers to be whoever has the newest. */
function show_mine_note(rows) {
  const waiting = rows.filter((row) => row.state !== 'CLOSED');
  const box = $('mine-note');
  box.hidden = !waiting.length;
  const look = waiting.length ? [lang(), me.visitor.person, waiting[0].incident, waiting[0].state, waiting[0].holder].join(' ') : '';
  if (box.dataset.look === look) return;
  box.dataset.look = look;
  box.replaceChildren(...(waiting.length ? nobody_else(waiting[0]) : []));
}
/** Who of those that a visitor can be goes on with a case: its holder, or somebody who checks. */
function who_goes_on(one) {
  if (one.state === 'CHECKING') return VISITORS.find((visitor) => visitor.role === 'checker');
  const [post, at] = one.holder.split(':');
  const wanted = { grid_leader: 'leader', street_desk: 'dispatcher' }[post] || post;
  return VISITORS.find((visitor) => visitor.role === wanted && visitor.area === at);
}
/** That nobody else in the demo takes up what visitors report, with a way to do it. */
export function nobody_else(one) {
  const next = who_goes_on(one);
  if (next === me.visitor) return [el('p', { textContent: say('nobody_else_you') })];
  if (!next) return [el('p', { textContent: say('nobody_there', holder_name(one.holder, '')) })];
  return [el('p', { textContent: say('nobody_else') }), el('button', { type: 'button', textContent: say('go_on_as', word(ROLES, next.role)), onclick: () => be(next, one.incident) })];
}

// ---------------------------------------------------------------- escalations
const escalation_key = (row) => [row.incident, row.deadline, row.to, row.done_at].join(' ');
/** Where a supervisor looks into an area, what was escalated there. */
function escalations_here() {
  const within = (row) => !wish.figures || row.area === wish.figures || row.area.startsWith(`${wish.figures}/`);
  return (seen.escalations || []).filter(within);
}
/** The level that answered already when `row` came, where it is higher than the row's. Of what is listed: older rows are gone. */
function answered_already(row) {
  const higher = seen.escalations.filter((other) => other.incident === row.incident && is_above(other.to, row.to) && other.done_at <= row.done_at);
  return higher.map((other) => other.to).reduce((one, other) => (is_above(other, one) ? other : one), '');
}
export function show_escalations() {
  if (!seen.escalations) return;
  const list = $('escalation-rows');
  const first = !list.children.length;
  const here = escalations_here();
  const shown = here.slice(0, wish.escalations || page_size());
  sync(list, shown, escalation_key, (row) => {
    const item = case_row(row.incident, ['what', 'when', 'where', 'after', 'tags']);
    if (!first) item.firstChild.classList.add('fresh');
    return item;
  }, (item, row) => {
    const [what, when, place, after, tags] = item.firstChild.children;
    const stays = answered_already(row), answers = stays || row.to;
    item.firstChild.classList.add(answers);
    item.firstChild.setAttribute('aria-current', String(row.incident === wish.case));
    put(what, category_name(row.category));
    put(when, moment(row.done_at));
    // Without a state the case lies where the visitor does not look any more.
    put(place, `${where(row.area)} · ${row.lies_in ? `${say('lies_now', where(row.lies_in))} · ` : ''}${row.state ? state_word(row.state) : say('lies_elsewhere')}`);
    sync(tags, [answers], (to) => to, (to) => tag(to, ''), (mark) => put(mark, say('made_answerable', level_word(answers, row.area))));
    put(after, say(stays ? 'stays_for' : 'escalated_for', word(LATE, row.deadline)));
  });
  $('escalations-empty').hidden = shown.length > 0;
  put($('escalations-empty'), wish.figures ? say('no_escalations_here', area_name(wish.figures)) : say('no_escalations'));
  $('escalations-more').hidden = shown.length >= here.length;
}
