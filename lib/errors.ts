/**
 * The errors that a user can mend. Each message is one line that says what was being done, to which
 * file, what was found and what to do; the command line prints it as it is and exits 1.
 *
 * Anything else that is thrown is a fault of this toolkit.
 *
 * @module
 */

/** Base class of every error whose message is written for the user. */
export class MRNetError extends Error {
  override name = "MRNetError";
}

/** An exam, a label file or a data folder is missing, broken or does not fit the others. */
export class DataError extends MRNetError {
  override name = "DataError";
}

/** A file of weights cannot be read, or holds another network. */
export class WeightsError extends MRNetError {
  override name = "WeightsError";
}

/** An option has a value outside its range. */
export class OptionError extends MRNetError {
  override name = "OptionError";
}

/** No engine can be had, or the one in use failed. */
export class EngineError extends MRNetError {
  override name = "EngineError";
}

/** Deno refused access; the message names the flag that grants it. */
export class PermissionError extends MRNetError {
  override name = "PermissionError";
}

/** A file or folder could not be written, for a reason other than a Deno permission. */
export class OutputError extends MRNetError {
  override name = "OutputError";
}

/** Training cannot go on, for example because the loss is no longer finite. */
export class TrainingError extends MRNetError {
  override name = "TrainingError";
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, " ").trim();
}
