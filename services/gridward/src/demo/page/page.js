// The page: who looks at it, what is beside what for whom, and asking again every second.

import { $, el, icon, put, sync, tag } from './draw.js';
import { ask, ask_or_null, act } from './asking.js';
import { show_areas, show_totals, show_why_late } from './areas.js';
import { close_case, follow_address, forget_way, lay_out, open_case, show_case } from './case.js';
import { ask_mine, ask_queue, move, narrow, show_escalations, show_mine, show_queue, show_selects } from './lists.js';
import { show_partner } from './partner.js';
import { KNOWN, LARGEST_PAGE, NOTHING, NO_WISH, PAGE, PHONE, VISITORS, me, narrows, page_size, role, seen, wish } from './state.js';
import { clock_words, heard, heard_due, how_fast, jump, knows_time, moment, set_clock } from './time.js';
import { CHAIN, ROLES, ROLE_DOES, SHOWING, ladder, lang, made_up, pick, plain, said, say, say_of, turn_language, word } from './words.js';

/** What each role has before it: the panels of the three columns, and the tabs of a phone. */
const DESKS = {
  worker: { columns: [['report', 'mine'], ['guide'], ['queue']], tabs: ['report', 'queue', 'guide'], list: 'queue-rows' },
  leader: { columns: [['queue'], ['guide'], ['report', 'mine']], tabs: ['queue', 'report', 'guide'], list: 'queue-rows' },
  dispatcher: { columns: [['queue'], ['areas'], ['escalations']], tabs: ['queue', 'escalations', 'areas'], list: 'queue-rows' },
  community: { columns: [['queue'], ['areas'], ['escalations']], tabs: ['queue', 'escalations', 'areas'], list: 'queue-rows' },
  checker: { columns: [['queue'], ['guide']], tabs: ['queue', 'guide'], list: 'queue-rows' },
  supervisor: { columns: [['areas'], ['why-late'], ['escalations']], tabs: ['areas', 'why-late', 'escalations'], list: 'late-rows' },
  partner: { columns: [['offers'], ['held'], ['standing', 'orders']], tabs: ['offers', 'held', 'standing'], list: 'offer-rows' },
};
const QUEUE_NAMES = { worker: 'grid_cases', leader: 'my_queue', checker: 'to_check', community: 'tab_queue', dispatcher: 'tab_queue' };
const PANELS = [...new Set(Object.values(DESKS).flatMap((desk) => desk.columns.flat()))];

// ---------------------------------------------------------------- who
const LAST = 'gridward-visitor';
/** Signs in as `visitor`, and shows `incident` if one is given. */
export function be(visitor, incident = '') {
  me.visitor = visitor;
  try { if (visitor) sessionStorage.setItem(LAST, visitor.person); else sessionStorage.removeItem(LAST); } catch { /* forgotten, then */ }
  if ($('who').open) $('who').close();
  if ($('case').open) $('case').close();
  forget_way();
  Object.assign(seen, NOTHING, { now: seen.now });
  Object.assign(wish, NO_WISH);
  document.body.classList.remove('reading');
  document.body.classList.toggle('welcoming', !visitor);
  document.body.dataset.role = role();
  history.replaceState(null, '', incident ? `#case=${incident}` : location.pathname + location.search);
  for (const list of document.querySelectorAll('.rows, .cards, #area-rows, #why-late-bars')) list.replaceChildren();
  set_out();
  if (visitor && visitor.form) refresh_form(visitor);
  speak();
  follow_address();
  look_again();
  scrollTo(0, 0);
}
/** A link opens on the device that opens it first: this one gets its own. The one it came with does otherwise. */
function refresh_form(visitor) {
  form_link = visitor.form;
  act('/api/v1/form-links', { minutes: 720 }).then((made) => { if (me.visitor === visitor) { form_link = made.link; show_form(); } }, () => {});
}
let form_link = '';
/** The form opens in the language of this page; there it can be switched again. */
function show_form() {
  if (form_link) $('form').href = `${form_link}?lang=${lang() === 'zh' ? 'zh-CN' : 'en'}`;
}
/** Puts the panels of the role into their columns. */
function set_out() {
  const desk = DESKS[role()];
  for (const id of PANELS) {
    const column = desk ? desk.columns.findIndex((panels) => panels.includes(id)) : -1;
    const panel = $(id);
    panel.hidden = column < 0;
    panel.dataset.column = String(column + 1);
    if (column >= 0) panel.dataset.row = String(desk.columns[column].indexOf(id) + 1);
    panel.classList.toggle('alone', column >= 0 && desk.columns[column].length === 1);
  }
  $('totals-box').hidden = !(narrows() || role() === 'supervisor');
  $('me').hidden = !me.visitor;
  if (desk) turn_to(desk.tabs[0]);
}
function turn_to(tab) {
  document.body.dataset.tab = tab;
  for (const id of PANELS) $(id).classList.toggle('turned-to', id === tab || with_tab(tab).includes(id));
  for (const node of $('tabs').children) node.setAttribute('aria-current', String(node.dataset.key === tab));
  if (PHONE.matches) scrollTo(0, 0);
}
/** Panels that share a tab with another. */
const with_tab = (tab) => ({ report: ['mine'], standing: ['orders'] }[tab] || []);
const role_words = (visitor) => (visitor.role === 'partner' ? said(visitor.area_name) : word(ROLES, visitor.role));
const name_of = (visitor) => plain(said(visitor.name));

