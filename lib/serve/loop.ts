/**
 * The event loop of a process whose engine may compute on it: between two parts of an exam, whatever
 * needs no engine goes first.
 *
 * @module
 */

/** How long the loop may be held up until connections are looked after, in milliseconds. */
const HELD_UP = 20;

/** How long others may go first at the least between two parts of an exam, in milliseconds. */
const GIVEN_WAY = 50;

/** And at the most. */
const MOST_GIVEN = 1000;

/** What waits for the event loop and not for the engine. */
export class Loop {
  /** Answers under way that need no engine. */
  #open = 0;
  /** Steps that uploads and downloads have made. */
  #steps = 0;
  /** When connections were looked after last. */
  #freed = -Infinity;

  /** An upload or a download has come a step further, and the next one may follow at once. */
  step(): void {
    this.#steps++;
  }

  /** Does something that needs no engine, which gives way to it. */
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
   * Lets connections and timers have their turn, for as long as anything comes of it: up to the time
   * that they had to wait.
   */
  async free(): Promise<void> {
    // A timer of 0 waits for a millisecond at least, which a small exam takes altogether.
    const start = performance.now();
    const heldUp = start - this.#freed;
    if (heldUp < HELD_UP) {
      return await new Promise((resolve) => {
        if (typeof setImmediate === "function") setImmediate(() => resolve());
        else setTimeout(resolve);
      });
    }
    const end = start + Math.max(GIVEN_WAY, Math.min(heldUp, MOST_GIVEN));
    let before: number;
    do {
      before = this.#steps;
      // Only while nothing is to be done are connections asked for what has come.
      await new Promise((resolve) => setTimeout(resolve));
    } while ((this.#open > 0 || this.#steps !== before) && performance.now() < end);
    this.#freed = performance.now();
  }
}

/** The event loop of this process, which all its handlers share. */
export const eventLoop: Loop = new Loop();
