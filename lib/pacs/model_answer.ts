/** The answer of a model, a combination or an ensemble about a study. */
import type { Classifier, ClassifierKind, ClassifierPrediction } from "../classifier/classifier.ts";
import type { Intensity } from "../data/intensity.ts";
import { recalibrationText } from "../model/recalibration.ts";
import type { Plane, Task } from "../terms.ts";
import type { AnsweredSeries, AnsweredStudy } from "./source.ts";

/** What a classifier said, and which one it was. */
export interface ModelAnswer {
  /** The finding. */
  readonly task: Task;
  /** What the classifier is called. */
  readonly name: string;
  /** Whether it is a model of one plane, a combination or an ensemble. */
  readonly kind: ClassifierKind;
  /** The SHA-256 of its file, in hexadecimal. */
  readonly sha256: string;
  /** How its input was prepared; none if its models differ in it. */
  readonly intensity?: Intensity;
  /** The planes whose grey values were mapped to landmarks of the training exams before that. */
  readonly mappedPlanes: readonly Plane[];
  /** The probability of the finding, in 0–1. */
  readonly probability: number;
  /** What that comes to at the threshold. */
  readonly decision: "positive" | "negative";
  /** The probability from which on it decides positive, in 0–1. */
  readonly threshold: number;
  /** True if its file says that threshold; else it is 0.5. */
  readonly hasOperatingPoint: boolean;
  /** How its probabilities were recalibrated, a text each. */
  readonly recalibrations: readonly string[];
  /** The probability of each plane's models. */
  readonly planes: readonly { readonly plane: Plane; readonly probability: number }[];
}

/** What a classifier's prediction says, for an object that outlives the classifier. */
export function modelAnswer(
  { task, name, kind, sha256, card, models, planes, recalibrations }: Classifier,
  prediction: ClassifierPrediction,
): ModelAnswer {
  const { probability, decision, threshold } = prediction;
  return {
    ...{ task, name, kind, sha256, probability, decision, threshold },
    intensity: card.intensity,
    mappedPlanes: planes.filter((plane) =>
      models.some(({ card }) => card.plane === plane && card.landmarks !== undefined)
    ),
    hasOperatingPoint: card.operatingPoint !== undefined,
    recalibrations: recalibrations.map(({ plane, recalibration }) =>
      `${plane}: ${recalibrationText(recalibration)}`
    ),
    planes: planes.map((plane) => ({
      plane,
      probability: prediction.planes[plane]!.probability,
    })),
  };
}

/** What an answer's identifiers are derived from: the same answer about the same images has the same. */
export function answerKey({ sha256, task, intensity }: ModelAnswer): string[] {
  return [sha256, task, intensity ?? ""];
}

/** The series that an answer is about; others of the study were read by other models. */
export function answeredSeries(
  { series }: AnsweredStudy,
  { planes }: ModelAnswer,
): AnsweredSeries[] {
  return series.filter((each) => planes.some(({ plane }) => plane === each.plane));
}
