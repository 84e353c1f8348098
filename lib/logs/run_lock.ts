/**
 * The lock of a run's folder, so that one process at a time trains there. The system releases it when
 * the process ends, however it ends. On file systems without locks, a file serves instead: see
 * {@linkcode takeOwnerFile}.
 */
import { OutputError } from "../errors.ts";
import { fileError, ifThere, join } from "../files.ts";
import { isOwnerFile, ownerOf, STALE_MS, takeOwnerFile } from "./owner_file.ts";

/** The file that is locked; its content does not matter. */
const LOCK_FILE = "run.lock";

/** The system's lock, or a file if the file system has no locks. */
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
  /** Releases it and removes the file. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a folder.
 *
 * @returns nothing if another process holds it
 * @throws {OutputError} if the folder cannot be written
 */
export async function lockRun(folder: string): Promise<RunLock | undefined> {
  const path = join(folder, LOCK_FILE);
  try {
    for (;;) {
      // Opening follows a link out of the folder, and waits at a pipe; what has a second name is
      // somebody's, and the file's time is set by writing to it.
      const there = await ifThere(Deno.lstat(path));
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
        // The earlier holder may have removed the file between opening and locking.
        if ((await file.stat()).ino !== (await ifThere(Deno.lstat(path)))?.ino) continue;
        // Another machine may have no locks on the same file system.
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

/** Whether a file has the name of a lock file or an owner file. */
export function isLockFile(name: string): boolean {
  return name === LOCK_FILE || isOwnerFile(name);
}

/** The process that works in a folder, in words to follow "another process". */
export async function describeHolder(folder: string): Promise<string> {
  const owner = await ownerOf(folder).catch(() => undefined);
  if (owner === undefined) return "";
  return ` (${owner.who}; if it was killed, wait ${
    STALE_MS / 60_000
  } minutes from then or remove ` +
    `'${owner.path}')`;
}

/** Whether the system grants the lock; nothing if it has no locks, or fails. */
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

async function _release(path: string, file: Deno.FsFile): Promise<void> {
  // Removed while held, so it is this process's file; if that fails, closing releases the lock.
  await Deno.remove(path).catch(() => {});
  file.close();
}
