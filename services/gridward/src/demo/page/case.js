// One case: what was said, who holds it and why, its deadlines and how they were computed, and what happened.

import { $, el, put, tag } from './draw.js';
import { show_actions } from './actions.js';
import { be, look_again } from './page.js';
import { nobody_else, pressing } from './lists.js';
import { PHONE, VISITORS, me, seen, role, wish } from './state.js';
import { DAY, length, moment, now } from './time.js';
import {
  DECLINES, FLAGS, HAPPENED, KINDS, LATE, REASONS, RELEASES, ROLES, STATES, area_name, category_name, holder_name, is_above, is_sensitive, lang, level_word, limit_words, partner_name, person_name, plain, said, say, say_of, state_of, where, with_level_of, word,
} from './words.js';

// The number of the open case is in the address, so that a link shows it and "back" closes it.
const case_in_address = () => { const found = /^#case=([\w-]+)$/.exec(location.hash); return found ? found[1] : ''; };
let came_by_click = false, came_from = null;
export function open_case(incident) {
  // The first adds a step to go back from; another in its place does not.
  if (wish.case) history.replaceState(null, '', `#case=${incident}`);
  else { came_by_click = true; came_from = document.activeElement; location.hash = `case=${incident}`; }
  follow_address();
}
export function close_case() {
  if (came_by_click) return history.back();
  history.replaceState(null, '', location.pathname + location.search);
  follow_address();
}
export function follow_address() {
  const incident = role() && role() !== 'partner' ? case_in_address() : '';
  if (incident === wish.case) return;
  wish.case = incident;
  seen.case = undefined;
  drawn = '';
  if (incident) {
    lay_out();
    $('case').querySelector('.scroll').scrollTop = 0;
  } else {
    $('case').close();
    document.body.classList.remove('reading');
    if (came_from && came_from.isConnected) came_from.focus();
    forget_way();
  }
  look_again();
  if (incident) $('case-name').focus({ preventScroll: true });
}
/** Somebody else looks now: nobody came by a click. */
export function forget_way() { [came_by_click, came_from] = [false, null]; }
/** In the middle of a desk; on a phone over everything, which is then out of reach. */
export function lay_out() {
  if (!wish.case) return;
  const dialog = $('case');
  if (dialog.open) dialog.close();
  if (PHONE.matches) dialog.showModal(); else dialog.show();
  document.body.classList.add('reading');
}

let drawn = '', ticking = [];
export function show_case() {
  if (!wish.case) return;
  const one = seen.case;
  show_actions(one && one.history ? one : null);
  // `undefined` (not answered yet) and `null` (no such case) look the same in JSON.
  const look = JSON.stringify([lang(), one === undefined, one]);
  // Drawn again only when it changed: what somebody is reading or selecting stays.
  if (look !== drawn) {
    drawn = look;
    ticking = [];
    const plain = one === undefined ? 'loading' : one === null ? 'gone' : one.history ? '' : 'about_to_open';
    put($('case-name'), plain ? say('find_hint') : category_name(one.category));
    $('case-tags').replaceChildren(...(plain ? [] : case_tags(one)));
    $('case-body').replaceChildren(...(plain ? draw_none(plain) : draw_case(one)));
  }
  for (const tick of ticking) tick();
}
function draw_none(plain) {
  const supervisor = VISITORS.find((visitor) => visitor.role === 'supervisor');
  const box = el('div', { className: 'empty' }, el('p', { textContent: say(plain) }));
  if (plain === 'gone' && supervisor && role() !== 'supervisor') {
    box.append(el('button', { type: 'button', textContent: say('look_as', word(ROLES, 'supervisor')), onclick: () => be(supervisor, wish.case) }));
  }
  return [box];
}
function case_tags(one) {
  const tags = [tag(one.state === 'CLOSED' ? 'ok' : '', word(STATES, state_of(one)))];
  if (one.level !== 'grid') tags.push(tag(one.level, say('made_answerable', level_word(one.level, one.area))));
  if (one.returns) tags.push(tag('', say('returns', one.returns)));
  if (one.reworks) tags.push(tag('', say('reworks', one.reworks)));
  return tags;
}
function draw_case(one) {
  const parts = [];
  if (is_sensitive(one.category)) parts.push(el('p', { className: 'soft', textContent: say('words_kept') }));
  else if (one.words) parts.push(el('blockquote', { className: 'words' }, el('p', { textContent: one.words }), el('footer', { textContent: `${say('words_of')} · ${reporter(one)} · ${moment(one.opened_at)}` })));
  if (me.visitor && one.reporter === me.visitor.person && one.state !== 'CLOSED') parts.push(el('div', { className: 'note' }, ...nobody_else(one)));
  const due = el('b', { className: 'due' });
  const due_box = el('div', {}, el('dt', { textContent: say('due') }), el('dd', {}, due, el('small', { textContent: one.due_at ? moment(one.due_at) : '' })));
  ticking.push(() => { const [colour, words] = pressing(one); due_box.className = colour; put(due, one.state === 'CLOSED' ? word(STATES, 'CLOSED') : words); });
  const holder = el('div', {}, el('dt', { textContent: say('holder') }), el('dd', {}, el('b', { textContent: holder_name(one.holder, '') })));
  parts.push(el('dl', { className: 'glance' }, due_box, holder));
  if (one.why) parts.push(el('div', { className: 'why' }, el('b', { textContent: say('why') }), el('p', { textContent: plain(said(one.why)) })));
  parts.push(el('h3', { textContent: say('deadlines') }));
  if (one.deadlines.length) parts.push(...[...one.deadlines].sort(by_need).map((deadline) => draw_deadline(deadline, one)));
  else parts.push(el('p', { className: 'soft', textContent: say('no_deadlines') }));
  let returns = 0;
  const levels = levels_along(one);
  const lines = one.history.map((line, at) => {
    if (line.happened.what === 'returned') returns += 1;
    return draw_line(line, returns, levels[at], one);
  });
  parts.push(el('h3', { textContent: say('history') }), el('ol', { className: 'history' }, ...lines));
  const facts = el('dl', { className: 'facts' });
  const fact = (name, ...content) => facts.append(el('dt', { textContent: say(name) }), el('dd', {}, ...content));
  // Handed on to another area it lies there, and its point stays.
  const position = el('span', { className: 'soft', textContent: position_words(one) });
  fact(one.opened_in ? 'opened_in' : 'place', `${where(one.opened_in || one.area)} `, position);
  if (one.opened_in) fact('now_in', where(one.area));
  fact('reporter', reporter(one));
  fact('opened_at', moment(one.opened_at));
  if (one.flags.length) fact('flags', one.flags.map((flag) => word(FLAGS, flag)).join('; '));
  fact('number', ...draw_number(one.incident));
  parts.push(el('h3', { textContent: say('facts') }), facts);
  return parts;
}
/** Where nobody measured a position none is told. */
function position_words(one) {
  if (one.flags.includes('chosen_area')) return say('grid_centre');
  return one.flags.includes('stated_area') ? say('no_position') : `${one.lon}, ${one.lat}`;
}
/** As much of the number as tells cases apart by eye; the whole is copied. */
function draw_number(incident) {
  const copy = el('button', { type: 'button', className: 'text', textContent: say('copy') });
  copy.onclick = async () => {
    // Only secure pages may write the clipboard: else the whole is shown to be copied by hand.
    try { await navigator.clipboard.writeText(incident); put(copy, say('copied')); } catch { put(shown, incident); getSelection().selectAllChildren(shown); }
  };
  const shown = el('span', { textContent: `${incident.slice(0, 8)}…`, title: incident });
  return [shown, ' ', copy];
}
/** What is still to be done first, by when; then what is done. */
const by_need = (a, b) => Boolean(a.met_at) - Boolean(b.met_at) || (a.due_at < b.due_at ? -1 : 1);
const reporter = (one) => (one.reporter === 'recorded' ? say('recorded') : person_name(one.reporter));

// ---------------------------------------------------------------- deadlines
/** `stays`: the level that answers whatever this step says, where it is no higher than that. */
function step_words(does, kind, area, stays) {
  // A check waits for those who may check, and not for the holder, who may not.
  if (does === 'remind') return say(kind === 'check' ? 'step_remind_check' : 'step_remind');
  if (does === 'lapse') return say('step_lapse');
  return stays ? say('step_stays', level_word(does, area), level_word(stays, area)) : say('step_to', level_word(does, area));
}
/** The level that answers before and after each line of the history; it never falls. */
function levels_along(one) {
  let returns = 0;
  const raised = one.history.map(({ happened: it }) => {
    if (it.what === 'returned') returns += 1;
    return raised_to(it, returns);
  });
  let level = first_level(one, raised);
  return raised.map((to) => {
    const before = level;
    if (is_above(to, level)) level = to;
    return [before, level];
  });
}
const POST_LEVELS = { community: 'community', street_desk: 'street' };
/** Nobody above a grid holds a case without answering for it. */
const level_of = (holder) => POST_LEVELS[holder.split(':')[0]] || 'grid';
function raised_to(it, returns) {
  if (it.what === 'escalated') return it.to;
  // The desk decides after the last return; until then it only keeps the case for a moment.
  const handed = it.what === 'assigned' || (it.what === 'returned' && returns === LAST_RETURN);
  return handed ? level_of(it.holder) : 'grid';
}
/** What it was opened at: nothing says so but who had it first, or that nothing since explains its level. */
function first_level(one, raised) {
  const had = one.history.map((line) => line.happened).find((it) => it.from || it.what === 'assigned');
  const first = had ? level_of(had.from || '') : level_of(one.holder);
  const explained = raised.some((to) => !is_above(one.level, to)) || !is_above(one.level, first);
  return explained ? first : one.level;
}
/** The level that answered before step `n` of `deadline` and still does after it; '' where the step raises it. */
function level_kept(deadline, n, one) {
  const { does, done_at } = deadline.steps[n];
  if (does === 'remind' || does === 'lapse') return '';
  if (!done_at) return is_above(does, one.level) ? '' : one.level;
  const at = one.history.findIndex(({ happened: it }) => it.what === 'escalated' && it.deadline === deadline.kind && it.round === deadline.round && it.step === n);
  if (at < 0) return '';
  const [before, after] = levels_along(one)[at];
  return before === after ? after : '';
}
// Which explanations are unfolded: they stay so when the case is drawn again.
const unfolded = new Set();

/** One deadline: the bar is for the eye, the lines under it say the same in words. */
function draw_deadline(deadline, one) {
  const start = Date.parse(deadline.start_at), due = Date.parse(deadline.due_at);
  // Scaled to the steps, not to now: a case that lay for weeks would squeeze them into a corner.
  const end = start + Math.max(1, Math.max(due, ...deadline.steps.map((step) => Date.parse(step.due_at))) - start) * 1.12;
  const place = (at) => `${Math.max(0, Math.min(100, ((at - start) / (end - start)) * 100))}%`;
  const run = el('i', { className: 'run' }), past = el('i', { className: 'past', textContent: '▸' });
  const bar = el('div', { className: 'bar', 'aria-hidden': 'true' }, run, past);
  const put_at = (className, at) => { const mark = el('i', { className }); mark.style.left = place(at); bar.append(mark); };
  put_at('end', due);
  for (const step of deadline.steps) put_at(step.done_at ? 'step done' : 'step', Date.parse(step.due_at));

  const notes = [limit_words(deadline.limit), deadline.round > 1 ? say('round', deadline.round) : '', deadline.provisional ? say('provisional') : ''].filter(Boolean);
  const verdict = el('span', { className: 'verdict' });
  const head = el('p', {}, el('b', { textContent: say('deadline_of', word(KINDS, deadline.kind)) }), el('span', { className: 'soft', textContent: notes.join(' · ') }), verdict);
  const times = el('p', { className: 'soft' }, el('small', { textContent: say('from', moment(deadline.start_at)) }), el('small', { textContent: say('until', moment(deadline.due_at)) }));
  const list = el('ol', { className: 'steps' }, ...deadline.steps.map((step, n) => {
    const how = el('span', { className: 'soft' });
    ticking.push(() => {
      const left = Date.parse(step.due_at) - now();
      const stands = step.done_at ? say('done') : deadline.met_at || one.state === 'CLOSED' ? say('moot') : left > 0 ? say('waits', length(left)) : say('now_due');
      put(how, `${moment(step.done_at || step.due_at)} · ${stands}`);
    });
    return el('li', {}, el('i', { 'aria-hidden': 'true', textContent: step.done_at ? '●' : '○' }), el('span', { textContent: step_words(step.does, deadline.kind, one.area, level_kept(deadline, n, one)) }), how);
  }));
  const box = el('div', {}, head, bar, times, list, ...draw_explained(deadline, one));
  ticking.push(() => {
    const stop = deadline.met_at ? Date.parse(deadline.met_at) : now();
    run.style.width = place(stop);
    past.hidden = stop <= end;
    const late = stop - due;
    const colour = deadline.verdict === 'overdue' ? 'late' : deadline.verdict === 'running' && -late < DAY ? 'soon' : 'good';
    box.className = `deadline ${colour}`;
    put(verdict, deadline.verdict === 'on_time' ? say('on_time') : deadline.verdict === 'running' ? say('running', length(Math.max(0, -late))) : deadline.met_at ? say('met_late', length(late)) : say('overdue_by', word(LATE, deadline.kind), length(late)));
  });
  return box;
}
/** 怎么算的. The lines of the steps come last, one for each. */
function draw_explained(deadline, one) {
  const lines = deadline.explained || [];
  if (!lines.length) return [];
  const key = [one.incident, deadline.kind, deadline.round].join(' ');
  const steps = lines.length > deadline.steps.length ? lines.length - deadline.steps.length : lines.length;
  const item = (line, at) => el('li', { className: at >= steps ? 'after' : '', textContent: with_level_of(one.area, said(line)) });
  const box = el('details', { className: 'explained' }, el('summary', { textContent: say('explained') }), el('ol', {}, ...lines.map(item)));
  box.open = unfolded.has(key);
  box.ontoggle = () => { if (box.open) unfolded.add(key); else unfolded.delete(key); };
  return [box];
}

// ---------------------------------------------------------------- history
const names_of = (partners) => partners.map(partner_name).join(lang() === 'zh' ? '、' : ', ');
/** After so many returns nobody else is asked: the street's desk has it. */
const LAST_RETURN = 3;
/** `returns`: how often it was given back until then; `kept`: the level that answered before and after, where it escalated. */
function happened_words(it, returns, kept, area) {
  const values = {
    assigned: () => [holder_name(it.holder, '')],
    offered: () => [names_of(it.partners)],
    accepted: () => [partner_name(it.partner)],
    declined: () => [partner_name(it.partner), word(DECLINES, it.reason)],
    released: () => [partner_name(it.partner), word(RELEASES, it.reason), holder_name(it.holder, '')],
    staged: () => [word(KINDS, it.stage)],
    returned: () => [word(REASONS, it.reason), returns],
    reminded: () => [word(KINDS, it.deadline)],
    escalated: () => [area_name(it.area), word(LATE, it.deadline), level_word(it.to, area), kept && level_word(kept, area)],
  }[it.what];
  const told = HAPPENED[it.what === 'returned' && returns >= LAST_RETURN ? 'returned_last' : kept ? 'escalated_stays' : it.what];
  return told ? say_of(told, ...(values ? values() : [])) : it.what;
}
const GOOD = ['checked', 'closed', 'accepted'], HARD = ['returned', 'reworked', 'lapsed', 'declined', 'released'];
function draw_line(line, returns, [before, after], one) {
  const it = line.happened;
  const kept = it.what === 'escalated' && before === after ? after : '';
  const kind = it.what === 'escalated' && !kept ? it.to : GOOD.includes(it.what) ? 'ok' : it.what === 'reminded' || HARD.includes(it.what) ? 'warn' : '';
  const told = el('div', {}, el('span', { textContent: happened_words(it, returns, kept, one.area) }));
  // A community says by its name what it is.
  if (it.what === 'escalated' && !kept && !/(社区|居委会|村|村委会|街道|镇|乡|Community|Village|Street|Town)$/.test(area_name(it.area))) told.append(' ', tag(it.to, level_word(it.to, it.area)));
  told.append(el('small', { textContent: line.by ? person_name(line.by) : say('system') }));
  if (line.note) told.append(el('q', { textContent: line.note }));
  return el('li', { className: kind }, el('span', { className: 'soft', textContent: moment(line.at) }), told);
}
