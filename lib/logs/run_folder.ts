/** Where the logs of a run are kept: `logs/{task}/{plane}/{YYYYMMDD-HHMMSS}/`. */
import { OutputError } from "../errors.ts";
import { fileError, ifThere, isMissing, join, makeFolder, syncFolder } from "../files.ts";
import type { Plane, Task } from "../terms.ts";
import { isLockFile, lockRun, type RunLock } from "./run_lock.ts";

/** The names of runs; only folders with such names are ever removed. */
const RUN = /^\d{8}-\d{6}(-\d+)?$/;
/** The names of a run's files, and of unfinished ones that a killed run left. */
const WRITTEN =
  /^(events\.out\.tfevents\.\d+\.mrnet(\.\d+)?|run\.(lock|owner\.\d{1,9})|(history\.csv|curves\.html|config\.json|state\.safetensors)(\.[0-9a-f]{8}\.part)?)$/;

/** Whether a folder has the name of a run. */
export function isRunName(name: string): boolean {
  return RUN.test(name);
}

/** The page of a run's curves, in its folder. */
export const CURVES_FILE = "curves.html";

/** Whether a file has the name of one that a run writes, finished or not. */
export function isRunFile(name: string): boolean {
  return WRITTEN.test(name);
}

/** `YYYYMMDD-HHMMSS` in local time, as the original script names its runs. */
export function runName(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/**
 * Makes the folder of a new run. If two runs begin in the same second, the name of the later one ends in
 * a number.
 *
 * @returns its path
 * @throws {OutputError} if it cannot be made
 */
export async function makeRunFolder(logs: string, task: Task, plane: Plane): Promise<string> {
  const parent = join(logs, task, plane);
  await makeFolder(parent);
  const name = runName(new Date());
  for (let taken = 1;; taken++) {
    const path = join(parent, taken === 1 ? name : `${name}-${taken}`);
    try {
      await Deno.mkdir(path);
      await syncFolder(parent);
      return path;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      const what = "make the folder";
      throw fileError(error, { what, path, access: "write", error: OutputError });
    }
  }
}

/**
 * Makes the folder of a new run and takes its lock. Another process that removes earlier logs at that
 * moment may remove or lock the empty folder; then another folder is made.
 *
 * @returns its path, and the lock
 * @throws {OutputError} if it cannot be made or written
 */
export async function makeLockedRunFolder(
  logs: string,
  task: Task,
  plane: Plane,
): Promise<{ folder: string; lock: RunLock }> {
  for (;;) {
    const folder = await makeRunFolder(logs, task, plane);
    try {
      const lock = await lockRun(folder);
      if (lock !== undefined) return { folder, lock };
    } catch (error) {
      if (!await isMissing(folder)) throw error;
    }
  }
}

/** The folders of the runs of a task and plane, the latest first by name; links are not listed. */
export async function listRuns(logs: string, task: Task, plane: Plane): Promise<string[]> {
  const parent = join(logs, task, plane);
  try {
    const names = (await _entries(parent)).filter((each) =>
      each.isDirectory && isRunName(each.name)
    )
      .map(({ name }) => name);
    // The tenth of a second's runs comes behind the ninth.
    const key = (name: string) =>
      name.replace(/-(\d+)$/, (end, n) => n.length < 6 ? `-${n.padStart(9, "0")}` : end);
    return names.sort((a, b) => key(a) < key(b) ? 1 : -1).map((name) => join(parent, name));
  } catch (error) {
    const what = "look for runs in";
    throw fileError(error, { what, path: parent, access: "read", error: OutputError });
  }
}

/**
 * Removes the logs of earlier runs of a task and plane. Only folders with the name of a run are removed,
 * and only files that runs write; links are not followed. A run that another process works on stays.
 *
 * @returns how many runs were removed
 * @throws {OutputError} if one cannot be removed, or the folder of the task or the plane is a link
 */
export async function flushHistory(logs: string, task: Task, plane: Plane): Promise<number> {
  const parent = join(logs, task, plane);
  let removed = 0;
  try {
    for (const folder of [join(logs, task), parent]) await _refuseLink(folder);
    for (const run of await _entries(parent)) {
      if (!run.isDirectory || !isRunName(run.name)) continue;
      if (await _removeRun(join(parent, run.name))) removed++;
    }
  } catch (error) {
    const what = "remove the earlier logs in";
    throw fileError(error, { what, path: parent, access: "write", error: OutputError });
  }
  return removed;
}

/** Removes a run's files, then its folder if it is empty; false if the folder stays. */
async function _removeRun(folder: string): Promise<boolean> {
  // Locked while files are removed, so that no process resumes from an incomplete run.
  const lock = await lockRun(folder);
  if (lock === undefined) return false;
  try {
    for (const { isFile, name } of await _entries(folder)) {
      if (isFile && !isLockFile(name) && isRunFile(name)) await Deno.remove(join(folder, name));
    }
  } finally {
    await lock.release();
  }
  if ((await _entries(folder)).length > 0) return false;
  // Removes an empty folder only: a run that has begun in it since stays.
  return await Deno.remove(folder).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  });
}

/** Refuses a link: files are removed below the folder of logs and nowhere else. */
async function _refuseLink(folder: string): Promise<void> {
  if (!(await ifThere(Deno.lstat(folder)))?.isSymlink) return;
  throw new OutputError(
    `Cannot remove the earlier logs in '${folder}': it is a link to another folder: ` +
      "remove the link, or the logs by hand",
  );
}

async function _entries(folder: string): Promise<Deno.DirEntry[]> {
  return await ifThere(Array.fromAsync(Deno.readDir(folder))) ?? [];
}
