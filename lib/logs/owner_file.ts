/**
 * A lock for file systems without locks: a file that only one process can make. It holds the owner's
 * host, process and time, and is rewritten as long as the owner lives.
 *
 * The files are numbered from `run.owner.1`; the owner is the process that made the highest number. An
 * owner that has not written for {@linkcode STALE_MS} was killed. The next owner then makes the file
 * with the following number, which again only one process can. The stale file stays until the new owner
 * releases the folder, so that no process can take a lower number.
 */
import { ifThere, join } from "../files.ts";
import { syncFolder } from "../whole_file.ts";

/** How often an owner writes, in milliseconds. */
const REFRESH_MS = 30_000;

/** After so long without a write an owner counts as killed; longer than any pause of a training. */
export const STALE_MS = 10 * 60_000;

/** The largest owner file that is read, in bytes; more than a host's name takes. */
const LONGEST_TEXT = 500;

const NAME = /^run\.owner\.(\d{1,9})$/;

/** The owner of a folder, as its file says. */
export interface Owner {
  /** The file. */
  path: string;
  /** Host, process and time in words. */
  who: string;
}

/** A folder that is held by a file. */
export interface OwnerFile {
  /** Whether it is still held; another process may have taken this owner for a killed one. */
  isHeld(): Promise<boolean>;
  /** Releases the folder. */
  release(): Promise<void>;
}

interface Numbered {
  path: string;
  number: number;
}

/** Whether a file has the name of an owner file. */
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
    // Looked at again: since the first look, one process may have left and another begun from 1.
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
  // Links are not followed: they may lead to a device.
  const text = isFile && size <= LONGEST_TEXT ? await Deno.readTextFile(path) : "";
  return { path, who: text.trim() || "an owner without a name" };
}

function _hold(folder: string, path: string, who: string): OwnerFile {
  const timer = setInterval(() => void _write(path, who, false).catch(() => {}), REFRESH_MS);
  // The timer does not keep the process alive.
  Deno.unrefTimer(timer);
  return {
    isHeld: async () => (await _highest(folder))?.path === path,
    async release() {
      clearInterval(timer);
      const own = Number(NAME.exec(path.replace(/^.*\//, ""))![1]);
      const all = await _all(folder).catch(() => []);
      // Stale files go first: while this one exists, no process begins from 1.
      for (const each of all) if (each.number < own) await Deno.remove(each.path).catch(() => {});
      await Deno.remove(path).catch(() => {});
    },
  };
}

/** Makes the file; false if it exists. */
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

/** Holds the folder for this process. */
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
  const info = await ifThere(Deno.lstat(path));
  return info && (info.mtime?.getTime() ?? Infinity);
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
