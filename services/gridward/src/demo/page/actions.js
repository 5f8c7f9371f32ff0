// What the visitor may do to the open case: the API says which; each is a button, some of them with a few words.

import { $, el, put } from './draw.js';
import { act, ask } from './asking.js';
import { look_again } from './page.js';
import { KNOWN, me, role, seen } from './state.js';
import { POSTS, REASONS, STATES, area_name, holder_name, lang, parent_of, partner_name, say, state_of, where, word } from './words.js';

const reason = () => ({ name: 'reason', label: say('reason'), options: Object.keys(REASONS).map((code) => [code, word(REASONS, code)]) });
const note = (label) => ({ name: 'note', label: say(label) });
/** What each asks for, and what is sent. Without fields one press does it. */
const ACTIONS = {
  sign: { main: true, send: () => ['sign', {}] },
  stage: { fields: () => [note('note_stage')], send: (given) => ['stage', given] },
  answer: { main: true, fields: () => [note('note_answer')], send: (given) => ['answer', given] },
  return: { fields: () => [reason(), note('note_return')], send: (given) => ['return', given] },
  pass: { main: true, send: () => ['check', { passed: true }] },
  fail: { fields: () => [note('note_fail')], send: (given) => ['check', { passed: false, ...given }] },
  close: { main: true, send: () => ['close', {}] },
  transfer: { fields: (one) => [{ name: 'to', label: say('to_post'), groups: posts(one) }, note('note_transfer')], send: (given) => ['transfer', given] },
  order: { fields: () => [{ name: 'partner', label: say('to_whom'), options: [['', say('all_fitting')], ...organisations()] }] },
};
const label = (name) => say(name === 'close' ? 'close_case' : name);
function organisations() {
  if (!seen.register) ask('/api/v1/partners').then((register) => { seen.register = register; drawn = ''; look_again(); }, () => {});
  const active = seen.register ? seen.register.partners.filter((one) => one.standing === 'active') : [];
  return active.map((one) => [one.id, partner_name(one.id)]);
}

/** The posts of the visitor's own area, each a level lower than the area above it: the own one; then community by
 * community its desk and its grids, those where the case lies first, the others by name. */
function posts(one) {
  const levels = { dispatcher: ['street_desk', 'community', 'grid_leader'], community: ['community', 'grid_leader'] }[role()] || [];
  const own = me.visitor.area, depth = (path) => path.split('/').length;
  const post_at = (path) => levels[depth(path) - depth(own)];
  const below = Object.keys(KNOWN.areas || {}).filter((path) => path.startsWith(`${own}/`) && post_at(path));
  const lies_in = (path) => one.area === path || one.area.startsWith(`${path}/`);
  const in_order = (a, b) => lies_in(b) - lies_in(a) || area_name(a).localeCompare(area_name(b), lang(), { numeric: true }) || (a < b ? -1 : 1);
  const option = (path) => [`${post_at(path)}:${path}`, `${area_name(path)} · ${post_at(path) === 'community' ? say('community_desk') : word(POSTS, post_at(path))}`];
  const community = (path) => (post_at(path) === 'community' ? path : parent_of(path));
  const groups = [...new Set(below.map(community))].sort(in_order).map((group) => {
    const grids = below.filter((path) => path !== group && community(path) === group).sort(in_order);
    return [area_name(group), [...below.filter((path) => path === group), ...grids].map(option)];
  });
  const all = [[say('take_over'), [option(own)]], ...groups];
  // Whoever has it is given nothing.
  return all.map(([name, options]) => [name, options.filter(([to]) => to !== one.holder)]).filter(([, options]) => options.length);
}

