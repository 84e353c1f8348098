/** The time left of several trainings. */
import { timeLeft } from "../logs/progress.ts";
import type { ExamReport } from "../train/reports.ts";

/**
 * How long nine trainings still take, by what those of this process took. An early stop makes it less,
 * so it is a bound; what was done before this process counts for no time.
 */
export class WholeTime {
  readonly total: number;
  readonly #now: () => number;
  #done: number;
  /** How much was done when the clock was started. */
  #before: number | undefined;
  #begin = 0;

  /** @param models how many there are, and how many of them are done */
  constructor(
    models: { done: number; total: number },
    now: () => number = () => performance.now(),
  ) {
    this.total = models.total;
    this.#done = models.done;
    this.#now = now;
  }

  /** Seconds left after an exam; `undefined` as long as nothing can be said. */
  leftAt({ epoch, phase, done, total }: ExamReport, epochs: number): number | undefined {
    // An exam takes about three times as long to train on as to validate on; the sets differ in size.
    const share = phase === "train" ? 0.9 * done / total : 0.9 + 0.1 * done / total;
    return this.#left(this.#done + (epoch - 1 + share) / epochs);
  }

  /** Seconds left after a model was trained and evaluated; `undefined` if none is left. */
  leftAfterModel(): number | undefined {
    const left = this.#left(++this.#done);
    return this.#done < this.total ? left : undefined;
  }

  #left(models: number): number | undefined {
    if (this.#before === undefined) {
      this.#before = models;
      this.#begin = this.#now();
    }
    const seconds = (this.#now() - this.#begin) / 1000;
    return timeLeft(models / this.total, this.#before / this.total, seconds);
  }
}
