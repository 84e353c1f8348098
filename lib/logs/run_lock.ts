/**
 * One process at a time in a run's folder: whoever trains there holds a lock, which the system takes
 * back when the process ends, however it ends. Where the file system knows no locks a file keeps
 * others out, see {@linkcode takeOwnerFile}.
 *
 * @module
 */
import { OutputError } from "../errors.ts";
import { fileError, join } from "../files.ts";
import { isOwnerFile, ownerOf, STALE_MS, takeOwnerFile } from "./owner_file.ts";

/** The file that is locked; nothing of worth is in it. */
const LOCK_FILE = "run.lock";

/** What keeps others out: the system's lock, or a file where there are none. */
export type LockKind = "system" | "file";

/** A lock that is held until it is released. */
export interface RunLock {
  kind: LockKind;
  /**
   * Makes sure that the folder is still held.
   *
   * @throws {OutputError} if another process has taken this one for one that was killed
   */
  check(): Promise<void>;
  /** Gives it back; the file goes. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a folder.
 *
 * @returns nothing where another process holds it
 * @throws {OutputError} if the folder cannot be written
 */
export async function lockRun(folder: string): Promise<RunLock | undefined> {
  const path = join(folder, LOCK_FILE);
  try {
    for (;;) {
      // Opening follows a link out of the folder, and waits at a pipe; what has a second name is
      // somebody's, and the file's time is set by writing to it.
      const there = await _lookAt(path);
      if (there !== undefined && (!there.isFile || (there.nlink ?? 1) > 1)) {
        throw new Error(`its ${LOCK_FILE} is not a plain file`);
      }
      const file = await Deno.open(path, { write: true, create: true });
      let lock: RunLock | undefined;
      try {
        const locked = await _hold(file);
        if (locked === false) return undefined;
        if (locked === undefined) {
          lock = await _lockByFile(folder, path, file);
          return lock;
        }
        // Whoever held it before may have removed the file between the two.
        if ((await file.stat()).ino !== (await _lookAt(path))?.ino) continue;
        // Another machine may know no locks where this one does.
        if (await ownerOf(folder, file) !== undefined) return undefined;
        const check = () => Promise.resolve();
        lock = { kind: "system", check, release: () => _release(path, file) };
        return lock;
      } finally {
        if (lock === undefined) file.close();
      }
    }
  } catch (error) {
    const what = "begin a run in";
    throw fileError(error, { what, path: folder, access: "write", error: OutputError });
  }
}

/** Whether a file belongs to what keeps others out, by its name. */
export function isLockFile(name: string): boolean {
  return name === LOCK_FILE || isOwnerFile(name);
}

/** Who is at work in a folder, as words behind "another process". */
export async function describeHolder(folder: string): Promise<string> {
  const owner = await ownerOf(folder).catch(() => undefined);
  if (owner === undefined) return "";
  return ` (${owner.who}; if it was killed, wait ${
    STALE_MS / 60_000
  } minutes from then or remove ` +
    `'${owner.path}')`;
}

/** Whether the system gives the lock; nothing where it knows none, or fails to say. */
async function _hold(file: Deno.FsFile): Promise<boolean | undefined> {
  try {
    return await file.tryLock(true);
  } catch {
    return undefined;
  }
}

async function _lockByFile(
  folder: string,
  path: string,
  file: Deno.FsFile,
): Promise<RunLock | undefined> {
  const own = await takeOwnerFile(folder, file);
  if (own === undefined) return undefined;
  return {
    kind: "file",
    async check() {
      if (await own.isHeld()) return;
      throw new OutputError(
        `Cannot go on writing to '${folder}': another process has taken it over${await describeHolder(
          folder,
        )}: let that one end, or stop it and go on with --resume`,
      );
    },
    async release() {
      await own.release();
      await _release(path, file);
    },
  };
}

async function _lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function _release(path: string, file: Deno.FsFile): Promise<void> {
  // Removed while it is held, so that nobody else's is; where that cannot be, closing is enough.
  await Deno.remove(path).catch(() => {});
  file.close();
}
