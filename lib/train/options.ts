/**
 * How to train: the options of the loop, their defaults and their ranges.
 *
 * @module
 */
import { parseShift, type Shift, SHIFT_RULE } from "../data/augment.ts";
import { INTENSITIES, type Intensity } from "../data/intensity.ts";
import { OptionError } from "../errors.ts";
import {
  LOSS_WEIGHTS,
  type LossWeights,
  RECIPE_NAMES,
  type RecipeName,
  type RecipeParts,
  RECIPES,
} from "../model/recipe.ts";
import { type ScheduleName, SCHEDULES } from "./schedule.ts";
import type { EpochReport, ExamReport } from "./reports.ts";

/** How to train; the defaults are the reference's, {@linkcode TRAIN_DEFAULTS}. */
export interface TrainOptions {
  /**
   * Sets all that makes a recipe; an option given beside it counts more than its part.
   * @default "reference"
   */
  recipe?: RecipeName;
  /**
   * How the grey values of an exam become the input. It belongs to the model, so {@linkcode train}
   * only checks that the model's is the same.
   * @default the recipe's where one is given, otherwise the model's
   */
  intensity?: Intensity;
  /**
   * What the weights in the loss go by.
   * @default the recipe's, of the reference "output"
   */
  lossWeights?: LossWeights;
  /**
   * At most this many passes over the training set; a whole number, at least 1.
   * @default the recipe's, of both 50
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
   * Stop after this many epochs without a lower validation loss; a whole number, 0 for never.
   * @default the recipe's, of the reference 5, of stanford 0
   */
  patience?: number;
  /**
   * Share of each parameter added to its gradient, 0 or more.
   * @default the recipe's, of the reference 0.1
   */
  weightDecay?: number;
  /**
   * How many epochs without a lower validation loss the plateau schedule bears; a whole number, 0 or
   * more.
   * @default the recipe's, of the reference 3
   */
  plateauPatience?: number;
  /**
   * What the plateau schedule multiplies the learning rate by, above 0 and below 1.
   * @default the recipe's, of the reference 0.3
   */
  plateauFactor?: number;
  /**
   * Largest rotation of a training exam either way, in degrees, 0–180.
   * @default the recipe's, of the reference 25
   */
  rotation?: number;
  /**
   * Largest shift of a training exam either way, down and across: a share of the side, 0–1, or
   * pixels, as in `"25px"`.
   * @default the recipe's, of the reference 0.11
   */
  shift?: Shift;
  /**
   * Probability that a training exam is flipped from left to right, in 0–1.
   * @default the recipe's, of the reference 0.5
   */
  flip?: number;
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
  /**
   * Go on without exams that cannot be read when their turn comes; the result lists them. The weights
   * in the loss are those of all labels.
   * @default false
   */
  skipBadExams?: boolean;
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

const { intensity: _, ...REFERENCE } = RECIPES.reference;

/** What training goes by where nothing else is said; the model says how its input is prepared. */
export interface TrainDefaults extends Omit<RecipeParts, "intensity"> {
  /** The recipe. */
  recipe: RecipeName;
  /** Step size of Adam at the start. */
  learningRate: number;
  /** How the learning rate changes. */
  schedule: ScheduleName;
  /** The factor of the `step` schedule. */
  gamma: number;
  /** Whether the training exams are rotated, shifted and flipped. */
  augment: boolean;
  /** Whether the training exams are visited in a new order each epoch. */
  shuffle: boolean;
}

/** The settings of the reference. */
export const TRAIN_DEFAULTS: TrainDefaults = {
  recipe: "reference",
  ...REFERENCE,
  learningRate: 1e-5,
  schedule: "plateau",
  gamma: 0.5,
  augment: true,
  shuffle: true,
};

/** Options with nothing left open but what the caller alone can give. */
export type ResolvedTrainOptions = TrainOptions & TrainDefaults;

/**
 * Fills in the defaults and checks every value.
 *
 * @throws {OptionError} where a value is out of its range
 */
export function resolveTrainOptions(options: TrainOptions): ResolvedTrainOptions {
  const { recipe } = options;
  if (recipe !== undefined && !RECIPE_NAMES.includes(recipe)) {
    throw _refusal("recipe", `'${recipe}'`, `one of ${RECIPE_NAMES.join(", ")}`);
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedTrainOptions = {
    ...TRAIN_DEFAULTS,
    ...(recipe && RECIPES[recipe]),
    ...Object.fromEntries(given),
  };
  const { epochs, patience } = resolved;
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw _refusal("epochs", epochs, "a whole number of at least 1");
  }
  if (!(Number.isInteger(patience) && patience >= 0)) {
    throw _refusal("patience", patience, "a whole number of 0 or more");
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
  _checkParts(resolved);
  return resolved;
}

/** Refuses what no recipe can have; of the weight decay that is known by then. */
function _checkParts(options: ResolvedTrainOptions): void {
  const { intensity, lossWeights, plateauPatience, plateauFactor, rotation, shift, flip } = options;
  if (intensity !== undefined && !INTENSITIES.includes(intensity)) {
    throw _refusal("intensity", `'${intensity}'`, `one of ${INTENSITIES.join(", ")}`);
  }
  if (!LOSS_WEIGHTS.includes(lossWeights)) {
    throw _refusal("lossWeights", `'${lossWeights}'`, `one of ${LOSS_WEIGHTS.join(", ")}`);
  }
  if (!(Number.isInteger(plateauPatience) && plateauPatience >= 0)) {
    throw _refusal("plateauPatience", plateauPatience, "a whole number of 0 or more");
  }
  if (!(plateauFactor > 0 && plateauFactor < 1)) {
    throw _refusal("plateauFactor", plateauFactor, "a number above 0 and below 1");
  }
  if (!(rotation >= 0 && rotation <= 180)) {
    throw _refusal("rotation", rotation, "degrees of 0 to 180");
  }
  if (!_isShift(shift)) throw _refusal("shift", `'${shift}'`, SHIFT_RULE);
  if (!(flip >= 0 && flip <= 1)) throw _refusal("flip", flip, "a probability of 0 to 1");
}

function _isShift(shift: Shift): boolean {
  if (typeof shift === "number") return shift >= 0 && shift <= 1;
  return typeof parseShift(shift) === "string";
}

function _refusal(name: string, value: number | string, range: string): OptionError {
  return new OptionError(`Cannot train with ${name} ${value}: give ${range}`);
}
