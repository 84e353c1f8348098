/**
 * Requests to the service that the page came from.
 *
 * @module
 */

const KEY = "mrnet-token";

/** The token may come with the address, behind `#token=`, where no server sees it. */
function takeToken() {
  const given = /^#token=([!-~]+)$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  sessionStorage.setItem(KEY, decodeURIComponent(given));
  history.replaceState(null, "", location.pathname);
}
takeToken();

/** The dialog that is open, so that several requests ask once. */
let asking;

function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = document.querySelector("#token-dialog");
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(KEY, document.querySelector("#token").value.trim());
      asking = undefined;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

/**
 * Sends a request. Where the service asks for a token, so does the page.
 *
 * @param {string} path from the page's own address
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} a good one
 * @throws {Error} with the service's own words where the answer is a problem
 */
export async function ask(path, init = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...init, headers });
  if (response.ok) return response;
  if (response.status === 401) {
    await response.body?.cancel();
    await askForToken();
    return ask(path, init);
  }
  const { detail } = await response.json().catch(() => ({}));
  throw new Error(detail ?? `The service answered ${response.status}`);
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