/** The form that is open, or what the last one was answered. */
let open = null, told = null, drawn = '';
function forget_others(one) {
  if (open && (!one || open.incident !== one.incident)) open = null;
  if (told && (!one || told.incident !== one.incident)) told = null;
}
/** Drawn again only when what may be done has changed: what somebody is typing stays. */
export function show_actions(one) {
  forget_others(one);
  const box = $('act');
  box.hidden = !one;
  if (!one) { drawn = ''; return; }
  const look = JSON.stringify([one.incident, one.may, one.state, one.holder, lang(), open && [open.name, open.busy], told, seen.register !== null]);
  if (look === drawn) return;
  drawn = look;
  const may = (one.may || []).filter((name) => ACTIONS[name]);
  const parts = told ? [el('p', { className: `told ${told.good ? 'good' : 'bad'}`, role: told.good ? 'status' : 'alert', textContent: told.text })] : [];
  if (open) parts.push(form(one));
  else if (may.length) parts.push(el('div', { className: 'buttons' }, el('span', { className: 'soft', textContent: say('you_may') }), ...may.map((name) => button(one, name))));
  else parts.push(el('p', { className: 'soft', textContent: say('nothing_to_do', waiting_for(one)) }));
  box.replaceChildren(...parts);
}
function waiting_for(one) {
  return say(`waits_${state_of(one)}`, holder_name(one.holder, ''));
}
function button(one, name) {
  const action = ACTIONS[name];
  const press = () => {
    told = null;
    if (action.fields) { open = { incident: one.incident, revision: one.revision, name }; refresh(one); } else perform(one.incident, one.revision, name, {});
  };
  return el('button', { type: 'button', className: action.main ? 'main' : '', textContent: label(name), onclick: press });
}
function refresh(one) {
  drawn = '';
  show_actions(one);
  const field = $('act').querySelector('select, textarea');
  if (field) field.focus();
}
function form(one) {
  const { name, revision, busy } = open;
  const option = ([value, text]) => el('option', { value, textContent: text });
  const choices = ({ options, groups }) => (groups ? groups.map(([group, of]) => el('optgroup', { label: group }, ...of.map(option))) : options.map(option));
  const fields = ACTIONS[name].fields(one).map((field) => {
    const input = field.options || field.groups
      ? el('select', { name: field.name }, ...choices(field))
      : el('textarea', { name: field.name, rows: 2 });
    return el('label', {}, el('span', { textContent: field.label }), input);
  });
  const submit = el('button', { className: 'main', textContent: say('confirm', label(name)), disabled: Boolean(busy) });
  const cancel = el('button', { type: 'button', textContent: say('cancel'), onclick: () => { open = null; refresh(one); } });
  const box = el('form', { className: 'ask' }, ...fields, el('div', { className: 'buttons' }, submit, cancel));
  box.onsubmit = (event) => {
    event.preventDefault();
    submit.disabled = true;
    put(submit, say('sending'));
    // What was left empty is not sent.
    const given = Object.fromEntries([...new FormData(box)].filter(([, value]) => value.trim()));
    perform(one.incident, revision, name, given);
  };
  return box;
}
/** What came of it; a transfer says who has it now, and where it lies. */
function done_words(name, answer) {
  const state = word(STATES, state_of({ ...answer, passed: name === 'pass' }));
  if (name === 'close') return state;
  return answer.holder ? say('handed_on', holder_name(answer.holder, ''), where(answer.area), state) : say('acted', label(name), state);
}
async function perform(incident, revision, name, given) {
  try {
    if (name === 'order') {
      const { partners } = await act('/api/v1/orders', { incident, partners: given.partner ? [given.partner] : [] });
      told = { incident, good: true, text: say('ordered', partners.map(partner_name).join(lang() === 'zh' ? '、' : ', ')) };
    } else {
      const [path, body] = ACTIONS[name].send(given);
      const answer = await act(`/api/v1/cases/${incident}/${path}`, body, revision);
      told = { incident, good: true, text: done_words(name, answer) };
    }
  } catch (error) {
    told = { incident, good: false, text: error.message };
  }
  open = null;
  drawn = '';
  const mine = told;
  setTimeout(() => { if (told === mine) { told = null; drawn = ''; look_again(); } }, 12_000);
  look_again();
}
