/**
 * One exam at a time: an engine's arithmetic fills the machine, so two exams at once would only take
 * twice as long, each with memory of its own.
 *
 * @module
 */

/** Work that waits for its turn. */
interface Waiting {
  start(): void;
}

/** How work is queued. */
export interface TurnOptions {
  /** Whoever asked has gone: work that still waits is dropped. */
  signal?: AbortSignal;
  /** Waits until nothing else waits. */
  idle?: boolean;
}

/** Gives turns, first come first served; idle work comes after all other. */
export class Turns {
  #busy = false;
  readonly #waiting: Waiting[] = [];
  readonly #idle: Waiting[] = [];

  /** How much work waits or is being done; idle work that waits is not counted. */
  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }

  /**
   * Does some work when its turn comes.
   *
   * @throws whatever `work` throws; the signal's reason where that fires before the turn has come
   */
  async take<T>(
    work: () => T | Promise<T>,
    { signal, idle = false }: TurnOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#busy) await this.#wait(idle ? this.#idle : this.#waiting, signal);
    this.#busy = true;
    try {
      return await work();
    } finally {
      // The turn is handed over without a gap in which a newcomer could take it.
      const next = this.#waiting.shift() ?? this.#idle.shift();
      if (next === undefined) this.#busy = false;
      else next.start();
    }
  }

  #wait(line: Waiting[], signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.splice(line.indexOf(waiting), 1);
        reject(signal!.reason);
      };
      const waiting = {
        start() {
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      line.push(waiting);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }
}

/**
 * The turns of this process's engine. TensorFlow.js has one current engine, which all handlers of a
 * process share.
 */
export const engineTurns: Turns = new Turns();

/**
 * Lets connections and timers have their turn. WebAssembly computes on the main thread, so a row of
 * exams would hold everything else up.
 */
export function freeTheLoop(): Promise<void> {
  // A timer of 0 waits for a millisecond at least, which a small exam takes altogether.
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(() => resolve());
    else setTimeout(resolve);
  });
}
