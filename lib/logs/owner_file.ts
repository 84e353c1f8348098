/**
 * Keeping others out of a folder where the file system knows no locks: a file that only one can make,
 * with its owner's host, process and time, written anew as long as the owner lives.
 *
 * The files are numbered, `run.owner.1` and up; who made the one with the highest number is the owner.
 * An owner that has not written for {@linkcode STALE_MS} was killed: the next one makes the file with
 * the following number, which again only one can. The stale file stays until that one gives the folder
 * back, so that nobody can take a number below it.
 *
 * @module
 */
import { join } from "../files.ts";
import { syncFolder } from "../whole_file.ts";

/** How often an owner writes, in milliseconds. */
const REFRESH_MS = 30_000;

/** After so long without a word an owner is taken to be gone: the longest pause of a training. */
export const STALE_MS = 10 * 60_000;

/** More than a host's name takes, in bytes. */
const LONGEST_TEXT = 500;

const NAME = /^run\.owner\.(\d{1,9})$/;

/** Who holds a folder, as the file says it. */
export interface Owner {
  /** The file. */
  path: string;
  /** Host, process and time in words. */
  who: string;
}

/** A folder that is held by a file. */
export interface OwnerFile {
  /** Whether it is still held: nobody has taken this owner for one that is gone. */
  isHeld(): Promise<boolean>;
  /** Gives the folder back. */
  release(): Promise<void>;
}

interface Numbered {
  path: string;
  number: number;
}

/** Whether a file is named as those are that hold a folder. */
export function isOwnerFile(name: string): boolean {
  return NAME.test(name);
}

/**
 * Takes a folder.
 *
 * @param clock a file of that folder, open to be written: it tells the time of the file system, by
 *   which the files of others are dated
 * @returns nothing if another process has it
 */
export async function takeOwnerFile(
  folder: string,
  clock: Deno.FsFile,
): Promise<OwnerFile | undefined> {
  const who = _self();
  for (;;) {
    const before = await _highest(folder);
    const written = before && await _lastWritten(before);
    if (before !== undefined) {
      if (written === undefined) continue;
      if (!_isStale(written, await _now(clock))) return undefined;
    }
    const path = join(folder, `run.owner.${(before?.number ?? 0) + 1}`);
    if (!await _make(path, who)) continue;
    // Between the look and the making another may have come and gone, and a third begun anew.
    if (before === undefined || await _lastWritten(before) === written) {
      await syncFolder(folder);
      return _hold(folder, path, who);
    }
    await Deno.remove(path);
  }
}

/**
 * Who holds a folder by a file; nothing if nobody does.
 *
 * @param clock as for {@linkcode takeOwnerFile}: without it those that are gone count too
 */
export async function ownerOf(folder: string, clock?: Deno.FsFile): Promise<Owner | undefined> {
  const highest = await _highest(folder);
  const written = highest && await _lastWritten(highest);
  if (highest === undefined || written === undefined) return undefined;
  if (clock !== undefined && _isStale(written, await _now(clock))) return undefined;
  const { path } = highest;
  const { isFile, size } = await Deno.lstat(path);
  // A link may lead to what has no end.
  const text = isFile && size <= LONGEST_TEXT ? await Deno.readTextFile(path) : "";
  return { path, who: text.trim() || "an owner without a name" };
}

function _hold(folder: string, path: string, who: string): OwnerFile {
  const timer = setInterval(() => void _write(path, who, false).catch(() => {}), REFRESH_MS);
  // A process that has nothing else to do may end.
  Deno.unrefTimer(timer);
  return {
    isHeld: async () => (await _highest(folder))?.path === path,
    async release() {
      clearInterval(timer);
      const own = Number(NAME.exec(path.replace(/^.*\//, ""))![1]);
      const all = await _all(folder).catch(() => []);
      // The stale ones first: as long as this one is there nobody begins anew.
      for (const each of all) if (each.number < own) await Deno.remove(each.path).catch(() => {});
      await Deno.remove(path).catch(() => {});
    },
  };
}

/** Makes the file; false if it is there. */
async function _make(path: string, who: string): Promise<boolean> {
  try {
    await _write(path, who, true);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function _write(path: string, who: string, createNew: boolean): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew });
  await file.write(new TextEncoder().encode(`${who}\n`));
  await file.sync();
}

/** This process, from now on. */
function _self(): string {
  const mayAsk = Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state === "granted";
  const host = mayAsk ? `host ${Deno.hostname()}` : "a host without a name";
  return `${host}, process ${Deno.pid}, since ${new Date().toISOString()}`;
}

async function _all(folder: string): Promise<Numbered[]> {
  const all: Numbered[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const number = NAME.exec(name)?.[1];
    if (number !== undefined) all.push({ path: join(folder, name), number: Number(number) });
  }
  return all.sort((a, b) => a.number - b.number);
}

async function _highest(folder: string): Promise<Numbered | undefined> {
  return (await _all(folder)).at(-1);
}

/** When it was written, in milliseconds; nothing if it is gone. */
async function _lastWritten({ path }: Numbered): Promise<number | undefined> {
  try {
    return (await Deno.lstat(path)).mtime?.getTime() ?? Infinity;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function _isStale(written: number, now: number): boolean {
  return now - written >= STALE_MS;
}

/** The time by the file system's own clock, which may be another machine's. */
async function _now(clock: Deno.FsFile): Promise<number> {
  await clock.seek(0, Deno.SeekMode.Start);
  await clock.write(new TextEncoder().encode("\n"));
  await clock.sync();
  return (await clock.stat()).mtime?.getTime() ?? Date.now();
}
