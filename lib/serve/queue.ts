/**
 * One exam at a time: an engine uses the whole machine, so two exams at once would take twice as long
 * and twice the memory.
 */
import { Problem } from "./problem.ts";

/** Work that waits for its turn. */
interface Waiting {
  /** Until when it must be done. */
  until: number;
  start(): void;
  refuse(reason: unknown): void;
}

/** How work is queued. */
export interface TurnOptions {
  /** Fires when the client has gone: work that still waits is dropped. */
  signal?: AbortSignal;
  /** Whether it waits until nothing else waits. */
  idle?: boolean;
  /**
   * By when it must be done, in milliseconds of `performance.now()`. It is refused
   * as soon as those before it are known to take longer.
   * @default whenever its turn comes
   */
  until?: number;
}

/** Weight of the last turn in the running mean of what a turn takes. */
const WEIGHT = 1 / 4;

/** What a turn is assumed to take before the first one, in milliseconds. */
const UNKNOWN = 2000;

/** Gives turns, first come first served; idle work comes after all other. */
export class Turns {
  #busy = false;
  #cold = true;
  /** When the turn under way began. */
  #begun = 0;
  /** What a turn with an end usually takes, in milliseconds, once there was one. */
  #usual: number | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #idle: Waiting[] = [];

  /** How much work waits or is being done; idle work that waits is not counted. */
  get length(): number {
    return this.#waiting.length + (this.#busy ? 1 : 0);
  }

  /** When all that waits will have been done, in milliseconds of `performance.now()`. */
  get end(): number {
    const now = performance.now();
    const usual = this.#usual ?? UNKNOWN;
    const busy = this.#busy ? Math.max(now, this.#begun + usual) : now;
    return busy + usual * this.#waiting.length;
  }

  /**
   * Does some work when its turn comes.
   *
   * @throws whatever `work` throws; the signal's reason if that fires before the turn has come
   * @throws {Problem} 429 if the turn would come too late
   */
  async take<T>(work: () => T | Promise<T>, options: TurnOptions = {}): Promise<T> {
    const { signal, idle = false, until } = options;
    signal?.throwIfAborted();
    if (this.#busy) {
      const turn = this.#wait(idle ? this.#idle : this.#waiting, options);
      this.#review(this.#begun + (this.#usual ?? 0));
      await turn;
    }
    this.#busy = true;
    this.#begun = performance.now();
    try {
      const done = await work();
      if (until !== undefined) this.#learn(performance.now() - this.#begun);
      return done;
    } catch (error) {
      // A turn that was aborted would have taken longer still.
      const took = performance.now() - this.#begun;
      if (until !== undefined && took > (this.#usual ?? 0)) this.#learn(took);
      throw error;
    } finally {
      this.#review(0);
      // The turn is handed over directly, so that no newcomer can take it in between.
      const next = this.#waiting.shift() ?? this.#idle.shift();
      if (next === undefined) this.#busy = false;
      else next.start();
    }
  }

  #learn(took: number): void {
    // The first turn also compiles the kernels, so it does not count.
    if (this.#cold) return void (this.#cold = false);
    this.#usual = this.#usual === undefined ? took : this.#usual + WEIGHT * (took - this.#usual);
  }

  /**
   * Refuses what cannot be done in time.
   *
   * @param free when the turn under way ends, at the earliest now
   */
  #review(free: number): void {
    const usual = this.#usual;
    if (usual === undefined) return;
    let start = Math.max(free, performance.now());
    for (const waiting of [...this.#waiting]) {
      if (start + usual <= waiting.until) start += usual;
      else waiting.refuse(tooMany("The exams that wait already take longer than this may", start));
    }
  }

  #wait(line: Waiting[], { signal, until = Infinity }: TurnOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (reason: unknown) => {
        line.splice(line.indexOf(waiting), 1);
        signal?.removeEventListener("abort", leave);
        reject(reason);
      };
      const leave = () => refuse(signal!.reason);
      const waiting = {
        until,
        refuse,
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

/** Positions of requests that wait for the same turns. */
export class Positions {
  #taken = 0;
  readonly #turns: Turns;
  readonly #most: number;

  /**
   * @param turns what they wait for
   * @param most how many may wait beside the one whose turn it is
   */
  constructor(turns: Turns, most: number) {
    this.#turns = turns;
    this.#most = most;
  }

  /** How many are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** @throws {Problem} 429 if all are taken */
  check(): void {
    if (this.#taken <= this.#most) return;
    throw tooMany(`${this.#taken} exams are waiting already`, this.#turns.end);
  }

  /**
   * Takes one; disposing of it gives it back.
   *
   * @throws {Problem} 429 if all are taken
   */
  take(): Disposable {
    this.check();
    this.#taken++;
    let isGiven = false;
    return {
      [Symbol.dispose]: () => {
        if (!isGiven) this.#taken--;
        isGiven = true;
      },
    };
  }
}

/**
 * The answer to a request that the queue does not accept.
 *
 * @param what why
 * @param end when the others will have been done, in milliseconds of `performance.now()`
 */
export function tooMany(what: string, end: number): Problem {
  const seconds = Math.max(1, Math.ceil((end - performance.now()) / 1000));
  return new Problem(429, `${what}: try again in ${seconds} s`, { "retry-after": `${seconds}` });
}

/**
 * The turns of this process's engine. TensorFlow.js has one current engine, which all handlers of a
 * process share.
 */
export const engineTurns: Turns = new Turns();

/**
 * The turns of reading studies, which takes no engine: a study that is slow to read keeps no exam from
 * being computed, and no two studies are in memory at once.
 */
export const studyTurns: Turns = new Turns();