function show_me() {
  const visitor = me.visitor;
  if (!visitor) return;
  $('me-icon').setAttribute('href', `#icon-${visitor.role}`);
  put($('me-name'), word(ROLES, visitor.role));
  put($('me-role'), name_of(visitor));
  put($('me-switch'), say('switch'));
  $('me').setAttribute('aria-label', say('you_are', word(ROLES, visitor.role), name_of(visitor)));
}
function show_who() {
  const first = (visitor) => VISITORS.find((other) => other.role === visitor.role) === visitor;
  const doors = VISITORS.filter((visitor) => visitor.role !== 'leader' && first(visitor));
  const others = VISITORS.filter((visitor) => !doors.includes(visitor));
  sync($('doors'), doors, (visitor) => visitor.person, (visitor) => el('li', {}, el('button', { type: 'button', className: `door ${visitor.role}`, onclick: () => be(visitor, wanted_case()) }, icon(visitor.role), el('b'), el('span'), el('small'))), (node, visitor) => {
    const [, name, does, who] = node.firstChild.children;
    put(name, word(ROLES, visitor.role));
    put(does, pick(ROLE_DOES[visitor.role]));
    put(who, name_of(visitor));
  });
  document.querySelector('.others').hidden = !others.length;
  sync($('other-doors'), others, (visitor) => visitor.person, (visitor) => el('button', { type: 'button', className: 'text', onclick: () => be(visitor, wanted_case()) }), (node, visitor) => put(node, visitor.role === 'partner' ? plain(role_words(visitor)) : name_of(visitor)));
  sync($('who-rows'), VISITORS, (visitor) => visitor.person, (visitor) => el('li', {}, el('button', { type: 'button', className: 'door', onclick: () => be(visitor) }, icon(visitor.role), el('b'), el('small'), el('i'))), (node, visitor) => {
    const [, name, who, current] = node.firstChild.children;
    node.firstChild.setAttribute('aria-current', String(visitor === me.visitor));
    put(name, word(ROLES, visitor.role));
    put(who, visitor.role === 'partner' ? plain(role_words(visitor)) : name_of(visitor));
    put(current, visitor === me.visitor ? say('now_you') : '');
  });
  for (const list of ['chain', 'guide-chain']) {
    sync($(list), CHAIN, ([[name]]) => name, () => el('li', {}, el('b'), el('span')), (node, [name, does]) => { put(node.firstChild, pick(name)); put(node.lastChild, say_of(does, ladder())); });
  }
}
const wanted_case = () => { const found = /^#case=([\w-]+)$/.exec(location.hash); return found ? found[1] : ''; };

// ---------------------------------------------------------------- what happens in the demo
let no_news = false;
/** Null when nobody tells what is worth a look: the demo may be without it. */
async function ask_now() {
  if (no_news) return null;
  const answer = await ask('/demo/now').catch((error) => { if (error.status === 404 || error instanceof SyntaxError) { no_news = true; return null; } throw error; });
  if (answer) set_clock(answer.clock, answer.speed);
  return answer;
}
const KIND_TAG = { handled: 'ok', escalated: 'street', partner: 'partner', returned: 'community', typhoon: 'typhoon' };
function show_news() {
  const items = ((seen.now && seen.now.showing) || []).slice(0, 12);
  $('news').hidden = !items.length;
  sync($('news-rows'), items, (item) => [item.kind, item.at, item.incident].join(' '), (item) => {
    const node = el(item.incident ? 'button' : 'p', { className: 'item' }, tag(KIND_TAG[item.kind] || '', ''), el('time'), el('span'));
    if (item.incident) { node.type = 'button'; node.onclick = () => look_at(item.incident); }
    return el('li', {}, node);
  }, (node, item) => {
    const [kind, at, text] = node.firstChild.children;
    put(kind, word(SHOWING, item.kind));
    // What is worth waiting for is told before it happens.
    const ahead = new Date(item.at) > new Date(seen.now.clock);
    put(at, ahead ? say('coming', moment(item.at)) : moment(item.at));
    put(text, said(item.text));
  });
}
/** Opens a case as whoever is signed in; a visitor who is nobody yet, or may see no case, looks as the supervisor. */
function look_at(incident) {
  if (me.visitor && role() !== 'partner') return open_case(incident);
  const supervisor = VISITORS.find((visitor) => visitor.role === 'supervisor') || VISITORS[0];
  if (supervisor) be(supervisor, incident);
}

// ---------------------------------------------------------------- asking again and again
/** What each role asks for, by where it is seen. */
const ASKS = {
  worker: () => ({ queue: ask_queue(), mine: ask_mine() }),
  leader: () => ({ queue: ask_queue(), mine: ask_mine() }),
  community: () => ({ queue: ask_queue(), escalations: ask('/api/v1/escalations'), figures: ask('/api/v1/figures') }),
  dispatcher: () => ({ queue: ask_queue(), escalations: ask('/api/v1/escalations'), figures: ask('/api/v1/figures') }),
  checker: () => ({ queue: ask_queue() }),
  supervisor: () => ({ figures: ask(`/api/v1/figures${of_area()}`), late: ask(`/api/v1/cases${of_area(`limit=${LARGEST_PAGE}`)}`), escalations: ask('/api/v1/escalations') }),
  partner: () => ({ offers: ask('/api/v1/offers?show=all'), register: ask('/api/v1/partners').catch((error) => { if (error.status === 403) return null; throw error; }) }),
};
function of_area(...more) {
  const all = wish.figures ? [`area=${encodeURIComponent(wish.figures)}`, ...more] : more;
  return all.length ? `?${all.join('&')}` : '';
}
function ask_case() {
  return wish.case ? ask_or_null(`/api/v1/cases/${encodeURIComponent(wish.case)}`) : undefined;
}
async function together(asked) {
  const names = Object.keys(asked);
  const answers = await Promise.all(names.map((name) => asked[name]));
  return Object.fromEntries(names.map((name, at) => [name, answers[at]]));
}
/** What is stamped tells the time where nobody else does. */
function listen(answers) {
  for (const listed of [...((answers.queue || {}).cases || []), ...((answers.late || {}).cases || [])]) { heard(listed.opened_at); heard_due(listed); }
  for (const escalation of answers.escalations || []) heard(escalation.done_at);
  for (const offer of (answers.offers || {}).offers || []) heard(offer.offered_at);
  for (const line of (answers.case || {}).history || []) heard(line.noticed_at);
}

let timer = 0, asking = false, again = false, heard_last = 0;
async function poll() {
  if (asking) { again = true; return; }
  clearTimeout(timer);
  asking = true;
  const visitor = me.visitor, wished = JSON.stringify(wish);
  try {
    const answers = await together({ now: ask_now(), ...(visitor ? ASKS[role()]() : {}), case: ask_case() });
    listen(answers);
    heard_last = Date.now();
    show_link(false);
    // Somebody else looks, or for something else: this answers the question before.
    if (visitor === me.visitor && wished === JSON.stringify(wish)) Object.assign(seen, answers); else again = true;
    show_all();
  } catch (error) {
    troubled(error);
  }
  asking = false;
  // A hidden tab asks nothing; being looked at again starts the polling again.
  if (!document.hidden) timer = setTimeout(poll, again ? 0 : 1000);
  again = false;
}
/** Shows what is known now, and asks again at once. */
export function look_again() {
  show_all();
  poll();
}
function show_link(lost) {
  document.body.classList.toggle('lost', lost);
  $('link').classList.toggle('lost', lost);
  put($('link'), say(lost ? 'lost' : heard_last ? 'live' : 'linking'));
  $('trouble').hidden = !lost;
}
function troubled(error) {
  // The same words at every try: an alert that changes is read out again.
  let text = heard_last ? say('lost_long', new Date(heard_last).toLocaleTimeString(lang(), { hourCycle: 'h23' })) : say('never');
  if (error.status === 401) {
    // A demo that began anew signs with a new key: only a new page has its tokens. Not more often than
    // every ten seconds, should the token be wrong for another reason.
    text = say('anew');
    setTimeout(() => location.reload(), Math.max(1500, 10_000 - performance.now()));
  } else if (error.status < 500) text = say('refused', error.message);
  if (!error.status) console.warn(error);
  put($('trouble'), text);
  show_link(true);
}

// ---------------------------------------------------------------- foot
function show_foot() {
  const lines = KNOWN.lines || [];
  $('try').hidden = !lines.length;
  sync($('lines'), lines, ({ command }) => command, ({ command }) => {
    const code = el('code', { textContent: command });
    const button = el('button', { type: 'button', onclick: () => copy(code, button) });
    return el('li', {}, el('span'), el('div', { className: 'line' }, code, button));
  }, (node, line) => {
    const button = node.querySelector('button');
    const does = `${lines.indexOf(line) + 1}. ${said(line.does)}`;
    put(node.firstChild, does);
    put(button, say('copy'));
    button.setAttribute('aria-label', `${say('copy')}: ${does}`);
  });
}
async function copy(code, button) {
  let how = 'copied';
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Only secure pages may write the clipboard: select it for the keyboard instead.
    getSelection().selectAllChildren(code);
    how = 'copy_by_hand';
  }
  put(button, say(how));
  put($('copied'), say(how));
  setTimeout(() => { put(button, say('copy')); put($('copied'), ''); }, 2000);
}
function show_tabs() {
  const desk = DESKS[role()];
  $('tabs').hidden = !desk;
  $('tabs').setAttribute('aria-label', say('tabs'));
  sync($('tabs'), desk ? desk.tabs : [], (id) => id, (id) => el('button', { type: 'button', onclick: () => turn_to(id) }), (node, id) => {
    put(node, say(id === 'queue' ? QUEUE_NAMES[role()] : `tab_${id}`));
    node.setAttribute('aria-current', String(document.body.dataset.tab === id));
  });
}

