/** Requests to the service that the page came from. */

const KEY = "mrnet-token";

/** What a header can carry of a token. */
const SENDABLE = /^[!-~]+$/;

const UNSENDABLE = "A token has Latin letters, digits and signs only, and no spaces.";

const find = (selector) => document.querySelector(selector);

/** What the dialog says when it opens: what was wrong with the token before. */
let fault = "";

/** The token may come with the address, behind `#token=`, where no server sees it. */
function takeToken() {
  const given = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  history.replaceState(null, "", location.pathname);
  const token = decoded(given);
  if (SENDABLE.test(token)) sessionStorage.setItem(KEY, token);
  else fault = UNSENDABLE;
}
takeToken();

/** The text without its escapes, or the text itself if a percent sign in it is no escape. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The dialog that is open, so that several requests ask once. */
let asking;

function askForToken() {
  asking ??= new Promise((resolve, reject) => {
    const dialog = find("#token-dialog");
    const input = find("#token");
    dialog.querySelector("form").onsubmit = (event) => {
      const token = input.value.trim();
      if (SENDABLE.test(token)) return sessionStorage.setItem(KEY, token);
      event.preventDefault();
      tell(UNSENDABLE);
    };
    dialog.onclose = () => {
      asking = undefined;
      const entered = dialog.returnValue === "enter";
      dialog.returnValue = "";
      input.value = "";
      if (entered) resolve();
      else reject(new Error("The service asks for a token: load the page again to give it one."));
    };
    tell(fault);
    dialog.showModal();
  });
  return asking;
}

function tell(words) {
  find("#token-fault").hidden = words === "";
  find("#token-fault").textContent = words;
}

/**
 * Sends a request. Where the service asks for a token, so does the page.
 *
 * @param {string} path from the page's own address
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} a good one
 * @throws {Error} with the service's own words if the answer is a problem, its `status`, and the series of
 *   a study of which one is to be chosen
 */
export async function ask(path, init = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...init, headers });
  if (response.ok) return response;
  if (response.status === 401) {
    await response.body?.cancel();
    // Unless another request has been given one in the meantime.
    if (sessionStorage.getItem(KEY) === token) {
      if (token !== null) fault = "The token was refused.";
      sessionStorage.removeItem(KEY);
      await askForToken();
    }
    return ask(path, init);
  }
  const { detail, candidates } = await response.json().catch(() => ({}));
  const { status } = response;
  throw Object.assign(new Error(detail ?? `The service answered ${status}`), {
    status,
    candidates,
  });
}

/**
 * The values of an answer that is a line of JSON each, as they come.
 *
 * @param {Response} response
 */
export async function* lines(response) {
  let rest = "";
  for await (const text of chunks(response.body.pipeThrough(new TextDecoderStream()))) {
    const whole = (rest + text).split("\n");
    rest = whole.pop();
    for (const line of whole) yield JSON.parse(line);
  }
}

/** What a stream gives; not every browser can iterate one. */
export async function* chunks(stream) {
  const reader = stream.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
