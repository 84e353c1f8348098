/**
 * The file of a unit that failed: the reason, for `status` and `gather` to tell. It decides nothing: that a
 * unit is done is said by `unit.json` alone, and a unit that failed is begun again whenever it is asked for.
 *
 * It is written and removed under the unit's lock. If two processes take the same lock, as may happen where
 * a file system has none, the file at worst tells of a failure that is over.
 */
import { DataError, messageOf } from "../errors.ts";
import {
  checkPlainFile,
  type FileAction,
  fileError,
  isMissing,
  join,
  readBytes,
  writeWhole,
} from "../files.ts";
import { jsonObject, parseJson } from "./done_model.ts";
import { type OpenedPlan, unitFolder } from "./plan_file.ts";

/** The name of the file in a unit's folder. */
export const FAILED_FILE = "failed.json";

const FORMAT = "mrnet-failed-unit";
const VERSION = 1;

/** The largest file that is read, in bytes: a message has at most 2000 characters. */
const MAX_FAILED_BYTES = 64 * 1024;

const MAX_BRACKETS = 100;

const WHAT = "read why a unit failed from";

/** A unit's id, and the plan it is of. */
interface UnitOfPlan {
  /** The SHA-256 of the plan's file. */
  plan: string;
  /** The unit's id. */
  id: string;
}

/** Whether a unit has failed and was not begun again. */
export async function hasFailed(folder: string, unit: { id: string }): Promise<boolean> {
  return !await isMissing(join(unitFolder(folder, unit), FAILED_FILE));
}

/**
 * Reads why a unit failed.
 *
 * @param folder the plan's
 * @returns the message, one line; nothing if the unit has not failed, or did so in another plan
 * @throws {DataError} if the file is anything else
 */
export async function readFailure(
  folder: string,
  { sha256 }: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
): Promise<string | undefined> {
  const path = join(unitFolder(folder, unit), FAILED_FILE);
  const action: FileAction = { what: WHAT, path, access: "read", error: DataError };
  try {
    await checkPlainFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, action);
  }
  const text = new TextDecoder().decode(await readBytes(action, { most: MAX_FAILED_BYTES }));
  return parseFailure(text, path, { plan: sha256, id: unit.id });
}

/**
 * Parses the text of the file.
 *
 * @param path the file, for messages
 * @returns the message, one line; nothing if it is of another plan or unit
 * @throws {DataError} if it is anything else
 */
export function parseFailure(text: string, path: string, of: UnitOfPlan): string | undefined {
  try {
    const file = jsonObject(parseJson(text, MAX_BRACKETS), "the file");
    const { format, version, plan, id, reason } = file;
    if (format !== FORMAT || version !== VERSION) {
      throw new RangeError(`it is not a '${FORMAT}' file of version ${VERSION}`);
    }
    if (typeof reason !== "string") throw new RangeError("it has no reason");
    return plan === of.plan && id === of.id ? messageOf(reason) : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError(`Cannot ${WHAT} '${path}': ${error.message}: remove it`);
  }
}

/** The text of the file, which {@linkcode parseFailure} reads back. */
export function formatFailure({ plan, id }: UnitOfPlan, error: unknown, date = new Date()): string {
  const file = { format: FORMAT, version: VERSION, plan, id, failed: date.toISOString() };
  return JSON.stringify({ ...file, reason: messageOf(error) }) + "\n";
}

/** Notes why a unit failed; what cannot be written is let be, for the reason itself is on its way. */
export async function noteFailure(
  folder: string,
  { sha256 }: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
  error: unknown,
): Promise<void> {
  const path = join(unitFolder(folder, unit), FAILED_FILE);
  await writeWhole(path, formatFailure({ plan: sha256, id: unit.id }, error)).catch(() => {});
}

/** Removes the note, for the unit is begun again. */
export async function clearFailure(folder: string, unit: { id: string }): Promise<void> {
  const path = join(unitFolder(folder, unit), FAILED_FILE);
  await Deno.remove(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return;
    const what = "begin again a unit and remove";
    throw fileError(error, { what, path, access: "write", error: DataError });
  });
}
