/**
 * The tune split: training exams that are kept out of training. A model, its operating point and
 * the combination of the planes are chosen by them, so that the validation set is used once.
 *
 * Whether an exam belongs to it depends on its id and the seed alone. It is therefore the same for
 * every plane and task, and an exam that one plane lacks moves no other.
 */
import { DataError, OptionError } from "../errors.ts";
import { createRandom } from "../random.ts";
import type { Split } from "../terms.ts";
import type { LabelledId } from "./labels.ts";

/** Which exams of the training set are kept out. */
export interface TuneSplit {
  /** The share that is kept out, above 0 and below 1. */
  fraction: number;
  /** Which exams these are; a whole number of 0 or more. */
  seed: number;
}

/** The default seed, the same for all models, so that models that were made separately can be combined. */
export const TUNE_SEED = 0;

/** Refuses a split that is not valid. */
export function checkTuneSplit({ fraction, seed }: TuneSplit): void {
  if (!(fraction > 0 && fraction < 1)) {
    throw new OptionError(
      `Cannot keep ${fraction} of the training exams out: give a share between 0 and 1, such as 0.1`,
    );
  }
  if (!(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new OptionError(
      `Cannot choose the exams to keep out with seed ${seed}: give a whole number of 0 or more`,
    );
  }
}

/** Whether two splits keep the same exams out; none is the same as none. */
export function isSameTune(one: TuneSplit | undefined, other: TuneSplit | undefined): boolean {
  return one?.fraction === other?.fraction && one?.seed === other?.seed;
}

/**
 * Whether a model that kept out the exams of one split was trained on none of another: a larger
 * fraction by the same seed contains a smaller one.
 *
 * @param kept the exams that it kept out; `undefined` if that is not known
 */
export function coversTuneSplit(kept: TuneSplit | undefined, asked: TuneSplit): boolean {
  return kept !== undefined && kept.seed === asked.seed && kept.fraction >= asked.fraction;
}

/**
 * Whether a training exam is kept out: each id draws a number in [0, 1) and is kept out below the
 * fraction, so a larger fraction keeps the exams of a smaller one and more.
 */
export function isTuneExam(id: string, { fraction, seed }: TuneSplit): boolean {
  return createRandom(seed, "tune", id).uniform() < fraction;
}

/**
 * Refuses a tune split that leaves one of its sides without both classes.
 *
 * @param labels those of the side
 * @param path the label file, for messages
 * @throws {DataError} if a class is missing
 */
export function checkSplitClasses(
  labels: readonly LabelledId[],
  split: Split | "tune" | "fold",
  { fraction, seed }: TuneSplit,
  path: string,
): void {
  const positives = labels.filter(({ label }) => label === 1).length;
  if (positives > 0 && positives < labels.length) return;
  const [side, share] = split === "tune" ? ["kept out", "larger"] : ["left to train on", "smaller"];
  const exams = labels.length === 1 ? "1 exam is" : `${labels.length || "no"} exams are`;
  const classes = labels.length === 0
    ? ""
    : `, ${positives === 0 ? "none" : "all"} with the finding`;
  throw new DataError(
    `Cannot keep a share of ${fraction}, seed ${seed}, of the exams in '${path}' out of training: ` +
      `${exams} ${side}${classes}: give a ${share} share or another seed`,
  );
}
