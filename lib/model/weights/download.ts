/**
 * Fetches a large file whose hash is known. The bytes are collected in a partial file, `NAME.part`, which
 * takes the name only when it is whole and its hash is right. A transfer that broke off is continued, by
 * this run or by the next. A second process waits instead of fetching the file too.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, MRNetError, OutputError, PermissionError, WeightsError } from "../../errors.ts";
import { checkPlainFile, fileError, hashOf } from "../../files.ts";
import { redirectOf } from "./redirect.ts";

/** What is fetched, and where to. */
export interface Download {
  /** An `http:` or `https:` address. */
  url: string;
  /** Where the file will be; its folder exists. */
  path: string;
  /** The first digits of its SHA-256 hash, in hexadecimal. */
  hash: string;
  /** What to do when it cannot be fetched; ends the error's message. */
  hint: string;
  /** Is told the bytes that are there and, if known, how many there will be. */
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** Stops the download; what has arrived is kept. */
  signal?: AbortSignal;
  /**
   * Milliseconds to wait before a broken transfer is continued.
   *
   * @default 1000
   */
  pause?: number;
  /**
   * Milliseconds without a byte after which a transfer counts as broken.
   *
   * @default 60000
   */
  patience?: number;
}

/** How often a transfer that still brings bytes is continued. */
const MAX_ATTEMPTS = 10;

/** A transfer that broke off; the bytes that have arrived are kept. */
class Broken extends Error {}

/**
 * Whether the file is there, with this hash.
 *
 * @throws {WeightsError} if it is there and cannot be read
 * @throws {PermissionError} if Deno may not read it
 */
export async function isThere(
  { path, hash, signal }: Pick<Download, "path" | "hash" | "signal">,
): Promise<boolean> {
  try {
    await checkPlainFile(path);
    using file = await Deno.open(path);
    return (await hashOf(file, signal)).startsWith(hash);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    signal?.throwIfAborted();
    throw fileError(error, { what: "read weights", path, access: "read", error: WeightsError });
  }
}

/**
 * Fetches the file; when the promise is fulfilled it is there, whole and with the right hash.
 *
 * @throws {WeightsError} if the server cannot be reached, does not have it, sends on to another
 * address, or has another file
 * @throws {PermissionError} if Deno may not reach the server or write the file
 */
export async function download(job: Download): Promise<void> {
  for (;;) {
    using partial = await openPartial(job);
    if (await isLocked(partial)) {
      // Another process is fetching it: its file is as good as ours.
      job.onProgress?.((await partial.stat()).size, undefined);
      await wait(Math.min(job.pause ?? 1000, 500), job.signal);
      if (await isThere(job)) return;
      continue;
    }
    if (await isThere(job)) {
      if (await isStillNamed(partial, job)) await Deno.remove(partialPath(job)).catch(() => {});
      return;
    }
    // The process that held the lock has given the name away, or removed the file.
    if (!await isStillNamed(partial, job)) continue;
    try {
      await fill(partial, job);
    } catch (error) {
      if ((await partial.stat()).size === 0) await Deno.remove(partialPath(job)).catch(() => {});
      throw error;
    }
    await partial.sync().catch(() => {});
    try {
      return await Deno.rename(partialPath(job), job.path);
    } catch (error) {
      throw outputError(error, job.path);
    }
  }
}

function partialPath(job: Download): string {
  return `${job.path}.part`;
}

async function openPartial(job: Download): Promise<Deno.FsFile> {
  try {
    return await Deno.open(partialPath(job), { read: true, write: true, create: true });
  } catch (error) {
    throw outputError(error, partialPath(job));
  }
}

function outputError(error: unknown, path: string): MRNetError {
  return fileError(error, { what: "write", path, access: "write", error: OutputError });
}

async function isLocked(partial: Deno.FsFile): Promise<boolean> {
  try {
    return !await partial.tryLock(true);
  } catch {
    // A file system without locks: the hash still tells whether two processes got mixed up.
    return false;
  }
}

/** True while the open file is the one under the name `.part`. */
async function isStillNamed(partial: Deno.FsFile, job: Download): Promise<boolean> {
  const named = await Deno.stat(partialPath(job)).catch(() => undefined);
  return named !== undefined && named.ino === (await partial.stat()).ino;
}

async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => signal?.throwIfAborted());
}

