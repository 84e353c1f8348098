/**
 * Files as this toolkit treats them: a file is either whole under its name or not there, and
 * whatever goes wrong is one line that names the file and what to do.
 *
 * @module
 */
import { messageOf, MRNetError, OutputError, PermissionError } from "./errors.ts";

/** A file's place: folder and name joined with `/`, which every system Deno runs on accepts. */
export function join(folder: string, ...names: string[]): string {
  const begin = folder === "" ? "" : folder.replace(/\/*$/, "/");
  return begin + names.join("/");
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "");
}

/** The part of a path before its last name, `.` where there is none. */
export function folderOf(path: string): string {
  const named = path.replace(/(.)[\\/]+$/, "$1");
  const folder = named.replace(/[^\\/]*$/, "").replace(/(.)[\\/]+$/, "$1");
  return folder === "" ? "." : folder;
}

/** What was being done when a file was touched; it chooses the error's class and the flag. */
export interface FileAction {
  /** The beginning of the message, such as `read the labels`. */
  what: string;
  /** The path as the user knows it. */
  path: string;
  /** Which permission the access needs. */
  access: "read" | "write";
  /** Makes the error for everything but a refused permission. */
  error: new (message: string) => MRNetError;
  /** What to do about it; added after a colon. */
  mend?: string;
}

/** True where Deno itself refused the access, not the operating system. */
function isDenoRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable;
}

/** Turns whatever a file access threw into the error a user should see. */
export function fileError(error: unknown, action: FileAction): MRNetError {
  if (error instanceof MRNetError) return error;
  const doing = `Cannot ${action.what} '${action.path}'`;
  if (isDenoRefusal(error)) {
    // Deno's text names the access it missed, which may differ from the one asked for (a rename reads).
    const flag = /--allow-[a-z]+/.exec(messageOf(error))?.[0] ?? `--allow-${action.access}`;
    const grant = `${flag}=${_grantFor(action.path, action.access)}`;
    const hint = /\s/.test(grant) ? `'${grant}'` : grant;
    return new PermissionError(`${doing}: Deno has no permission for it: run again with ${hint}`);
  }
  const mend = action.mend === undefined ? "" : `: ${action.mend}`;
  return new action.error(`${doing}: ${_reason(error)}${mend}`);
}

/**
 * What to grant: of a relative path its first folder, as in `data` for `data/train/axial/0000.npy`,
 * so that one grant serves for the whole run. A file is written by way of a neighbour, so writing
 * one needs its folder.
 */
function _grantFor(path: string, access: "read" | "write"): string {
  const relative = path.replace(/^\.[\\/]+/, "");
  const first = /^(\.\.[\\/])*(?!\.\.?[\\/])[^\\/:]+(?=[\\/])/.exec(relative)?.[0];
  if (first !== undefined) return first;
  return access === "write" && /[^.]\./.test(baseName(path)) ? folderOf(path) : path;
}

/** What to do about a file or folder that cannot be written. */
const MEND_WRITING = "check that the folder can be written and the disk has room";

function _reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (error instanceof Deno.errors.PermissionDenied) return "the system denies access to it";
  if (error instanceof Deno.errors.NotADirectory) return "part of its path is not a folder";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.AlreadyExists) return "it exists already";
  return messageOf(error);
}

/** Reads a whole file. */
export async function readBytes(action: FileAction): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(action.path);
  } catch (error) {
    throw fileError(error, action);
  }
}

/** What a file is made of: bytes, text, or its bytes in parts. */
export type Content = string | Uint8Array | Iterable<Uint8Array>;

/** Makes a folder and those above it; one that exists is fine. */
export async function makeFolder(path: string, what = "make the folder"): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    const taken = error instanceof Deno.errors.AlreadyExists;
    const mend = taken ? "move the file of that name, or choose another folder" : MEND_WRITING;
    throw fileError(error, { what, path, access: "write", error: OutputError, mend });
  }
}

/**
 * Makes a folder and writes an empty file to it, which is removed again: what cannot be written is
 * then found before hours of work and not after them.
 *
 * @throws {OutputError} where the folder cannot be made or written
 * @throws {PermissionError} where Deno may not write and read there
 */
export async function makeWritableFolder(path: string): Promise<void> {
  await makeFolder(path);
  try {
    const probe = join(path, `.${crypto.randomUUID().slice(0, 8)}.probe`);
    await _writeAside(probe, "");
    await Deno.remove(probe);
  } catch (error) {
    const what = "write to the folder";
    throw fileError(error, { what, path, access: "write", error: OutputError, mend: MEND_WRITING });
  }
}

/**
 * Writes a file so that its name never shows half of it: the bytes go to a neighbour, reach the
 * disk, and the neighbour takes the name in one step. What stood there before survives any failure.
 *
 * @param path where the file will be
 * @param content its bytes or text, or its parts in order
 */
export async function writeWhole(path: string, content: Content): Promise<void> {
  try {
    await _writeAside(path, content);
  } catch (error) {
    const what = "write";
    throw fileError(error, { what, path, access: "write", error: OutputError, mend: MEND_WRITING });
  }
}

async function _writeAside(path: string, content: Content): Promise<void> {
  const aside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    const file = await Deno.open(aside, { write: true, createNew: true });
    try {
      for (const part of _parts(content)) await _writeAll(file, part);
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(aside, path);
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw error;
  }
}

function _parts(content: Content): Iterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

async function _writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
