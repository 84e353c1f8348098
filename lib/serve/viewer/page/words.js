/** What the page says to whoever is in front of it. */

/** Shows a message above the exam; no words take it away. */
export function tell(words) {
  const message = document.querySelector("#message");
  // Words that stand there already are not said once more.
  if (message.textContent === words) return;
  message.hidden = words === "";
  message.textContent = words;
}

/** Waits for some milliseconds. */
export function passed(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits for the next frame; not for long if there is none, as of a page that nobody sees. */
export function frame() {
  return Promise.race([new Promise(requestAnimationFrame), passed(100)]);
}

/** Announces something to screen readers; nothing if there are no words. */
export function say(words) {
  if (words !== "") document.querySelector("#announce").textContent = words;
}
