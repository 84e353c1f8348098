/**
 * Reading and writing files. A file is either whole under its name or does not exist, and each failure
 * is one line that names the file and what to do.
 */
import { messageOf, MRNetError, OptionError, OutputError, PermissionError } from "./errors.ts";
import { type Content, folderOf, mayRead, syncFolder, writeAside } from "./whole_file.ts";

export { type Content, folderOf, syncFolder } from "./whole_file.ts";

/** Joins a folder and names with `/`, which every system that Deno runs on accepts. */
export function join(folder: string, ...names: string[]): string {
  const begin = folder === "" ? "" : folder.replace(/\/*$/, "/");
  return begin + names.join("/");
}

/** The last name of a path. */
export function baseName(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "");
}

/**
 * The path of a file relative to a folder. Both must be relative to the same folder, or both absolute.
 *
 * @throws {OptionError} if the path depends on what is on the disk
 */
export function relativePath(folder: string, file: string): string {
  const [from, to] = [_names(folder), _names(file)];
  const absolute = [folder, file].map((path) => /^([\\/]|[A-Za-z]:)/.test(path));
  let shared = 0;
  while (shared < from.length && from[shared] === to[shared]) shared++;
  const up = from.slice(shared);
  if (absolute[0] !== absolute[1]) {
    // An absolute file is found from anywhere; a relative one is not found from an absolute folder.
    if (absolute[1]) return file;
  } else if (!up.includes("..")) {
    return [...up.map(() => ".."), ...to.slice(shared)].join("/");
  }
  throw new OptionError(
    `Cannot say how '${baseName(file)}' is reached from '${folder}': ` +
      "keep the two together, or give both paths from the root",
  );
}

/** The names of a path; `.` and empty names are dropped, `..` takes the name before it away. */
function _names(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split(/[\\/]+/)) {
    if (name === "" || name === ".") continue;
    if (name === ".." && names.length > 0 && names.at(-1) !== "..") names.pop();
    else names.push(name);
  }
  return names;
}

/** What a file is accessed for; decides on the error's class and on the permission it names. */
export interface FileAction {
  /** The beginning of the message, such as `read the labels`. */
  what: string;
  /** The path as the user gave it. */
  path: string;
  /** Which permission the access needs. */
  access: "read" | "write";
  /** The class of the error, unless Deno refused the permission. */
  error: new (message: string) => MRNetError;
  /** What to do about it; added after a colon. */
  hint?: string;
}

/** Whether Deno refused the access, and not the operating system. */
function isDenoRefusal(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable;
}

/** Makes the error for the user from what a file access threw. */
export function fileError(error: unknown, action: FileAction): MRNetError {
  if (error instanceof MRNetError) return error;
  const doing = `Cannot ${action.what} '${action.path}'`;
  if (isDenoRefusal(error)) {
    // Deno names the missing permission. It may be another than expected: a rename also reads.
    const flag = /--allow-[a-z]+/.exec(messageOf(error))?.[0] ?? `--allow-${action.access}`;
    const grant = `${flag}=${_grantFor(action.path, action.access)}`;
    const given = /\s/.test(grant) ? `'${grant}'` : grant;
    return new PermissionError(`${doing}: Deno has no permission for it: run again with ${given}`);
  }
  const hint = action.hint === undefined ? "" : `: ${action.hint}`;
  return new action.error(`${doing}: ${_reason(error)}${hint}`);
}

/**
 * The path to grant. For a relative path it is the first folder, `data` for
 * `data/train/axial/0000.npy`, so that one grant serves the whole run. To write a file takes its
 * folder, because the bytes are first written beside it.
 */
function _grantFor(path: string, access: "read" | "write"): string {
  const relative = path.replace(/^\.[\\/]+/, "");
  const first = /^(\.\.[\\/])*(?!\.\.?[\\/])[^\\/:]+(?=[\\/])/.exec(relative)?.[0];
  if (first !== undefined) return first;
  return access === "write" && /[^.]\./.test(baseName(path)) ? folderOf(path) : path;
}

/** What to do about a file or folder that cannot be written. */
const HINT_WRITING = "check that the folder can be written and the disk has room";

