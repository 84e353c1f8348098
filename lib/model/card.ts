/**
 * What a model's file says about the model: what it predicts, how its input is prepared, how it was
 * trained, its operating point. `card_metadata.ts` writes it into files and reads it from them.
 */
import type { NetworkName } from "../network/networks.ts";
import type { ExamHash, KnownExams } from "../data/exam_hash.ts";
import type { ExamSet } from "../data/exam_set.ts";
import type { Intensity } from "../data/intensity.ts";
import type { Landmarks } from "../data/landmarks.ts";
import type { TuneSplit } from "../data/tune.ts";
import { OptionError } from "../errors.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import type { MadeBy } from "./made_by.ts";
import type { Recalibration } from "./recalibration.ts";
import type { LossWeights, RecipeName } from "./recipe.ts";
import type { Plane, Task } from "../terms.ts";

/** The exams by which something was chosen. */
export const CHOSEN_ON = ["train", "valid", "tune"] as const satisfies readonly ChosenOn[];
/** The split by which something was chosen; it says nothing new about that split. */
export type ChosenOn = "train" | "valid" | "tune";

/** The threshold from which on an exam counts as positive, and how it was chosen. */
export interface OperatingPoint {
  /** Positive from this probability on, in 0–1. */
  threshold: number;
  /** How it was chosen; `youden`: sensitivity + specificity − 1 is largest there. */
  rule: OperatingRule;
  /** The exams it was chosen by; metrics at it are to be believed on others only. */
  exams: ChosenOn;
}

/** The threshold of a model whose file does not say one. */
export const DEFAULT_THRESHOLD = 0.5;

/** What a probability means at a threshold. */
export interface Decision {
  /** Whether the finding is said to be there. */
  decision: "positive" | "negative";
  /** The probability from which on it is, in 0–1. */
  threshold: number;
}

/**
 * What a probability means at a model's operating point, or at {@linkcode DEFAULT_THRESHOLD} if the model
 * has none.
 *
 * @param probability the model's, or the combination's, in 0–1
 * @param card what is known about the model, or the combination itself
 *
 * @example
 * ```ts
 * import { decide } from "./card.ts";
 * const operatingPoint = { threshold: 0.25, rule: "youden", exams: "tune" } as const;
 * console.assert(decide(0.3, { operatingPoint }).decision === "positive");
 * console.assert(decide(0.3, {}).decision === "negative");
 * ```
 */
export function decide(
  probability: number,
  { operatingPoint }: { operatingPoint?: Pick<OperatingPoint, "threshold"> },
): Decision {
  const threshold = operatingPoint?.threshold ?? DEFAULT_THRESHOLD;
  return { decision: probability >= threshold ? "positive" : "negative", threshold };
}

/** The ways in which an epoch can be chosen. */
export const EPOCH_RULES = ["auc"] as const satisfies readonly EpochRule[];
/** How the epoch was chosen; `auc`: the first with the highest AUC over the exams that chose it. */
export type EpochRule = "auc";

