/**
 * The page's address: which exam, model and plane it shows, so that it can be sent to somebody and the
 * browser's back goes to what was looked at before. `#valid/0131?model=combined_acl&plane=axial`.
 */

/** How long something must have been on show for back to return to it, in milliseconds. */
const LOOKED_AT = 500;

/**
 * What the address names.
 *
 * @returns {{ exam?: string, model?: string, plane?: string }} `exam` as it stands there, `valid/0131`
 */
export function readAddress() {
  const [exam, query = ""] = decoded(location.hash.slice(1)).split(/\?(.*)/s);
  // That is where the page's own link leads.
  if (exam === "" || exam === "exam") return {};
  const given = new URLSearchParams(query);
  return { exam, model: given.get("model") ?? undefined, plane: given.get("plane") ?? undefined };
}

/** The address of an exam, with the model that reads it and the plane in use if there are such. */
export function addressOf({ exam, model, plane }) {
  const query = new URLSearchParams();
  if (model !== undefined) query.set("model", model);
  if (plane !== undefined) query.set("plane", plane);
  return `#${exam}${query.size > 0 ? `?${query}` : ""}`;
}

let since = -Infinity;
let fresh = true;

/**
 * Has the address say what is on show.
 *
 * @param {{ exam: string, model?: string, plane?: string }} what
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
