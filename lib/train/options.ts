/**
 * How to train: the options of the loop. Each has a row in `settings.ts`, which checks it and names it on
 * the command line.
 */
import type { Shift } from "../data/augment.ts";
import type { Intensity } from "../data/intensity.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import type { LossWeights, RecipeName, RecipeSettings } from "../model/recipe.ts";
import type { EpochReport, ExamReport } from "./reports.ts";
import type { ScheduleName } from "./schedule.ts";

/** How to train; the defaults are the reference's, {@linkcode TRAIN_DEFAULTS}. */
export interface TrainOptions {
  /**
   * Sets all that makes a recipe; an option given beside it counts more than the recipe's value.
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
   * The brightness of a training exam is multiplied by a number uniform in 1 ± this, 0–1.
   * docs/training.md has the formulas of this and the four options that follow.
   * @default 0
   */
  brightness?: number;
  /**
   * The contrast of a training exam, about its mean, is multiplied by a number uniform in 1 ± this, 0–1.
   * @default 0
   */
  contrast?: number;
  /**
   * The grey values of a training exam are raised to `exp` of a number uniform in ± this, 0–2.
   * @default 0
   */
  logGamma?: number;
  /**
   * Normal noise is added to each voxel of a training exam; its standard deviation is drawn once an exam,
   * uniform from 0 to this, 0–1, in shares of the exam's range of grey values.
   * @default 0
   */
  noiseStd?: number;
  /**
   * Each slice of a training exam is multiplied by the same smooth field, whose coefficients are uniform
   * in ± this, 0–1.
   * @default 0
   */
  biasField?: number;
  /**
   * Change the training exams at random: rotate, shift and flip them, and change their grey values where
   * options ask for it.
   * @default true
   */
  augment?: boolean;
  /**
   * Visit the training exams in a new random order each epoch.
   * @default true
   */
  shuffle?: boolean;
  /**
   * How the validation exams choose the threshold of a positive exam. If no threshold does what the rule
   * asks for, `youden` chooses, and the epoch's report says so.
   * @default "youden"
   */
  operatingPoint?: OperatingRule;
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

/** What training goes by where nothing else is said; the model says how its input is prepared. */
export interface TrainDefaults extends Omit<RecipeSettings, "intensity"> {
  /** The recipe. */
  recipe: RecipeName;
  /** Step size of Adam at the start. */
  learningRate: number;
  /** How the learning rate changes. */
  schedule: ScheduleName;
  /** The factor of the `step` schedule. */
  gamma: number;
  /** How far the brightness of the training exams changes. */
  brightness: number;
  /** How far their contrast changes. */
  contrast: number;
  /** How far the logarithm of their exponent changes. */
  logGamma: number;
  /** The most noise that they are given. */
  noiseStd: number;
  /** The largest coefficient of their bias field. */
  biasField: number;
  /** Whether the training exams are changed at random. */
  augment: boolean;
  /** Whether the training exams are visited in a new order each epoch. */
  shuffle: boolean;
}

/** Options with nothing left open but what the caller alone can give. */
export type ResolvedTrainOptions = TrainOptions & TrainDefaults;
