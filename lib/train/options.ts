/**
 * How to train: the options of the loop, their defaults and their ranges.
 *
 * @module
 */
import { OptionError } from "../errors.ts";
import { type ScheduleName, SCHEDULES } from "./schedule.ts";
import type { EpochReport, ExamReport } from "./trainer.ts";

/** How to train; the defaults are the reference's, {@linkcode TRAIN_DEFAULTS}. */
export interface TrainOptions {
  /**
   * At most this many passes over the training set; a whole number, at least 1.
   * @default 50
   */
  epochs?: number;
  /**
   * Step size of Adam at the start, above 0.
   * @default 1e-5
   */
  learningRate?: number;
  /**
   * How the learning rate changes from epoch to epoch.
   * @default "plateau"
   */
  schedule?: ScheduleName;
  /**
   * The factor of the `step` schedule, above 0.
   * @default 0.5
   */
  gamma?: number;
  /**
   * Stop after this many epochs without a lower validation loss; a whole number, at least 1.
   * @default 5
   */
  patience?: number;
  /**
   * Share of each parameter added to its gradient, 0 or more.
   * @default 0.1
   */
  weightDecay?: number;
  /**
   * Rotate, shift and flip the training exams at random.
   * @default true
   */
  augment?: boolean;
  /**
   * Visit the training exams in a new random order each epoch.
   * @default true
   */
  shuffle?: boolean;
  /** Where shuffling and augmentation start; drawn at random where it is left out. */
  seed?: number;
  /** Ends training after the exam at hand. */
  signal?: AbortSignal;
  /** Called after each exam, of training and of validation. */
  onExam?: (report: ExamReport) => void;
  /**
   * Called after each epoch, and awaited: the place to keep the model when `isBest` says so. The
   * parameters do not change until it returns.
   */
  onEpoch?: (report: EpochReport) => void | Promise<void>;
}

/** The settings of the reference. */
export const TRAIN_DEFAULTS = {
  epochs: 50,
  learningRate: 1e-5,
  schedule: "plateau" as ScheduleName,
  gamma: 0.5,
  patience: 5,
  weightDecay: 0.1,
  augment: true,
  shuffle: true,
};

/** Options with nothing left open but what the caller alone can give. */
export type ResolvedTrainOptions = TrainOptions & typeof TRAIN_DEFAULTS;

/**
 * Fills in the defaults and checks every value.
 *
 * @throws {OptionError} where a value is out of its range
 */
export function resolveTrainOptions(options: TrainOptions): ResolvedTrainOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedTrainOptions = { ...TRAIN_DEFAULTS, ...Object.fromEntries(given) };
  for (const name of ["epochs", "patience"] as const) {
    const value = resolved[name];
    if (!(Number.isInteger(value) && value >= 1)) {
      throw _refusal(name, value, "a whole number of at least 1");
    }
  }
  for (const name of ["learningRate", "gamma"] as const) {
    const value = resolved[name];
    if (!(Number.isFinite(value) && value > 0)) throw _refusal(name, value, "a number above 0");
  }
  const { weightDecay, schedule, seed } = resolved;
  if (!SCHEDULES.includes(schedule)) {
    throw _refusal("schedule", `'${schedule}'`, `one of ${SCHEDULES.join(", ")}`);
  }
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw _refusal("seed", seed, "a whole number of 0 or more");
  }
  if (!(Number.isFinite(weightDecay) && weightDecay >= 0)) {
    throw _refusal("weightDecay", weightDecay, "a number of 0 or more");
  }
  return resolved;
}

function _refusal(name: string, value: number | string, range: string): OptionError {
  return new OptionError(`Cannot train with ${name} ${value}: give ${range}`);
}
