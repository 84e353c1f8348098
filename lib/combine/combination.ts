/**
 * The combination of the three planes: a logistic regression over the probabilities that three
 * models, one a plane, give to the three series of one patient.
 *
 *     p = σ(w_axial·p_axial + w_coronal·p_coronal + w_sagittal·p_sagittal + b)
 *
 * The features are probabilities and not logits, as in the paper: N. Bien et al., Deep-learning-assisted
 * diagnosis for knee magnetic resonance imaging: Development and retrospective validation of MRNet,
 * PLOS Medicine 15(11), 2018.
 */
import type { ExamHash } from "../data/exam_hash.ts";
import type { Intensity } from "../data/intensity.ts";
import { isSameTune, type TuneSplit } from "../data/tune.ts";
import { DataError, OptionError } from "../errors.ts";
import { CHOSEN_ON, type ChosenOn, type OperatingPoint } from "../model/card.ts";
import type { MadeBy } from "../model/made_by.ts";
import { type Prediction, sigmoid } from "../model/mrnet.ts";
import type { Recalibration } from "../model/recalibration.ts";
import { type Plane, PLANES, type Split, type Task } from "../terms.ts";

/** Something of each plane. */
export type ByPlane<T> = Record<Plane, T>;

/** The exams that a combination can be fitted on; `table` are predictions made elsewhere. */
export const FIT_ON: readonly FitOn[] = [...CHOSEN_ON, "table"];
/** The exams that a combination was fitted on. */
export type FitOn = ChosenOn | "table";

/** A model of a combination. */
export interface CombinedMember {
  /** Its file, relative to the folder of the combination's file. */
  file: string;
  /** The SHA-256 of that file, 64 hexadecimal digits. */
  sha256: string;
  /** How its input is prepared, if its file does not say it. */
  intensity?: Intensity;
}

/** From which combined probability on a patient counts as positive; see {@linkcode OperatingPoint}. */
export interface CombinedOperatingPoint extends Omit<OperatingPoint, "exams"> {
  /** The exams it was chosen on: those that the weights were fitted on. */
  exams: FitOn;
}

/** A fitted combination, as its file has it. */
export interface Combination extends MadeBy {
  /** The finding; unknown if it was fitted on a table of predictions without one. */
  task?: Task;
  /** The weight of each plane's probability. */
  coefficients: ByPlane<number>;
  /** The constant that is added. */
  intercept: number;
  /** The models; none if it was fitted on a table of predictions. */
  members?: ByPlane<CombinedMember>;
  /** The exams it was fitted on. */
  fitOn: FitOn;
  /**
   * The tune split that all members share, if the combination was fitted on it or on the training exams
   * without it. If there is none, `train` means all training exams.
   */
  tune?: TuneSplit;
  /** How many patients it was fitted on. */
  exams: number;
  /** A hash of the three exams of each patient; none if that is unknown. */
  fitExams?: readonly ExamHash[];
  /** Whether no model was trained on these exams, though their split is called `train`, by their hashes. */
  unseen?: true;
  /** How many of them have the finding. */
  positives: number;
  /** Its AUC over them, in 0–1: how well it fits, not how well it does on others. */
  auc: number;
  /** The probability from which a patient counts as positive, chosen on the same exams. */
  operatingPoint: CombinedOperatingPoint;
  /** How its probability is made of its logit; by the sigmoid if there is none. */
  recalibration?: Recalibration;
}

/** A value for each plane, in the toolkit's order: axial, coronal, sagittal. */
export function byPlane<T>(make: (plane: Plane) => T): ByPlane<T> {
  return Object.fromEntries(PLANES.map((plane) => [plane, make(plane)])) as ByPlane<T>;
}

/**
 * The probability of the finding, from those of the three planes.
 *
 * @param probabilities what the three models say, each in 0–1
 * @returns in 0–1
 * @throws {OptionError} if a plane is missing, or its value is not a probability
 *
 * @example
 * ```ts
 * import { combinedProbability } from "./combination.ts";
 * const weights = { coefficients: { axial: 1, coronal: 1, sagittal: 2 }, intercept: -2 };
 * console.assert(combinedProbability(weights, { axial: 0.5, coronal: 0.5, sagittal: 0.5 }) === 0.5);
 * ```
 */
