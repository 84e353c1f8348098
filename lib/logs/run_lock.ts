/**
 * One process at a time in a run's folder: whoever trains there holds a lock, which the system takes
 * back when the process ends, however it ends.
 *
 * @module
 */
import { OutputError } from "../errors.ts";
import { fileError, join } from "../files.ts";

/** The file that is locked; it is empty. */
export const LOCK_FILE = "run.lock";

/** A lock that is held until it is released. */
export interface RunLock {
  /** Gives it back; the file goes. */
  release(): Promise<void>;
}

/**
 * Takes the lock of a folder.
 *
 * @returns nothing where another process holds it
 * @throws {OutputError} where the folder cannot be written
 */
export async function lockRun(folder: string): Promise<RunLock | undefined> {
  const path = join(folder, LOCK_FILE);
  try {
    for (;;) {
      // Opening follows a link out of the folder, and waits at a pipe.
      if ((await _lookAt(path))?.isFile === false) {
        throw new Error(`its ${LOCK_FILE} is not a plain file`);
      }
      const file = await Deno.open(path, { write: true, create: true });
      let held = false;
      try {
        if (!await _hold(file)) return undefined;
        // Whoever held it before may have removed the file between the two.
        held = (await file.stat()).ino === (await _lookAt(path))?.ino;
        if (held) return { release: () => _release(path, file) };
      } finally {
        if (!held) file.close();
      }
    }
  } catch (error) {
    const what = "begin a run in";
    throw fileError(error, { what, path: folder, access: "write", error: OutputError });
  }
}

/** Where the file system knows no locks nobody is kept out, and training goes on. */
async function _hold(file: Deno.FsFile): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch {
    return true;
  }
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