/** What is known about a model. */
export interface ModelCard extends MadeBy {
  /** The finding it predicts; unknown for a file of PyTorch. */
  task?: Task;
  /** The plane it reads; unknown for a file of PyTorch. */
  plane?: Plane;
  /** Its network; unknown for a file of PyTorch, whose tensors tell it. */
  network?: NetworkName;
  /** How its input is prepared; `raw` if the file does not say. */
  intensity: Intensity;
  /** What the exams it was trained on look like; none if the file does not say it. */
  landmarks?: Landmarks;
  /** The recipe of its training, of which settings may have been changed; unknown for PyTorch's. */
  recipe?: RecipeName;
  /** How the loss was weighted in training; unknown for a file of PyTorch. */
  lossWeights?: LossWeights;
  /** The threshold of a positive exam; none if the file does not say it. */
  operatingPoint?: OperatingPoint;
  /**
   * How its probabilities are made of its logits; by the sigmoid if the file does not say it. The
   * operating point is one of these probabilities.
   */
  recalibration?: Recalibration;
  /** The training exams it was not trained on; none if it was trained on all. */
  tune?: TuneSplit;
  /** The exams it was trained on, in the order of their label file; none if the file does not say it. */
  trainedExams?: readonly ExamHash[];
  /**
   * The exams that the models were trained on which it was trained further from; `unknown` if one of them
   * does not tell. None if it started from ImageNet's weights, or from random ones.
   */
  earlierExams?: KnownExams;
  /**
   * The exams that its epoch and its operating point were chosen by, in the order of their label file;
   * none if the file does not say it.
   */
  chosenExams?: readonly ExamHash[];
  /** The exams that it was trained on, in numbers and hashes. */
  trainingSet?: ExamSet;
  /** The exams that its epoch and its operating point were chosen by, in numbers and hashes. */
  selectionSet?: ExamSet;
  /** How its epoch was chosen by them. */
  epochRule?: EpochRule;
  /** What computed its training, such as `wasm, 2 threads`. */
  engine?: string;
  /** The name of the kind of run, which is part of the file's name. */
  prefix?: string;
  /** The epoch that was kept, from 1. */
  epoch?: number;
  /** The AUC over the training exams of that epoch, in 0–1; NaN if they are all of one class. */
  trainAuc?: number;
  /** The mean loss over the training exams of that epoch, at least 0. */
  trainLoss?: number;
  /** The AUC over the exams that chose the epoch, in 0–1; NaN if they are all of one class. */
  valAuc?: number;
  /** The mean loss over the exams that chose the epoch, at least 0. */
  valLoss?: number;
  /** The settings of the run, under the names of the command line. */
  config?: Readonly<Record<string, unknown>>;
}

/** A card that says the finding and the plane, as every use of a model needs it. */
export type ResolvedCard = ModelCard & { task: Task; plane: Plane };

/** What a card says of the exams that a model knows. */
type ExamsOfCard = Pick<ModelCard, "trainedExams" | "earlierExams">;

/** The exams that a model knows from training as far as its file tells them; there may be others. */
export function toldExams({ trainedExams = [], earlierExams = [] }: ExamsOfCard): ExamHash[] {
  return [...new Set([...trainedExams, ...(earlierExams === "unknown" ? [] : earlierExams)])];
}

/**
 * Every exam that a model knows from training: its own, and those of the models it was trained further
 * from; undefined if that is not known.
 */
export function everTrainedOn(card: ExamsOfCard): ExamHash[] | undefined {
  const isTold = card.trainedExams !== undefined && card.earlierExams !== "unknown";
  return isTold ? toldExams(card) : undefined;
}

/**
 * Adds what a caller knows of a model to what its file says: files of PyTorch say nothing.
 *
 * @param card what the file says
 * @param told the finding and the plane by the caller's own knowledge
 * @param path the file, for messages
 * @param planeOption what the command line calls the option that tells the plane, for messages
 * @throws {OptionError} if the two contradict each other, or neither says it
 */
export function resolveCard(
  card: ModelCard,
  told: { task?: Task; plane?: Plane },
  path: string,
  planeOption = "--plane",
): ResolvedCard {
  const { task = told.task, plane = told.plane } = card;
  const options = { task: "--task", plane: planeOption };
  const named = (which: (name: "task" | "plane") => boolean) =>
    (["task", "plane"] as const).filter(which);
  if (task === undefined || plane === undefined) {
    const open = named((name) => (card[name] ?? told[name]) === undefined);
    throw new OptionError(
      `Cannot use the model '${path}': its file does not say its ${open.join(" and ")}: ` +
        `give ${open.map((name) => options[name]).join(" and ")}`,
    );
  }
  const resolved = { ...card, task, plane };
  const wrong = named((name) => (told[name] ?? resolved[name]) !== resolved[name]);
  if (wrong.length === 0) return resolved;
  const asked = { task: told.task ?? task, plane: told.plane ?? plane };
  throw new OptionError(
    `Cannot use the model '${path}' for ${_named(asked)}: by its file it is for ` +
      `${_named(resolved)}: leave ${wrong.map((name) => options[name]).join(" and ")} out, ` +
      "or give another model",
  );
}

function _named({ task, plane }: { task: Task; plane: Plane }): string {
  return `${task} in the ${plane} plane`;
}
