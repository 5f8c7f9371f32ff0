// What the page knows, who looks at it, what they see and what they want to see.

export const KNOWN = (() => {
  try { return JSON.parse(document.getElementById('known').textContent); } catch { return {}; }
})();
export const VISITORS = KNOWN.visitors || [];

/** Who is signed in: one of VISITORS, or nobody yet. */
export const me = { visitor: null };
export const role = () => (me.visitor ? me.visitor.role : '');
/** A desk narrows its queue by an area; a supervisor looks into one. */
export const narrows = () => ['community', 'dispatcher'].includes(role());

/** What the API answered last; null until it has. */
export const seen = {
  now: null, queue: null, mine: null, escalations: null, figures: null, late: null, offers: null, register: null, case: undefined, etag: null,
};
export const NOTHING = { ...seen };

/** What the visitor asked for. */
export const wish = { view: 'all', area: '', state: '', level: '', shown: 0, escalations: 0, figures: '', case: '' };
export const NO_WISH = { ...wish };

export const PHONE = matchMedia('(max-width: 799px)');
export const PAGE = 50, LARGEST_PAGE = 200, PHONE_PAGE = 20;
export const page_size = () => (PHONE.matches ? PHONE_PAGE : PAGE);

// Private windows may refuse storage; the page then just forgets.
export function remembered(key) { try { return localStorage.getItem(key); } catch { return null; } }
export function remember(key, value) { try { localStorage.setItem(key, value); } catch { /* forgotten, then */ } }