export function combinedProbability(
  { coefficients, intercept }: Pick<Combination, "coefficients" | "intercept">,
  probabilities: Readonly<ByPlane<number>>,
): number {
  return sigmoid(combinedLogit({ coefficients, intercept }, probabilities));
}

/** The sum before the sigmoid of {@linkcode combinedProbability}. */
export function combinedLogit(
  { coefficients, intercept }: Pick<Combination, "coefficients" | "intercept">,
  probabilities: Readonly<ByPlane<number>>,
): number {
  let sum = intercept;
  for (const plane of PLANES) {
    const probability = probabilities[plane];
    if (!(probability >= 0 && probability <= 1)) {
      throw new OptionError(
        `Cannot combine the planes: the ${plane} probability is ${probability}: give a number in 0–1`,
      );
    }
    sum += coefficients[plane] * probability;
  }
  return sum;
}

/** What three models and their combination say about one patient. */
export interface CombinedPrediction {
  /** The combined probability of the finding, in 0–1. */
  probability: number;
  /** The combined logit: what the sigmoid made the probability of. */
  logit: number;
  /** What the model of each plane says about its own exam. */
  planes: ByPlane<Prediction>;
}

/** Combines what the models of the three planes say. */
export function combinePredictions(
  combination: Pick<Combination, "coefficients" | "intercept">,
  planes: ByPlane<Prediction>,
): CombinedPrediction {
  const logit = combinedLogit(combination, byPlane((plane) => planes[plane].probability));
  return { probability: sigmoid(logit), logit, planes };
}

/** The tune split that three models share; none if they differ in it or have none. */
export function commonTune(
  members: Readonly<ByPlane<{ card: { tune?: TuneSplit } }>>,
): TuneSplit | undefined {
  const { tune } = members.axial.card;
  return PLANES.every((plane) => isSameTune(members[plane].card.tune, tune)) ? tune : undefined;
}

/**
 * The exams of the three planes, of which none is missing.
 *
 * @param what the action, for messages
 * @throws {DataError} if an exam is missing, naming every one
 */
export function everyPlane<T>(
  exams: Readonly<Partial<ByPlane<T>>>,
  what = "combine the planes",
): ByPlane<T> {
  const missing = PLANES.filter((plane) => exams[plane] === undefined);
  if (missing.length === 0) return byPlane((plane) => exams[plane]!);
  throw new DataError(
    `Cannot ${what}: there is no ${missing.join(" and no ")} exam: ` +
      "a combination needs the axial, the coronal and the sagittal exam",
  );
}

/**
 * Whether a combination was fitted on exams of a split, so that metrics on them flatter it. If no tune
 * split was left out of the training exams, its exams are among them.
 */
export function isFittedOn(
  { fitOn, tune }: Pick<Combination, "fitOn" | "tune">,
  split: Split | "tune",
): boolean {
  return fitOn === split || (fitOn === "train" && split === "tune" && tune === undefined);
}

/**
 * A warning about metrics that the choice of exams makes too good.
 *
 * @returns a sentence; nothing if the metrics can be believed. Throws nothing.
 */
export function fitRemark(
  { fitOn, tune, unseen }: Pick<Combination, "fitOn" | "tune" | "unseen">,
): string | undefined {
  switch (fitOn) {
    case "tune":
      return undefined;
    case "train":
      if (unseen) return undefined;
      return (tune === undefined
        ? "Fitted on all training exams, on which each model was trained but for what it kept out: "
        : "Fitted on exams that the models were trained on: ") +
        "probabilities are surer there than on new exams, so the weights and the operating point " +
        "do not fit new exams as well.";
    case "valid":
      return "Fitted on the validation exams: metrics of this combination on them are too good, " +
        "and only exams of another source can test it.";
    case "table":
      return "Fitted on predictions made elsewhere: whether the models had seen these exams is not " +
        "known here, and metrics of this combination on the same exams are too good.";
    default:
      return fitOn satisfies never;
  }
}