function _reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (error instanceof Deno.errors.PermissionDenied) return "the system denies access to it";
  if (error instanceof Deno.errors.NotADirectory) return "part of its path is not a folder";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (error instanceof Deno.errors.AlreadyExists) return "it exists already";
  return messageOf(error);
}

/**
 * Makes sure that a path is a plain file, before it is opened. Reading a pipe would wait for its writer,
 * and a device may never end.
 *
 * @throws {Deno.errors.IsADirectory | Error} if it is anything else; also what `Deno.stat` throws
 */
export async function checkPlainFile(path: string): Promise<Deno.FileInfo> {
  const info = await Deno.stat(path);
  if (info.isDirectory) throw new Deno.errors.IsADirectory(path);
  if (!info.isFile) throw new Error("it is not a plain file");
  return info;
}

/** How large a file may be. */
export interface SizeLimit {
  /** The most bytes. */
  most: number;
  /** What to do about a larger one; added after a colon. */
  hint?: string;
}

/**
 * Reads a whole file, which must be a plain one and not too large. Bytes that are appended while it is
 * read are ignored.
 */
export async function readBytes(
  action: FileAction,
  limit: SizeLimit,
): Promise<Uint8Array<ArrayBuffer>> {
  return await withPlainFile(action, (file, size) => fill(file, new Uint8Array(size)), limit);
}

/** Reads the first bytes of a plain file, fewer only if there are no more. */
export async function readBeginning(
  action: FileAction,
  count: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return await withPlainFile(action, (file) => fill(file, new Uint8Array(count)));
}

/** Reads from a file into bytes; gives those that were filled, fewer only if the file ends. */
export async function fill(
  file: Deno.FsFile,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** What a look at a file or folder gives; nothing if there is none of that name. */
export async function ifThere<T>(look: Promise<T>): Promise<T | undefined> {
  return await look.catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
}

/** More than any model has. Without a limit, hashing a huge sparse file would take days. */
const MAX_HASHED_BYTES = 4 * 1024 ** 3;

/**
 * The SHA-256 of a file's bytes, in hexadecimal. The file must be a plain one; it is read in chunks of
 * 1 MB.
 *
 * @param signal ends the hashing
 * @throws the signal's reason if that fires
 */
export async function hashFile(action: FileAction, signal?: AbortSignal): Promise<string> {
  return await withPlainFile(action, (file) => hashOf(file, signal), { most: MAX_HASHED_BYTES });
}

/** The SHA-256 of an open file, from its beginning. */
export async function hashOf(file: Deno.FsFile, signal?: AbortSignal): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const piece = new Uint8Array(1024 * 1024);
  await file.seek(0, Deno.SeekMode.Start);
  for (let count = await file.read(piece); count !== null; count = await file.read(piece)) {
    signal?.throwIfAborted();
    hash.update(piece.subarray(0, count));
  }
  return hash.digest("hex");
}

/** Opens a plain file that is not too large, and closes it after its use. */
export async function withPlainFile<T>(
  action: FileAction,
  use: (file: Deno.FsFile, size: number) => Promise<T>,
  { most, hint }: SizeLimit = { most: Infinity },
): Promise<T> {
  try {
    const { size } = await checkPlainFile(action.path);
    if (size > most) {
      const found = new Error(`it is ${size} bytes long, allowed are ${most}`);
      throw fileError(found, { ...action, hint: hint ?? action.hint });
    }
    using file = await Deno.open(action.path);
    return await use(file, size);
  } catch (error) {
    throw fileError(error, action);
  }
}

/** The SHA-256 of bytes, in hexadecimal. */
export async function sha256Of(bytes: Uint8Array): Promise<string> {
  // No file's bytes are in shared memory, which the digest would refuse.
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}

/**
 * Makes a folder and its parents, and flushes their names to the disk. The folder may exist already.
 *
 * @throws {OutputError} if it cannot be made
 */
export async function makeFolder(path: string, what = "make the folder"): Promise<void> {
  const missing: string[] = [];
  for (let each = path; await isMissing(each); each = folderOf(each)) missing.unshift(each);
  try {
    await Deno.mkdir(path, { recursive: true });
    for (const each of missing) await syncFolder(folderOf(each));
  } catch (error) {
    const taken = error instanceof Deno.errors.AlreadyExists;
    const hint = taken ? "move the file of that name, or choose another folder" : HINT_WRITING;
    throw fileError(error, { what, path, access: "write", error: OutputError, hint });
  }
}

