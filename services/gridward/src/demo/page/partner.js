// What an organisation's people see: what they are offered, what they work on, and how they stand.

import { $, el, put, sync, tag } from './draw.js';
import { act, ask } from './asking.js';
import { look_again } from './page.js';
import { me, seen } from './state.js';
import { length, moment, now } from './time.js';
import { CLASSES, DECLINES, LATE, REASONS, STANDINGS, STATES, STATUSES, area_name, category_name, lang, plain, said, say, where, word } from './words.js';

const WAITING = ['open', 'accepting', 'declining'];
const HELD = ['won'];
/** Which card asks for a reason, and what was answered last, by incident. */
const asks = new Map(), told = new Map();

async function answer(offer, path, body) {
  asks.delete(offer.incident);
  told.set(offer.incident, { good: true, text: say('sending') });
  show_partner();
  try {
    const answered = await act(path, body);
    told.set(offer.incident, { good: true, text: answered.says ? said(answered.says) : word(STATES, answered.state) });
  } catch (error) {
    told.set(offer.incident, { good: false, text: error.message });
  }
  setTimeout(() => { told.delete(offer.incident); look_again(); }, 12_000);
  look_again();
}
const own_id = () => me.visitor.area.replace(/^org\//, '');
const accept = (offer) => answer(offer, `/api/v1/offers/${offer.incident}/accept`, { partner: own_id() });
const decline = (offer, given) => answer(offer, `/api/v1/offers/${offer.incident}/decline`, { partner: own_id(), reason: given.reason });
const finish = (offer, given) => answer(offer, `/api/v1/cases/${offer.incident}/answer`, given);
const give_back = (offer, given) => answer(offer, `/api/v1/cases/${offer.incident}/return`, given);

/** What may be done with an offer: the name on its button, what it asks for, and what it does. */
function choices(offer) {
  if (offer.state === 'open') return [['accept', null, accept], ['decline', ['reason', DECLINES], decline]];
  if (offer.state === 'won' && offer.case_state === 'HANDLING') return [['answer', ['note', 'note_answer'], finish], ['give_back', ['reason', REASONS], give_back]];
  return [];
}
/** What the reporters of what is held here wrote; asked for once. */
const words = new Map();
function words_of({ incident, state }) {
  if (!HELD.includes(state)) return '';
  if (!words.has(incident)) {
    words.set(incident, '');
    ask(`/api/v1/cases/${incident}/words`).then((one) => { words.set(incident, one.words || ''); show_partner(); }, () => words.delete(incident));
  }
  return words.get(incident) || '';
}
function card() {
  return el('li', { className: 'card' }, el('div', { className: 'top' }, el('b'), el('span', { className: 'due' })), el('p', { className: 'words' }), el('p', { className: 'soft' }), el('p'), el('p', { className: 'times' }), el('div', { className: 'foot' }));
}
function fill_card(node, offer) {
  const [top, wrote, place, asked, times, foot] = node.children;
  put(wrote, words_of(offer));
  wrote.hidden = !wrote.textContent;
  const until = offer.state === 'open' ? offer.answer_by : offer.due_at;
  const left = Date.parse(until) - now();
  node.classList.toggle('late', left < 0);
  node.classList.toggle('soon', left >= 0 && left < 4 * 3_600_000);
  put(top.children[0], said(offer.category_name) || category_name(offer.category));
  put(top.children[1], !until ? '' : left < 0 ? say('overdue_by', word(LATE, offer.state === 'open' ? 'offer' : 'handle'), length(-left)) : say('left', length(left)));
  const point = offer.chosen_area ? say('grid_centre') : offer.lon === undefined ? say('point_later') : `${offer.lon}, ${offer.lat}`;
  put(place, `${plain(said(offer.place_name)) || where(offer.area)} · ${point}`);
  put(asked, offer.closing ? say('asked', said(offer.closing)) : '');
  asked.hidden = !asked.textContent;
  put(times, [offer.state === 'open' ? say('answer_by', moment(offer.answer_by)) : '', offer.due_at ? say('handle_by', moment(offer.due_at)) : ''].filter(Boolean).join(' · '));
  const look = JSON.stringify([offer.state, offer.case_state, asks.get(offer.incident), told.get(offer.incident), lang()]);
  if (foot.dataset.look === look) return;
  foot.dataset.look = look;
  foot.replaceChildren(...draw_foot(offer));
}
function draw_foot(offer) {
  const parts = [];
  const answered = told.get(offer.incident);
  if (answered) parts.push(el('p', { className: `told ${answered.good ? 'good' : 'bad'}`, role: answered.good ? 'status' : 'alert', textContent: answered.text }));
  const open = choices(offer).find(([name]) => name === asks.get(offer.incident));
  if (open) return [...parts, ask_for(offer, ...open)];
  const buttons = choices(offer).map(([name, asked, does], at) => el('button', {
    type: 'button', className: at === 0 ? 'main' : '', textContent: say(name),
    onclick: () => { if (!asked) return does(offer); asks.set(offer.incident, name); show_partner(); },
  }));
  if (buttons.length) parts.push(el('div', { className: 'buttons' }, ...buttons));
  else if (!answered) parts.push(el('p', { className: 'soft', textContent: offer.case_state === 'CHECKING' ? say('waits_check') : said(offer.says) }));
  return parts;
}
function ask_for(offer, name, [field, from], does) {
  const input = field === 'reason'
    ? el('select', { name: field }, ...Object.keys(from).map((code) => el('option', { value: code, textContent: word(from, code) })))
    : el('textarea', { name: field, rows: 2 });
  const cancel = el('button', { type: 'button', textContent: say('cancel'), onclick: () => { asks.delete(offer.incident); show_partner(); } });
  const box = el('form', { className: 'ask' }, el('label', {}, el('span', { textContent: field === 'reason' ? say('reason') : say(from) }), input), el('div', { className: 'buttons' }, el('button', { className: 'main', textContent: say('confirm', say(name)) }), cancel));
  box.onsubmit = (event) => { event.preventDefault(); does(offer, Object.fromEntries([...new FormData(box)].filter(([, value]) => value.trim()))); };
  return box;
}

export function show_partner() {
  if (!seen.offers) return;
  const own = seen.offers.offers.filter((offer) => offer.partner === own_id());
  const show = (name, rows, list, make, fill) => {
    sync($(`${name}-rows`), rows, (offer) => `${offer.incident} ${offer.round}`, make, fill);
    $(`${list}-empty`).hidden = rows.length > 0;
  };
  show('offer', own.filter((offer) => WAITING.includes(offer.state)), 'offers', card, fill_card);
  show('held', own.filter((offer) => HELD.includes(offer.state)), 'held', card, fill_card);
  const over = own.filter((offer) => !WAITING.includes(offer.state));
  show('order', over, 'orders', () => el('li', {}, el('div', { className: 'row plain' }, el('span', { className: 'what' }), el('span', { className: 'when' }), el('span', { className: 'where' }), el('span', { className: 'tags' }))), (item, offer) => {
    const [what, when, place, tags] = item.firstChild.children;
    put(what, said(offer.category_name) || category_name(offer.category));
    put(when, moment(offer.offered_at));
    // Where it is, is told while it stands or is theirs.
    put(place, offer.area ? where(offer.area) : '');
    const kind = { won: 'ok', done: 'ok' }[offer.state] || '';
    sync(tags, [offer.state], (state) => state, () => tag(kind, ''), (mark) => put(mark, said(offer.says)));
  });
  put($('orders-count'), over.length ? say('count', over.length) : '');
  show_standing(own);
}

// ---------------------------------------------------------------- standing
let drawn = '';
function show_standing(own) {
  const one = seen.register && seen.register.partners.find((entry) => entry.id === own_id());
  const of = (...states) => own.filter((offer) => states.includes(offer.state)).length;
  // Declining costs nothing, so the rate leaves it out.
  const accepted = of('won', 'done', 'released', 'taken_back'), decided = accepted + of('lapsed');
  const counts = [['asked_n', own.length], ['accepted_n', accepted], ['declined_n', of('declined')], ['lapsed_n', of('lapsed')], ['done_n', of('done')], ['accepted_rate', decided ? `${Math.round((accepted / decided) * 100)}%` : '—']];
  const look = JSON.stringify([one, counts, lang()]);
  if (look === drawn) return;
  drawn = look;
  const tiles = el('dl', { className: 'tiles' }, ...counts.map(([name, value]) => el('div', {}, el('dt', { textContent: say(name) }), el('dd', { textContent: String(value) }))));
  $('standing-body').replaceChildren(...(one ? [draw_entry(one)] : []), tiles);
}
function draw_entry(one) {
  const and = lang() === 'zh' ? '、' : ', ';
  const facts = el('dl', { className: 'facts' });
  const fact = (name, text) => facts.append(el('dt', { textContent: say(name) }), el('dd', { textContent: text }));
  fact('members', say('members_n', one.members));
  fact('hands', `${one.busy} / ${one.capacity}`);
  fact('coverage', one.coverage.map(area_name).join(and));
  fact('takes', one.categories.length ? one.categories.map(category_name).join(and) : say('takes_all'));
  const marks = [tag(one.standing === 'active' ? 'ok' : 'street', word(STANDINGS, one.standing)), tag('', word(STATUSES, one.status)), tag('', word(CLASSES, one.class))];
  const box = el('div', { className: 'entry' }, el('h3', { textContent: plain(said(one.name)) }), el('p', { className: 'marks' }, ...marks), facts);
  if (one.reason) box.append(el('p', { className: 'told bad', textContent: one.reason }));
  return box;
}
