/** The studies of a watched PACS: told of as they come, and fetched when somebody opens one. */
import { ask } from "./api.js";
import { withSeriesChosen } from "./dropped.js";
import { passed } from "./words.js";

const find = (selector) => document.querySelector(selector);

/** What stands instead of a split for them. */
export const WATCHED = "pacs";

/** How often the service is asked for new ones, in milliseconds. */
const ASKED_EVERY = 2000;

/** Whether an exam is a study of the PACS that nobody has opened on this page. */
export function isUnopened({ split, isOpened = false }) {
  return split === WATCHED && !isOpened;
}

/**
 * Follows the watch for as long as the page is there.
 *
 * @param {{ revision: number, isDown: boolean }} watch as it was when the page was loaded
 * @param {(studies: object[]) => void} onStudies called with those that are new or have changed
 */
export async function followWatch({ revision, isDown }, onStudies) {
  find("#watch").hidden = false;
  const tell = (words) => {
    if (find("#watch").textContent !== words) find("#watch").textContent = words;
  };
  const state = (isDown) =>
    isDown
      ? "The PACS does not answer: see the watch's own messages."
      : "A PACS is watched: its studies come by themselves.";
  tell(state(isDown));
  while (true) {
    await passed(ASKED_EVERY);
    // Whoever comes back to the page is told then.
    if (document.hidden) continue;
    try {
      const told = await (await ask(`viewer/watch?after=${revision}`)).json();
      revision = told.revision;
      tell(state(told.isDown));
      if (told.studies.length > 0) onStudies(told.studies);
    } catch {
      tell("The watch does not answer: it has ended, or cannot be reached.");
    }
  }
}

/**
 * Has the service fetch a study, and asks which series is meant if several could be.
 *
 * @param {object} exam is told which planes and series it has
 * @throws {Error} with the service's own words if it cannot be shown
 */
export async function openStudy(exam, signal) {
  const facts = await withSeriesChosen(async (chosen) => {
    const query = new URLSearchParams(chosen.map((choice) => ["series", choice]));
    return await (await ask(`viewer/study/${WATCHED}/${exam.id}?${query}`, { signal })).json();
  });
  Object.assign(exam, facts, { isOpened: true });
}