/** Whether nothing has this path; false if that is unknown. */
export async function isMissing(path: string): Promise<boolean> {
  if (!mayRead(path)) return false;
  return await Deno.stat(path).then(() => false, (error) => {
    return error instanceof Deno.errors.NotFound;
  });
}

/**
 * Makes a folder, then writes an empty file to it and removes it again. So a folder that cannot be
 * written is found before hours of work, not after. Unfinished files of killed processes are removed if
 * they are more than a day old.
 *
 * @throws {OutputError} if the folder cannot be made or written
 * @throws {PermissionError} if Deno may not write and read there
 */
export async function makeWritableFolder(path: string): Promise<void> {
  await makeFolder(path);
  try {
    const probe = join(path, `.${crypto.randomUUID().slice(0, 8)}.probe`);
    await writeAside(probe, "");
    await Deno.remove(probe);
    await removeLeftOvers(path);
  } catch (error) {
    const what = "write to the folder";
    throw fileError(error, { what, path, access: "write", error: OutputError, hint: HINT_WRITING });
  }
}

/** The name of an unfinished file: its later name with two endings. */
const ASIDE = /\.[0-9a-f]{8}\.(part|probe)$/;

/** Older than this, an unfinished file was left by a process that is gone; in milliseconds. */
const LEFT_FOR_GOOD = 24 * 60 * 60 * 1000;

/** Whether a name is that of a file that {@linkcode writeWhole} has begun and not finished. */
export function isAside(name: string): boolean {
  return ASIDE.test(name);
}

/** Which files were left by a killed process. */
export interface LeftOvers {
  /** How old they must be, in milliseconds; 0 only if no other process can be writing there. */
  age?: number;
  /** Which names to look at; of these, only files that {@linkcode isAside} accepts are removed. */
  isOurs?: (name: string) => boolean;
}

/** Removes the unfinished files of killed processes from a folder. */
export async function removeLeftOvers(
  folder: string,
  { age = LEFT_FOR_GOOD, isOurs = isAside }: LeftOvers = {},
): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile || !isAside(name) || !isOurs(name)) continue;
    const path = join(folder, name);
    try {
      const { mtime } = await Deno.lstat(path);
      if (mtime !== null && Date.now() - mtime.getTime() >= age) await Deno.remove(path);
    } catch {
      // Another process may have removed it; if not, the file does no harm.
    }
  }
}

/** Whether to replace an existing file. */
export interface WriteOptions {
  /**
   * Asked if the file exists; it stays if the answer is no, even if it was made at the last moment.
   * @default an existing file is replaced
   */
  replace?: () => Promise<boolean>;
}

/**
 * Writes a file whose name never belongs to an unfinished file. The bytes are written beside it and
 * flushed to the disk; then the new file takes the name in one step. An earlier file of that name
 * survives any failure.
 *
 * @param path the path of the file
 * @param content its bytes or text, or its chunks in order
 * @returns whether it was written; false only if {@linkcode WriteOptions.replace} said no
 */
export async function writeWhole(
  path: string,
  content: Content,
  { replace }: WriteOptions = {},
): Promise<boolean> {
  try {
    if (replace === undefined) {
      await writeAside(path, content);
      return true;
    }
    const there = () => Deno.lstat(path).then(({ isFile }) => isFile, () => false);
    const replaced = await there();
    if (replaced && !await replace()) return false;
    return await writeAside(path, content, !replaced);
  } catch (error) {
    const what = "write";
    throw fileError(error, { what, path, access: "write", error: OutputError, hint: HINT_WRITING });
  }
}

/**
 * Writes under a name or, if it is taken, under the first free name with a number: `a-2.json`.
 *
 * @param path the wanted name
 * @param write writes under the name it is given, and says whether it did
 * @returns the path of the file
 */
export async function writeUnderFreeName(
  path: string,
  write: (path: string) => Promise<boolean>,
): Promise<string> {
  for (let taken = 1;; taken++) {
    const own = taken === 1 ? path : path.replace(/(\.[^.\\/]*)?$/, `-${taken}$1`);
    if (await write(own)) return own;
  }
}