// ---------------------------------------------------------------- all together
function show_clock() {
  $('time').hidden = !knows_time();
  if (knows_time() && !document.body.classList.contains('lost')) {
    const [date, time] = clock_words();
    put($('clock-date'), date);
    put($('clock-time'), time);
  }
  const to = jump();
  $('time').classList.toggle('jumped', to !== null);
  put($('clock-of'), to !== null ? say('jumped', moment(to)) : say(KNOWN.skips ? 'clock_skips' : 'clock_of', how_fast().toLocaleString('en')));
}
const SHOWS = {
  worker: [show_selects, show_queue, show_mine, show_case],
  leader: [show_selects, show_queue, show_mine, show_case],
  community: [show_totals, show_selects, show_queue, show_areas, show_escalations, show_case],
  dispatcher: [show_totals, show_selects, show_queue, show_areas, show_escalations, show_case],
  checker: [show_selects, show_queue, show_case],
  supervisor: [show_totals, show_areas, show_why_late, show_escalations, show_case],
  partner: [show_partner],
};
function show_all() {
  show_news();
  for (const show of SHOWS[role()] || []) show();
  show_clock();
}
function speak() {
  document.documentElement.lang = lang() === 'zh' ? 'zh-CN' : 'en';
  for (const node of document.querySelectorAll('[data-say]')) put(node, say(node.dataset.say));
  put($('lang'), say('other_language'));
  $('lang').lang = lang() === 'zh' ? 'en' : 'zh-CN';
  put($('pack'), KNOWN.pack ? plain(said(KNOWN.pack)) : '');
  $('made-up').hidden = !made_up;
  show_link(document.body.classList.contains('lost'));
  show_me();
  show_form();
  show_who();
  show_foot();
  show_tabs();
  show_all();
}

