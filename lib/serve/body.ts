/** Bodies of requests: counted while they stream in, so that none takes more memory than it may. */
import { eventLoop } from "./loop.ts";
import { busy, Problem } from "./problem.ts";

/** Room for a body that does not say its length. */
const FIRST_BYTES = 65536;

/** Bytes that the bodies of all requests under way may take together. */
export class Budget {
  #taken = 0;

  /** @param bytes how many there are */
  constructor(readonly bytes: number) {}

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes some; false if there are not so many left. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.bytes) return false;
    this.#taken += bytes;
    return true;
  }

  /** Gives some back. */
  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** What a body may take. */
export interface BodyLimits {
  /** The most bytes. */
  most: number;
  /** What it shares with the other requests under way. */
  budget: Budget;
  /** Fires when nobody waits for the answer any more, or time is up. */
  signal: AbortSignal;
  /** Looks at what has come so far, and throws what is wrong with it. */
  check?: (bytes: Uint8Array) => void;
}

/**
 * A body must bring at least so many bytes in each {@linkcode MIN_PROGRESS_INTERVAL_MS}, or the
 * connection is given up.
 */
export const MIN_PROGRESS_BYTES = 16 * 1024;
/** See {@linkcode MIN_PROGRESS_BYTES}; in milliseconds. */
export const MIN_PROGRESS_INTERVAL_MS = 5000;

/** A body in memory; disposing of it gives its bytes back to the budget. */
export interface Body extends Disposable {
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a request's body.
 *
 * @throws {Problem} 413 if it is too large, by what it says or by what comes; 503 if too many
 *   bytes are under way; 400 if it breaks off; 408 if it comes too slowly; and what `check` throws
 * @throws the signal's reason if that fires
 */
export async function readBody(
  request: Request,
  { most, budget, signal, check }: BodyLimits,
): Promise<Body> {
  const claimed = Number(request.headers.get("content-length") ?? 0);
  if (claimed > most) {
    await request.body?.cancel().catch(() => {});
    throw _tooLarge(most);
  }
  const reader = request.body?.getReader();
  if (reader === undefined) return { bytes: new Uint8Array(), [Symbol.dispose]() {} };
  // One buffer from the start: chunks that are joined at the end would be in memory twice.
  let buffer = new ArrayBuffer(claimed > 0 ? claimed : FIRST_BYTES);
  let size = 0;
  const free = () => budget.give(size);
  let stop: (reason: unknown) => void = () => {};
  const abort = () => stop(signal.reason);
  signal.addEventListener("abort", abort);
  let [counted, reading] = [0, true];
  const pace = setInterval(async () => {
    const before = counted;
    counted = size;
    if (size - before >= MIN_PROGRESS_BYTES) return;
    // What has been sent may lie in the connection, unread while something else was computed.
    await eventLoop.free();
    if (reading && size - before < MIN_PROGRESS_BYTES) stop(_tooSlow());
  }, MIN_PROGRESS_INTERVAL_MS);
  let next: ReturnType<typeof _next> | undefined;
  try {
    while (true) {
      signal.throwIfAborted();
      const chunk = _next(reader);
      next = chunk;
      // One promise for the whole body would hold on to every chunk that it was raced with.
      const { done, value } = await new Promise<Awaited<typeof chunk>>((resolve, reject) => {
        stop = reject;
        chunk.then(resolve, reject);
      });
      next = undefined;
      if (done) break;
      eventLoop.step();
      if (size + value.length > most) throw _tooLarge(most);
      if (!budget.take(value.length)) throw busy();
      if (size + value.length > buffer.byteLength) {
        buffer = buffer.transfer(Math.min(most, 2 * (size + value.length)));
      }
      new Uint8Array(buffer).set(value, size);
      size += value.length;
      check?.(new Uint8Array(buffer, 0, size));
    }
    return { bytes: new Uint8Array(buffer.transfer(size)), [Symbol.dispose]: free };
  } catch (error) {
    free();
    // Not while it is being read: Deno 2.9 would keep the buffer of that read for good. The answer ends
    // the connection, and with it the read.
    Promise.resolve(next).catch(() => {}).then(() => reader.cancel()).catch(() => {});
    throw error;
  } finally {
    reading = false;
    clearInterval(pace);
    signal.removeEventListener("abort", abort);
  }
}

async function _next(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch {
    throw new Problem(400, "The body broke off before its end: send it again");
  }
}

function _tooLarge(most: number): Problem {
  return new Problem(
    413,
    `The body has more than ${most} bytes: send the exam as uint8, which takes a byte a voxel, or of a ` +
      "study only the series that are needed, as an archive",
  );
}

function _tooSlow(): Problem {
  return new Problem(
    408,
    `The body comes too slowly: at least ${MIN_PROGRESS_BYTES} bytes in ${
      MIN_PROGRESS_INTERVAL_MS / 1000
    } s are waited for`,
  );
}
