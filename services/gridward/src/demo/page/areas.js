// The figures: totals, one area beside the next, and why an area is late.

import { $, el, put, sync } from './draw.js';
import { narrow, show_cases } from './lists.js';
import { look_again } from './page.js';
import { LARGEST_PAGE, me, narrows, role, seen, wish } from './state.js';
import { POSTS, area_name, category_name, holder_name, is_sensitive, lang, parent_of, said, say, where, word } from './words.js';

const percent = (rate) => (rate === null || rate === undefined ? '—' : `${(rate * 100).toFixed(1)}%`);
let said_last = 0, said_to = '';
export function show_totals() {
  const all = seen.figures && seen.figures.all;
  const tiles = [
    ['opened', all && all.opened], ['open', all && all.open], ['overdue', all && all.open_overdue], ['rate', all && percent(all.on_time_rate)],
    ['reminders', all && all.reminders], ['to_community', all && all.escalated_community], ['to_street', all && all.escalated_street], ['to_county', all && all.escalated_county],
    ...(role() === 'supervisor' ? [['returned_n', all && all.returned], ['reworked_n', all && all.reworked]] : []),
  ];
  $('totals').className = `of-${tiles.length}`;
  sync($('totals'), tiles, ([name]) => name, () => el('div', {}, el('dt'), el('dd')), (node, [name, value]) => {
    put(node.children[0], say(name));
    put(node.children[1], all ? value.toLocaleString('en') : '—');
    node.children[1].className = name === 'overdue' && value > 0 ? 'late' : '';
  });
  const sensitive = all && all.sensitive_opened ? say('sensitive_told', all.sensitive_opened) : '';
  put($('leaves-out'), seen.figures ? [said(seen.figures.leaves_out), sensitive].filter(Boolean).join(lang() === 'zh' ? '；' : '; ') : '');
  // Somebody else, of another area or in another language, is told at once, and never what the one before was told.
  const to = [lang(), me.visitor.person, all && all.area].join(' ');
  if (!all) put($('totals-said'), '');
  else if (to !== said_to || Date.now() - said_last > 30_000) {
    [said_last, said_to] = [Date.now(), to];
    put($('totals-said'), say('said', all.open, all.open_overdue, percent(all.on_time_rate), all.escalated_community, all.escalated_street, all.escalated_county));
  }
}

const escalated = (row) => row.escalated_community + row.escalated_street + row.escalated_county;
const COLUMNS = [
  ['w_area', (row) => row.area], ['w_open', (row) => row.open], ['w_overdue', (row) => row.open_overdue],
  ['w_rate', (row) => (row.on_time_rate === null ? 2 : row.on_time_rate)], ['w_escalated', escalated],
];
const sorting = { by: 'w_overdue', down: true };
function choose(area) {
  if (narrows()) { $('of-area').value = area; narrow(); } else wish.figures = area;
  look_again();
}
export function show_areas() {
  sync($('area-heads'), COLUMNS, ([name]) => name, ([name]) => {
    const button = el('button', { type: 'button', onclick: () => {
      // First the worst: the lowest rate, the highest count, the areas in order.
      sorting.down = sorting.by === name ? !sorting.down : name !== 'w_area' && name !== 'w_rate';
      sorting.by = name;
      show_areas();
    } });
    return el('th', { scope: 'col' }, button);
  }, (head, [name]) => {
    const on = sorting.by === name;
    put(head.firstChild, say(name) + (on ? (sorting.down ? '\u00a0↓' : '\u00a0↑') : ''));
    if (on) head.setAttribute('aria-sort', sorting.down ? 'descending' : 'ascending'); else head.removeAttribute('aria-sort');
  });
  if (!seen.figures) return;
  show_path(seen.figures.all.area);
  const value = COLUMNS.find(([name]) => name === sorting.by)[1];
  // A grid has nothing below it: it is then its own row.
  const listed = seen.figures.below.length ? seen.figures.below : [seen.figures.all];
  const rows = [...listed].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const order = x < y ? -1 : x > y ? 1 : 0;
    return (sorting.down ? -order : order) || (a.area < b.area ? -1 : 1);
  });
  sync($('area-rows'), rows, (row) => row.area, (row) => {
    const only = el('button', { type: 'button', onclick: () => choose(row.area) });
    return el('tr', {}, el('th', { scope: 'row' }, only), el('td'), el('td'), el('td', {}, el('span', { className: 'rate', 'aria-hidden': 'true' }, el('i')), el('span')), el('td'));
  }, (node, row) => {
    const [name, open, overdue, rate, raised] = node.children;
    put(name.firstChild, area_name(row.area));
    name.firstChild.title = say(narrows() ? 'only_area' : 'into_area', area_name(row.area));
    put(open, String(row.open));
    put(overdue, String(row.open_overdue));
    overdue.className = row.open_overdue > 0 ? 'late' : '';
    rate.firstChild.firstChild.style.width = `${(row.on_time_rate || 0) * 100}%`;
    put(rate.lastChild, percent(row.on_time_rate));
    put(raised, String(escalated(row)));
  });
}
/** The way back up, to the visitor's own area. */
function show_path(area) {
  const path = [];
  for (let at = area; at && role() === 'supervisor'; at = at === me.visitor.area ? '' : parent_of(at)) path.unshift(at);
  $('area-path').hidden = path.length < 2;
  sync($('area-path'), path, (at) => at, (at) => el('button', { type: 'button', onclick: () => choose(at) }), (node, at) => {
    put(node, area_name(at));
    node.disabled = at === area;
  });
}

// ---------------------------------------------------------------- why an area is late
/** How often each value occurs, the most frequent first. */
function tally(rows, of) {
  const counts = new Map();
  for (const row of rows) counts.set(of(row), (counts.get(of(row)) || 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
/** Who has a case: grid leaders as one, any other by the full name, wherever the case lies. */
const holder_told = (holder) => (holder.startsWith('grid_leader:') ? word(POSTS, 'grid_leader') : holder_name(holder, ''));
export function show_why_late() {
  if (!seen.late || !seen.figures) return;
  const late = seen.late.cases.filter((row) => row.overdue && !is_sensitive(row.category));
  // The most urgent come first: where the last of a full page is late, there are more than it tells.
  const many = seen.late.cases.length >= LARGEST_PAGE && seen.late.cases.every((row) => row.overdue);
  put($('why-late-name'), say('why_late', area_name(seen.figures.all.area)));
  const parts = [
    ['by_state', tally(late, (row) => say(`stuck_${row.state}`))], ['by_category', tally(late, (row) => category_name(row.category))],
    ['by_area', tally(late, (row) => where(row.area))], ['by_holder', tally(late, (row) => holder_told(row.holder))],
  ].filter(() => late.length);
  sync($('why-late-bars'), parts, ([name]) => name, () => el('section', {}, el('h3'), el('ol')), (node, [name, counts]) => {
    put(node.firstChild, say(name));
    sync(node.lastChild, counts.slice(0, 5), ([text]) => text, () => el('li', {}, el('span'), el('i', { 'aria-hidden': 'true' }, el('i')), el('b')), (item, [text, count]) => {
      put(item.children[0], text);
      item.children[1].firstChild.style.width = `${(count / counts[0][1]) * 100}%`;
      put(item.children[2], String(count));
    });
  });
  put($('late-name'), late.length ? say('late_cases', many ? say('late_many') : late.length) : '');
  show_cases($('late-rows'), late.slice(0, 100));
  $('late-empty').hidden = late.length > 0;
}
