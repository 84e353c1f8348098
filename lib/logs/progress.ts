/** A progress line for a terminal, as text; who shows it is the caller's business. */

/** How far something is. */
export interface Progress {
  /** What is going on, such as `epoch 1/5 train`. */
  label: string;
  /** How many units are done. */
  done: number;
  /** How many there are. */
  total: number;
  /** How long it took so far, in seconds. */
  seconds: number;
  /**
   * How many units were done before those seconds began.
   * @default 0
   */
  before?: number;
  /** What a unit is, in the plural. */
  unit: string;
  /** More to show where there is room, most important first. */
  details?: readonly string[];
}

const BAR = 20;

/**
 * One line: label, bar, count, rate, time left, details. Details that do not fit are left out.
 *
 * @param width the terminal's columns; the line is shorter than that
 */
export function progressLine(progress: Progress, width: number): string {
  const { label, done, total, seconds, before = 0, unit, details = [] } = progress;
  const filled = total > 0 ? Math.min(BAR, Math.floor(done / total * BAR)) : 0;
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  const rate = seconds > 0 ? (done - before) / seconds : 0;
  const pieces = [`${label} ${bar} ${done}/${total}`];
  if (rate > 0) {
    pieces.push(`${rate.toFixed(rate < 10 ? 2 : 0)} ${unit}/s`);
    pieces.push(`${clock((total - done) / rate)} left`);
  }
  let line = "";
  for (const piece of [...pieces, ...details]) {
    const longer = line === "" ? piece : `${line}  ${piece}`;
    if (longer.length >= width) break;
    line = longer;
  }
  return line;
}

/**
 * How long the phase at hand has lasted. A phase begins where what came before it was last heard of,
 * not when its first unit is done, and a phase that is gone on with has units that took no time here.
 */
export class PhaseTimer {
  readonly #now: () => number;
  #phase: string | undefined;
  #begin: number;
  #before = 0;
  #last: number;

  /** @param now a clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#begin = this.#last = now();
  }

  /** Called between two phases, so that what took time there counts to neither. */
  mark(): void {
    this.#last = this.#now();
  }

  /**
   * Called after each unit.
   *
   * @param phase any name; another one than before begins a phase
   * @param done how many units of the phase are done, this one included
   * @returns what {@linkcode Progress} has of the same names
   */
  at(phase: string, done: number): { seconds: number; before: number } {
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#begin = this.#last;
      this.#before = done - 1;
    }
    this.#last = this.#now();
    return { seconds: (this.#last - this.#begin) / 1000, before: this.#before };
  }
}

/**
 * The time left of something whole, of which shares are done.
 *
 * @param share how much is done, 0 to 1
 * @param before how much of it was done before the seconds began
 * @param seconds what the rest of it took
 * @returns in seconds; `undefined` as long as nothing can be said
 */
export function timeLeft(share: number, before: number, seconds: number): number | undefined {
  return share > before && seconds > 0 ? seconds * (1 - share) / (share - before) : undefined;
}

/** A duration as `m:ss`, or `h:mm:ss` from an hour up. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}
