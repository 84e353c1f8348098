/**
 * Why a unit failed, for `status` and `gather` to tell. It decides nothing: a unit that failed is begun
 * again whenever it is asked for. If two processes take the same lock, as may happen where a file system
 * has none, the file at worst tells of a failure that is over.
 */
import { messageOf } from "../errors.ts";
import type { OpenedPlan } from "./plan_file.ts";
import { hasNote, type NoteKind, readNote, removeUnitFile, writeNote } from "./unit_note.ts";

/** The file: the message of the error, one line. */
export const FAILURE: NoteKind<string> = {
  file: "failed.json",
  format: "mrnet-failed-unit",
  what: "read why a unit failed from",
  parse({ reason }) {
    if (typeof reason === "string") return messageOf(reason);
    throw new RangeError("it has no reason");
  },
};

/** What the file says of an error. */
export function describeFailure(error: unknown, date = new Date()): Record<string, unknown> {
  return { failed: date.toISOString(), reason: messageOf(error) };
}

/** Whether a unit has failed and was not begun again. */
export async function hasFailed(folder: string, unit: { id: string }): Promise<boolean> {
  return await hasNote(folder, unit, FAILURE);
}

/**
 * Reads why a unit failed.
 *
 * @param folder the plan's
 * @returns the message; nothing if the unit has not failed
 * @throws {DataError} if the file is anything else
 */
export async function readFailure(
  folder: string,
  opened: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
): Promise<string | undefined> {
  return await readNote(folder, opened, unit, FAILURE);
}

/** Notes why a unit failed; if that cannot be written, the error itself still tells it. */
export async function noteFailure(
  folder: string,
  opened: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
  error: unknown,
): Promise<void> {
  await writeNote(folder, opened, unit, FAILURE, describeFailure(error)).catch(() => {});
}

/** Removes the note, for the unit is begun again. */
export async function clearFailure(folder: string, unit: { id: string }): Promise<void> {
  await removeUnitFile(folder, unit, FAILURE.file);
}
