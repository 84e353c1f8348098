/** Tells the service that somebody uses the page: it reads the list in the background, and only in pauses. */
import { ask } from "./api.js";

/** How often it is told at most, in milliseconds; what the service takes for a pause is longer. */
const TOLD_EVERY = 200;

/** What somebody does who uses the page. */
const EVENTS = ["scroll", "wheel", "keydown", "pointerdown", "input"];

/**
 * Tells of it from now on.
 *
 * @param {() => boolean} isReading whether the service reads the list
 */
export function tellOfUse(isReading) {
  let told = -Infinity;
  let isTelling = false;
  const tell = async () => {
    const now = performance.now();
    if (isTelling || now - told < TOLD_EVERY || !isReading()) return;
    [isTelling, told] = [true, now];
    // Whoever does not hear of it only reads on.
    await ask("viewer/use", { method: "POST" }).catch(() => {});
    isTelling = false;
  };
  for (const event of EVENTS) addEventListener(event, tell, { capture: true, passive: true });
}
