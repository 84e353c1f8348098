/**
 * Gives memory back to the system once answers have left much behind. Exams and WebAssembly's
 * memories lie outside the heap that V8 watches, and an idle service collects nothing by itself.
 */

/** How much may be left behind while there is much to do, in bytes: several exams of a usual size. */
const MAX_LEFT = 48 * 1024 * 1024;

/** How much may be left behind else. */
const MAX_LEFT_AT_REST = 12 * 1024 * 1024;

/** Without an answer for so long there is little to do, in milliseconds. */
const REST_MS = 300;

/** Collects what is left behind. */
export class Collection {
  /** The resident size after the last collection, or the least since. */
  #base = Infinity;
  /** When the last answer was looked at. */
  #last = 0;
  #collect: Promise<(() => void) | undefined> | undefined;

  /** To be called after an answer; takes some 50 ms if there is much to collect, else nothing. */
  async check(): Promise<void> {
    const resident = _residentBytes();
    const now = performance.now();
    const isAtRest = now - this.#last > REST_MS;
    this.#last = now;
    if (resident - (isAtRest ? MAX_LEFT_AT_REST : MAX_LEFT) <= this.#base) {
      this.#base = Math.min(this.#base, resident);
      return;
    }
    (await (this.#collect ??= _collector()))?.();
    this.#base = _residentBytes();
  }
}

/** What collects at once; `undefined` if the runtime has no such function. */
async function _collector(): Promise<(() => void) | undefined> {
  try {
    const [v8, vm] = await Promise.all([import("node:v8"), import("node:vm")]);
    // Only contexts that are made after the flag was set have `gc`.
    v8.setFlagsFromString("--expose-gc");
    return vm.runInNewContext("gc");
  } catch {
    return undefined;
  }
}

function _residentBytes(): number {
  return Deno.memoryUsage().rss;
}
