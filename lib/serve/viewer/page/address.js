/**
 * The page's address: which exam, model, plane and slice it shows, so that it can be sent to somebody and
 * the browser's back goes to what was looked at before.
 * `#valid/0131?model=combined_acl&plane=axial&slice=12`; without a slice the plane's middle one is meant.
 * `second` names the model whose answers stand beside the model's; `order`, `label`, `outcome` and `search` are
 * those of the list, where they are not as at first.
 */

/** How long something must have been on show for back to return to it, in milliseconds. */
const LOOKED_AT = 500;

/** What the address may name beside the exam. */
const NAMES = ["model", "second", "plane", "slice", "order", "label", "outcome", "search"];

/**
 * What the address names.
 *
 * @returns {Record<string, string | undefined>} all as they stand there, `exam` such as `valid/0131`, `slice`
 *   counted from 1
 */
export function readAddress() {
  const [exam, query = ""] = decoded(location.hash.slice(1)).split(/\?(.*)/s);
  // That is where the page's own link leads.
  if (exam === "" || exam === "exam") return {};
  const given = new URLSearchParams(query);
  return { exam, ...Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? undefined])) };
}

/** The address of an exam, with the model that reads it, and the plane in use and its slice if there are such. */
export function addressOf({ exam, ...others }) {
  const query = new URLSearchParams();
  for (const name of NAMES) if (others[name] !== undefined) query.set(name, others[name]);
  return `#${exam}${query.size > 0 ? `?${query}` : ""}`;
}

let since = -Infinity;
let fresh = true;

/**
 * Has the address say what is on show.
 *
 * @param {Record<string, string | number | undefined>} what as {@linkcode readAddress} gives it
 * @param {{ step: boolean }} how whether the back button returns to what was shown until now: not if somebody
 *   only passed it, and not to the page's first moment
 */
export function writeAddress(what, { step }) {
  const address = addressOf(what);
  const now = performance.now();
  const push = step && !fresh && now - since >= LOOKED_AT;
  if (step) since = now;
  fresh = false;
  if (address === location.hash) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** The text itself if a percent sign in it is no escape. */
function decoded(text) {
  try {
    return text.includes("?") ? text : decodeURIComponent(text);
  } catch {
    return text;
  }
}