/** Fills the partial file until it is the whole file with the right hash. */
async function fill(partial: Deno.FsFile, job: Download): Promise<void> {
  // Bytes of an earlier run may be of another file; then one fresh start is worth it.
  let inherited = (await partial.stat()).size > 0;
  for (;;) {
    await transferAll(partial, job);
    const hash = await hashOf(partial, job.signal);
    if (hash.startsWith(job.hash)) return;
    await partial.truncate(0);
    if (inherited) {
      inherited = false;
      continue;
    }
    const found = `what came has the SHA-256 hash ${hash.slice(0, 16)}…, not ${job.hash}…, ` +
      "and was deleted";
    throw new WeightsError(`Cannot fetch '${job.url}': ${found}: ${job.hint}`);
  }
}

async function transferAll(partial: Deno.FsFile, job: Download): Promise<void> {
  const state: TransferState = { tag: null };
  for (let attempt = 1;; attempt++) {
    const before = (await partial.stat()).size;
    try {
      return await transfer(partial, before, job, state);
    } catch (error) {
      job.signal?.throwIfAborted();
      if (error instanceof MRNetError) throw error;
      const after = (await partial.stat()).size;
      if (error instanceof Broken && after > before && attempt < MAX_ATTEMPTS) {
        await wait(job.pause ?? 1000, job.signal);
        continue;
      }
      const kept = after > 0 ? `; the ${after} bytes that came are kept for the next try` : "";
      const found = `${messageOf(error)}${kept}`;
      throw new WeightsError(`Cannot fetch '${job.url}': ${found}: ${job.hint}`);
    }
  }
}

/** What one transfer tells the next. */
interface TransferState {
  /** The server's tag for the version of the file that is being fetched. */
  tag: string | null;
}

/** One request: the bytes from `have` on, or all of them if the server does not serve ranges. */
async function transfer(
  partial: Deno.FsFile,
  have: number,
  job: Download,
  state: TransferState,
): Promise<void> {
  const stalled = new AbortController();
  const signals = [stalled.signal, ...job.signal === undefined ? [] : [job.signal]];
  const silence = new Error("the server sends nothing any more");
  let timer = setTimeout(() => stalled.abort(silence), job.patience ?? 60_000);
  try {
    const response = await request(job, have, AbortSignal.any(signals), state);
    let at = have;
    if (response.status === 416) {
      await response.body?.cancel();
      // The partial file is as long as the whole, or longer: the first is fine, the second starts again.
      if (response.headers.get("content-range") === `bytes */${have}`) return;
      await partial.truncate(0);
      return await transfer(partial, 0, job, state);
    }
    if (response.status === 200) at = 0;
    else if (!response.headers.get("content-range")?.startsWith(`bytes ${have}-`)) {
      await response.body?.cancel();
      await partial.truncate(0);
      return await transfer(partial, 0, job, state);
    }
    state.tag = response.headers.get("etag");
    const rest = response.headers.get("content-length");
    const total = rest === null ? undefined : at + Number(rest);
    await partial.truncate(at);
    await partial.seek(at, Deno.SeekMode.Start);
    job.onProgress?.(at, total);
    for await (const piece of pieces(response)) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(silence), job.patience ?? 60_000);
      await write(partial, piece, partialPath(job));
      at += piece.length;
      job.onProgress?.(at, total);
    }
    if (total !== undefined && at < total) {
      throw new Broken(`the connection broke off after ${at} of ${total} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
}

async function request(
  job: Download,
  have: number,
  signal: AbortSignal,
  state: TransferState,
): Promise<Response> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (have > 0) {
    headers.set("range", `bytes=${have}-`);
    // A weak tag does not promise equal bytes.
    if (state.tag !== null && !state.tag.startsWith("W/")) headers.set("if-range", state.tag);
  }
  let response: Response;
  try {
    response = await fetch(job.url, { headers, signal, redirect: "manual" });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      const asked = /"([^"]+)"/.exec(messageOf(error))?.[1] ?? new URL(job.url).host;
      const flag = `--allow-net=${asked.replace(/:(443|80)$/, "")}`;
      const found = "Deno has no permission for the network";
      throw new PermissionError(`Cannot fetch '${job.url}': ${found}: run again with ${flag}`);
    }
    if (signal.aborted) throw signal.reason;
    throw new Error("the server cannot be reached");
  }
  if (response.status === 200 || have > 0 && [206, 416].includes(response.status)) return response;
  await response.body?.cancel();
  const elsewhere = redirectOf(response);
  if (elsewhere !== undefined) throw new Error(elsewhere);
  throw new Error(`the server answers ${response.status} ${response.statusText}`.trim());
}

/** The body of a response; a break is told from everything else that can fail. */
async function* pieces(response: Response): AsyncIterable<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read().catch((error) => {
        throw new Broken(`the connection broke off (${messageOf(error)})`);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function write(partial: Deno.FsFile, bytes: Uint8Array, path: string): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) done += await partial.write(bytes.subarray(done));
  } catch (error) {
    throw outputError(error, path);
  }
}
