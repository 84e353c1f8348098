/**
 * Where the logs of a run are kept: `logs/{task}/{plane}/{YYYYMMDD-HHMMSS}/`.
 *
 * @module
 */
import { OutputError } from "../errors.ts";
import { fileError, join, makeFolder } from "../files.ts";
import type { Plane, Task } from "../terms.ts";
import { isRunning } from "./run_lock.ts";

/** The names of runs, and of what a run writes; nothing else is ever removed. */
const RUN = /^\d{8}-\d{6}(-\d+)?$/;
/** A file of a run, or the part of one that a killed run left. */
const WRITTEN =
  /^(events\.out\.tfevents\.\d+\.mrnet(\.\d+)?|run\.lock|(history\.csv|config\.json|state\.safetensors)(\.[0-9a-f]{8}\.part)?)$/;

/** `YYYYMMDD-HHMMSS` in local time, as the original script names its runs. */
export function runName(now: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/**
 * Makes the folder of a new run. Where two runs begin in the same second, the later one gets a
 * number at the end of its name.
 *
 * @returns its path
 * @throws {OutputError} where it cannot be made
 */
export async function makeRunFolder(logs: string, task: Task, plane: Plane): Promise<string> {
  const parent = join(logs, task, plane);
  await makeFolder(parent);
  const name = runName(new Date());
  for (let taken = 1;; taken++) {
    const path = join(parent, taken === 1 ? name : `${name}-${taken}`);
    try {
      await Deno.mkdir(path);
      return path;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw fileError(error, {
        what: "make the folder",
        path,
        access: "write",
        error: OutputError,
      });
    }
  }
}

/** The folders of the runs of a task and plane, the latest first; a link is none. */
export async function listRuns(logs: string, task: Task, plane: Plane): Promise<string[]> {
  const parent = join(logs, task, plane);
  try {
    const names = (await _entries(parent)).filter((each) => each.isDirectory && RUN.test(each.name))
      .map(({ name }) => name);
    // The tenth of a second's runs comes behind the ninth.
    const key = (name: string) =>
      name.replace(/-(\d+)$/, (end, n) => n.length < 6 ? `-${n.padStart(9, "0")}` : end);
    return names.sort((a, b) => key(a) < key(b) ? 1 : -1).map((name) => join(parent, name));
  } catch (error) {
    throw fileError(error, {
      what: "look for runs in",
      path: parent,
      access: "read",
      error: OutputError,
    });
  }
}

/**
 * Removes the logs of earlier runs of a task and plane: only folders named like runs, in them only
 * files that runs write, and no link is followed. A run that another process is at work on stays.
 *
 * @returns how many runs were removed
 * @throws {OutputError} where one cannot be removed, or the folder of the task or the plane is a link
 */
export async function flushHistory(logs: string, task: Task, plane: Plane): Promise<number> {
  const parent = join(logs, task, plane);
  let removed = 0;
  try {
    for (const folder of [join(logs, task), parent]) await _refuseLink(folder);
    for (const run of await _entries(parent)) {
      if (!run.isDirectory || !RUN.test(run.name)) continue;
      const folder = join(parent, run.name);
      if (await isRunning(folder)) continue;
      for (const file of await _entries(folder)) {
        if (file.isFile && WRITTEN.test(file.name)) await Deno.remove(join(folder, file.name));
      }
      if ((await _entries(folder)).length > 0) continue;
      await Deno.remove(folder);
      removed++;
    }
  } catch (error) {
    const what = "remove the earlier logs in";
    throw fileError(error, { what, path: parent, access: "write", error: OutputError });
  }
  return removed;
}

/** What is removed lies below the folder of logs and nowhere else. */
async function _refuseLink(folder: string): Promise<void> {
  try {
    if (!(await Deno.lstat(folder)).isSymlink) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new OutputError(
    `Cannot remove the earlier logs in '${folder}': it is a link to another folder: ` +
      "remove the link, or the logs by hand",
  );
}

async function _entries(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
