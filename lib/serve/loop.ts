/**
 * The event loop of a process whose engine may compute on it: between two chunks of an exam,
 * whatever needs no engine goes first.
 */

/** How long connections may wait before they get time of their own, in milliseconds. */
const MAX_DELAY_MS = 20;

/** The least time that they get between two chunks of an exam, in milliseconds. */
const MIN_YIELD_MS = 50;

/** The most time that they get, in milliseconds. */
const MAX_YIELD_MS = 1000;

/** What waits for the event loop and not for the engine. */
export class Loop {
  /** Answers under way that need no engine. */
  #open = 0;
  /** Steps that uploads and downloads have made. */
  #steps = 0;
  /** When connections last got time of their own. */
  #freed = -Infinity;

  /** An upload or a download has come a step further, and the next one may follow at once. */
  step(): void {
    this.#steps++;
  }

  /** Does something that needs no engine; the engine waits for it. */
  async first<T>(work: () => T | Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await work();
    } finally {
      this.#open--;
      this.#steps++;
    }
  }

  /**
   * Yields to the event loop: connections and timers have their turn, as long as they make progress.
   * They get as much time as they had to wait, within the limits above.
   */
  async free(): Promise<void> {
    // A timer of 0 waits for at least a millisecond; a whole small exam takes no longer.
    const start = performance.now();
    const delay = start - this.#freed;
    if (delay < MAX_DELAY_MS) {
      return await new Promise((resolve) => {
        if (typeof setImmediate === "function") setImmediate(() => resolve());
        else setTimeout(resolve);
      });
    }
    const end = start + Math.max(MIN_YIELD_MS, Math.min(delay, MAX_YIELD_MS));
    let before: number;
    do {
      before = this.#steps;
      // Deno asks connections for new data only while nothing else is to be done.
      await new Promise((resolve) => setTimeout(resolve));
    } while ((this.#open > 0 || this.#steps !== before) && performance.now() < end);
    this.#freed = performance.now();
  }
}

/** The event loop of this process, which all its handlers share. */
export const eventLoop: Loop = new Loop();