$('lang').onclick = () => { turn_language(); speak(); };
$('me').onclick = () => { show_who(); $('who').showModal(); };
$('who-close').onclick = () => $('who').close();
$('who').onclick = (event) => { if (event.target === $('who')) $('who').close(); };
$('close').onclick = close_case;
// On a phone the dialog closes itself on Esc; the address follows.
$('case').onclose = () => { if (wish.case && !$('case').open) close_case(); };
for (const id of ['view', 'of-area', 'of-state', 'of-level']) $(id).onchange = () => { narrow(); look_again(); };
$('find-id').oninput = () => $('find-id').setCustomValidity('');
$('find').onsubmit = (event) => {
  event.preventDefault();
  // Whatever was pasted around the number, quotes or an address, is not part of it.
  const found = /[0-9a-f]{8}-[0-9a-f-]{27}/i.exec($('find-id').value);
  const field = $('find-id');
  field.setCustomValidity(found ? '' : say('no_number'));
  if (found) { field.value = ''; open_case(found[0].toLowerCase()); } else { field.reportValidity(); field.select(); }
};
$('queue-more').onclick = () => { wish.shown = (wish.shown || page_size()) + PAGE; look_again(); };
$('escalations-more').onclick = () => { wish.escalations = PAGE; show_all(); };
addEventListener('hashchange', follow_address);
PHONE.addEventListener('change', () => { lay_out(); look_again(); });
document.addEventListener('visibilitychange', () => { if (document.hidden) clearTimeout(timer); else poll(); });
document.addEventListener('keydown', (event) => {
  if (!me.visitor || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog#who')) return;
  if (event.key === 'Escape' && wish.case && !PHONE.matches) close_case();
  else if (event.code === 'KeyJ') move($(DESKS[role()].list), 1);
  else if (event.code === 'KeyK') move($(DESKS[role()].list), -1);
  else return;
  event.preventDefault();
});
setInterval(show_clock, 500);
const last = (() => { try { return sessionStorage.getItem(LAST); } catch { return null; } })();
be(VISITORS.find((visitor) => visitor.person === last) || null, wanted_case());
