/**
 * Small files in a unit's folder that say something about it, such as why it failed: JSON that names the
 * plan and the unit they are of. None of them says that a unit is done; `unit.json` alone does.
 *
 * They are written and removed under the unit's lock. Nothing in them is taken on trust.
 */
import { DataError } from "../errors.ts";
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

/** A kind of note. */
export interface NoteKind<T> {
  /** The name of the file in a unit's folder. */
  file: string;
  /** What the file calls itself. */
  format: string;
  /** What is done by reading it, to stand before its path: `read why a unit failed from`. */
  what: string;
  /** What it says, from its JSON; throws a `RangeError` if it says anything else. */
  parse: (value: Readonly<Record<string, unknown>>) => T;
}

/** A unit's id, and the plan it is of. */
export interface UnitOfPlan {
  /** The SHA-256 of the plan's file. */
  plan: string;
  /** The unit's id. */
  id: string;
}

const VERSION = 1;

/** The largest file that is read, in bytes: a message has at most 2000 characters. */
const MAX_NOTE_BYTES = 64 * 1024;

const MAX_BRACKETS = 100;

/** Whether a unit has a note of a kind, whatever it says. */
export async function hasNote(
  folder: string,
  unit: { id: string },
  { file }: Pick<NoteKind<unknown>, "file">,
): Promise<boolean> {
  return !await isMissing(join(unitFolder(folder, unit), file));
}

/**
 * Reads a note.
 *
 * @param folder the plan's
 * @returns nothing if there is none, or it is of another plan or unit
 * @throws {DataError} if the file is anything else
 */
export async function readNote<T>(
  folder: string,
  { sha256 }: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
  kind: NoteKind<T>,
): Promise<T | undefined> {
  const path = join(unitFolder(folder, unit), kind.file);
  const action: FileAction = { what: kind.what, path, access: "read", error: DataError };
  try {
    await checkPlainFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw fileError(error, action);
  }
  const text = new TextDecoder().decode(await readBytes(action, { most: MAX_NOTE_BYTES }));
  return parseNote(text, path, { plan: sha256, id: unit.id }, kind);
}

/** Parses the text of a note; see {@linkcode readNote}. */
export function parseNote<T>(
  text: string,
  path: string,
  of: UnitOfPlan,
  { format, what, parse }: NoteKind<T>,
): T | undefined {
  try {
    const file = jsonObject(parseJson(text, MAX_BRACKETS), "the file");
    if (file.format !== format || file.version !== VERSION) {
      throw new RangeError(`it is not a '${format}' file of version ${VERSION}`);
    }
    const said = parse(file);
    return file.plan === of.plan && file.id === of.id ? said : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DataError(`Cannot ${what} '${path}': ${error.message}: remove it`);
  }
}

/** The text of a note, which {@linkcode parseNote} reads back. */
export function formatNote(
  { plan, id }: UnitOfPlan,
  { format }: Pick<NoteKind<unknown>, "format">,
  said: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({ format, version: VERSION, plan, id, ...said }) + "\n";
}

/**
 * Writes a note whole.
 *
 * @throws {OutputError} if it cannot be written
 */
export async function writeNote(
  folder: string,
  { sha256 }: Pick<OpenedPlan, "sha256">,
  unit: { id: string },
  kind: Pick<NoteKind<unknown>, "file" | "format">,
  said: Readonly<Record<string, unknown>>,
): Promise<void> {
  const text = formatNote({ plan: sha256, id: unit.id }, kind, said);
  await writeWhole(join(unitFolder(folder, unit), kind.file), text);
}

/** Removes a file of a unit, if it is there. */
export async function removeUnitFile(
  folder: string,
  unit: { id: string },
  name: string,
): Promise<void> {
  const path = join(unitFolder(folder, unit), name);
  await Deno.remove(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return;
    const what = "begin a unit again and remove";
    throw fileError(error, { what, path, access: "write", error: DataError });
  });
}
