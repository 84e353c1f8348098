/**
 * The errors that a user can fix. Each message is one line that says what was being done, to which
 * file, what was found and what to do; the command line prints it as it is and exits 1.
 *
 * Anything else that is thrown is a fault of this toolkit.
 */

/** Base class of every error whose message is written for the user. */
export class MRNetError extends Error {
  /** The name of the class that was made, which a stack trace begins with. */
  override name: string = this.constructor.name;
}

/** An exam, a label file or a data folder is missing, broken or does not fit the others. */
export class DataError extends MRNetError {}

/** A file of weights cannot be read, or holds another network. */
export class WeightsError extends MRNetError {}

/** An option has a value outside its range. */
export class OptionError extends MRNetError {}

/** No engine can be had, or the one in use failed. */
export class EngineError extends MRNetError {}

/** Deno refused access; the message names the flag that grants it. */
export class PermissionError extends MRNetError {}

/** A file or folder could not be written, for a reason other than a Deno permission. */
export class OutputError extends MRNetError {}

/** Training cannot go on, for example because the loss is no longer finite. */
export class TrainingError extends MRNetError {}

/** A scheduler or a queue is not there, or refused what it was given. */
export class SubmitError extends MRNetError {}

/** A PACS cannot be reached, refuses what it is asked, or answers with something else. */
export class PacsError extends MRNetError {
  /** True if it is the PACS or the way to it, so that to ask it for something else is of no use now. */
  readonly isDown: boolean;

  /**
   * Makes one.
   *
   * @param isDown see {@linkcode PacsError.isDown}
   */
  constructor(message: string, { isDown = false }: { isDown?: boolean } = {}) {
    super(message);
    this.isDown = isDown;
  }
}

/**
 * What would move a terminal's cursor, change its colours, begin a line or turn the direction of
 * writing.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A text as one line that cannot command the terminal it is shown on: control characters become
 * `\u001b` and the like. That is also how JSON writes them in its strings, so a line of JSON says
 * the same as before.
 */
export function withoutControls(line: string): string {
  return line.replace(CONTROLS, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The longest message, in characters: several screen lines, where some would quote a whole file. */
const LONGEST_MESSAGE = 2000;

/**
 * The message of whatever was thrown, on one line and cut off where it is endless. What a file put
 * into it cannot command the terminal it is printed on.
 */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // Cut off before anything is searched in it; what its lines are indented by is not part of that.
  const lines = text.slice(0, 4 * LONGEST_MESSAGE).split("\n").map((line) => line.trim());
  const joined = lines.filter((line) => line !== "").join(" ");
  const cut = joined.length > LONGEST_MESSAGE || text.length > 4 * LONGEST_MESSAGE;
  const shown = cut ? `${joined.slice(0, LONGEST_MESSAGE - 1)}…` : joined;
  return shown.replace(CONTROLS, "\uFFFD");
}
