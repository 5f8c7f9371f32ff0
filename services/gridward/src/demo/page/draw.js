// Elements. Data only ever becomes text.

export const $ = (id) => document.getElementById(id);

/** An element with text or children. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) if (name in node) node[name] = value; else node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const SVG = 'http://www.w3.org/2000/svg';
/** One of the page's own symbols. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg'), use = document.createElementNS(SVG, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}
export const tag = (kind, text) => el('span', { className: `tag ${kind}`, textContent: text });

/** Sets a text only when it changed, so that selections and screen readers are left in peace. */
export function put(node, text) { if (node.textContent !== text) node.textContent = text; }

/** Makes the children of `parent` those of `items`, keeping nodes by key: focus and scrolling survive a poll. */
export function sync(parent, items, key, make, fill) {
  const kept = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = new Set(items.map(key));
  for (const [name, node] of kept) if (!wanted.has(name)) node.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    let node = kept.get(key(item));
    if (!node) { node = make(item); node.dataset.key = key(item); }
    if (node === place) place = place.nextElementSibling; else parent.insertBefore(node, place);
    fill(node, item);
  }
}

/** Fills a `select` only when its options changed: refilling closes a list that somebody has just opened. */
export function fill_select(node, name, options) {
  node.setAttribute('aria-label', name);
  if (node.dataset.filled === JSON.stringify(options)) return;
  const value = node.value;
  node.dataset.filled = JSON.stringify(options);
  node.replaceChildren(...options.map(([code, text]) => el('option', { value: code, textContent: text })));
  node.value = options.some(([code]) => code === value) ? value : options[0][0];
}
