/** The metrics of predictions with known labels, for reports, tables and programs. */
import { DataError } from "../errors.ts";
import type { Label } from "../terms.ts";
import { BOOTSTRAP_SAMPLES, bootstrapAveragePrecision, bootstrapRoc } from "./bootstrap.ts";
import type { RocBand } from "./bootstrap.ts";
import { brierScore, type CalibrationBin, calibrationCurve } from "./calibration.ts";
import { type CalibrationFit, calibrationFit } from "./calibration_fit.ts";
import { decisionCurve, type NetBenefit } from "./decision_curve.ts";
import { type AucComparison, delongInterval, delongTest } from "./delong.ts";
import type { Estimate } from "./estimate.ts";
import type { OperatingRule } from "./operating_rule.ts";
import { type PrecisionRecallCurve, precisionRecallCurve } from "./precision_recall.ts";
import { type RocCurve, rocCurve } from "./roc.ts";
import { metricsAt, type ThresholdMetrics } from "./threshold.ts";

/** A prediction and the true label; `evaluate` gives such predictions. */
export interface LabelledPrediction {
  /** The exam's name. */
  id: string;
  /** 1 where the finding is present. */
  label: Label;
  /** The predicted probability of the finding, 0 to 1. */
  probability: number;
  /**
   * The logit of the probability, if it is known. Exams are ranked by it, because far from 0 the sigmoid
   * gives many logits the same probability.
   */
  logit?: number;
  /**
   * The two outputs of a model, in place of `logit`, which is the second. If the model is recalibrated,
   * `logit` is another, and exams are ranked by the second output: a recalibration may make many of them
   * equal.
   */
  logits?: readonly [number, number];
  /** The exam's loss, if the model has one. */
  loss?: number;
}

/** Which thresholds to give metrics at: always 0.5, and others. */
export const THRESHOLD_KINDS = ["half", "operating point", "given", "rule"] as const;
/**
 * `half` is 0.5; `operating point` was chosen on other exams; `given` by the user; `rule` was chosen on
 * other exams by a rule of the user's.
 */
export type ThresholdKind = (typeof THRESHOLD_KINDS)[number];

/** A threshold and where it comes from. */
export interface NamedThreshold {
  /** Positive from this probability on, 0 to 1. */
  threshold: number;
  /** Where it comes from. */
  kind: ThresholdKind;
  /** The rule, if it was chosen by one of the user's. */
  rule?: OperatingRule;
}

/** How to summarize. */
export interface SummaryOptions {
  /** The seed of the bootstrap draws; the same seed gives the same metrics. */
  seed: number;
  /**
   * How many bootstrap draws, at least 1.
   * @default 2000
   */
  samples?: number;
  /**
   * The thresholds to give metrics at.
   * @default 0.5 alone
   */
  thresholds?: readonly NamedThreshold[];
  /**
   * The patient of each exam, by its id: exams of the same patient are not taken for independent, so
   * that all intervals are wider. Without it they are independent.
   */
  patients?: ReadonlyMap<string, string>;
}

/** The metrics of a set of predictions. */
export interface PredictionSummary {
  /** How many exams there are. */
  exams: number;
  /** How many of them show the finding. */
  positives: number;
  /** How many patients they are of, if the intervals are by patient. */
  patients?: number;
  /** The mean of the exams' losses; NaN if the predictions have none. */
  loss: number;
  /** The Brier score, 0 to 1, lower is better. */
  brier: number;
  /** The area under the ROC curve and its 95 % intervals. */
  auc: {
    /** The area, 0 to 1; NaN if only one class is present. */
    value: number;
    /** DeLong's interval. */
    delong: { low: number; high: number };
    /** The interval of bootstrap draws. */
    bootstrap: { low: number; high: number; seed: number; samples: number };
  };
  /** The ROC curve. */
  roc: RocCurve;
  /** The curve's band by bootstrap draws, 95 % at each false positive rate. */
  band: RocBand;
  /** The metrics at each threshold that was asked for. */
  thresholds: (ThresholdMetrics & NamedThreshold)[];
  /** The calibration curve in ten bins. */
  calibration: CalibrationBin[];
  /** Slope, intercept, and observed to expected. */
  calibrationFit: CalibrationFit;
  /** The average precision, and its 95 % interval by bootstrap draws. */
  averagePrecision: Estimate;
  /** The precision-recall curve. */
  precisionRecall: PrecisionRecallCurve;
  /** Net benefit at the thresholds 0.01, 0.02, …, 0.99. */
  decisionCurve: NetBenefit[];
}

/** The thresholds if none are given. */
const DEFAULT_THRESHOLDS: readonly NamedThreshold[] = [{ threshold: 0.5, kind: "half" }];

/**
 * Computes the metrics of predictions.
 *
 * @throws {RangeError} if a label is not 0 or 1 or a probability outside 0–1
 *
 * @example
 * ```ts
 * import { type LabelledPrediction, summarizePredictions } from "./summary.ts";
 * const predictions: LabelledPrediction[] = [
 *   { id: "0000", label: 0, probability: 0.2 },
 *   { id: "0001", label: 0, probability: 0.7 },
 *   { id: "0002", label: 1, probability: 0.6 },
 *   { id: "0003", label: 1, probability: 0.9 },
 * ];
 * const { auc, thresholds } = summarizePredictions(predictions, { seed: 1 });
 * console.assert(auc.value === 0.75 && thresholds[0].sensitivity.value === 1);
 * ```
 */
export function summarizePredictions(
  predictions: readonly LabelledPrediction[],
  { seed, samples = BOOTSTRAP_SAMPLES, thresholds = DEFAULT_THRESHOLDS, patients }: SummaryOptions,
): PredictionSummary {
  const labels = predictions.map(({ label }) => label);
  const probabilities = predictions.map(({ probability }) => probability);
  const scores = rankingScores(predictions);
  const brier = brierScore(labels, probabilities);
  const clusters = clustersOf(predictions, patients);
  const draws = { seed, samples, clusters };
  const { auc: value, low, high } = delongInterval(labels, scores, 0.95, clusters);
  const { band, ...drawn } = bootstrapRoc(labels, scores, draws);
  return {
    exams: predictions.length,
    positives: labels.filter((label) => label === 1).length,
    ...(clusters === undefined ? {} : { patients: new Set(clusters).size }),
    loss: predictions.reduce((sum, { loss = NaN }) => sum + loss, 0) / predictions.length,
    brier,
    auc: { value, delong: { low, high }, bootstrap: { ...drawn, seed, samples } },
    roc: rocCurve(labels, scores),
    band,
    thresholds: thresholds.map((named) => ({
      ...metricsAt(labels, probabilities, named.threshold, clusters),
      kind: named.kind,
      ...(named.rule && { rule: named.rule }),
    })),
    calibration: calibrationCurve(labels, probabilities, 10, clusters),
    calibrationFit: calibrationFit(labels, _logits(predictions), 0.95, clusters),
    averagePrecision: bootstrapAveragePrecision(labels, scores, draws),
    precisionRecall: precisionRecallCurve(labels, scores),
    decisionCurve: decisionCurve(labels, probabilities, undefined, clusters),
  };
}

/**
 * The patient of each prediction's exam, for intervals by patient.
 *
 * @param patients the patient of each exam, by its id
 * @returns undefined without patients
 * @throws {DataError} if the patient of an exam is not known
 */
export function clustersOf(
  predictions: readonly { id: string }[],
  patients: ReadonlyMap<string, string> | undefined,
): string[] | undefined {
  if (patients === undefined) return undefined;
  const missing = predictions.filter(({ id }) => !patients.has(id)).map(({ id }) => id);
  if (missing.length === 0) return predictions.map(({ id }) => patients.get(id)!);
  const named = missing.slice(0, 10).join(", ") + (missing.length > 10 ? ", …" : "");
  throw new DataError(
    `Cannot give intervals by patient: the patient of ${missing.length} of ` +
      `${predictions.length} exams is not known (${named}): name the patient of each exam`,
  );
}

/** The logit of each probability; infinite where a probability is 0 or 1 and no logit is known. */
function _logits(predictions: readonly LabelledPrediction[]): number[] {
  return predictions.map(({ probability, logit, logits }) =>
    logit ?? logits?.[1] ?? Math.log(probability / (1 - probability))
  );
}

/**
 * The scores to rank predictions by: their logits, or the probabilities if a prediction has no logit.
 *
 * @returns a score for each prediction, higher for what is more likely positive
 */
export function rankingScores(
  predictions: readonly Pick<LabelledPrediction, "probability" | "logit" | "logits">[],
): number[] {
  const logits = predictions.map(({ logit, logits }) => logits?.[1] ?? logit);
  return logits.every((logit) => logit !== undefined)
    ? logits
    : predictions.map(({ probability }) => probability);
}

/**
 * Compares two models on the same exams: DeLong's paired test of their AUCs.
 *
 * @param first the first model's predictions
 * @param second the second model's, of the same exams in any order
 * @param patients the patient of each exam, by its id; without it the exams are independent
 * @throws {DataError} if the exams or their labels differ
 *
 * @example
 * ```ts
 * import { compareModels, type LabelledPrediction } from "./summary.ts";
 * const first: LabelledPrediction[] = [
 *   { id: "a", label: 0, probability: 0.2 },
 *   { id: "b", label: 0, probability: 0.4 },
 *   { id: "c", label: 1, probability: 0.3 },
 *   { id: "d", label: 1, probability: 0.9 },
 * ];
 * console.assert(compareModels(first, first.toReversed()).p === 1);
 * ```
 */
export function compareModels(
  first: readonly LabelledPrediction[],
  second: readonly LabelledPrediction[],
  patients?: ReadonlyMap<string, string>,
): AucComparison {
  const others = new Map(second.map((prediction) => [prediction.id, prediction]));
  const refuse = (found: string): never => {
    throw new DataError(
      `Cannot compare the two models: ${found}: both must be evaluated on the same exams`,
    );
  };
  if (first.length !== second.length || others.size !== second.length) {
    refuse(`one was evaluated on ${first.length} exams, the other ${others.size}`);
  }
  const matched = first.map(({ id, label }) => {
    const other = others.get(id) ?? refuse(`only one of them was evaluated on exam '${id}'`);
    if (other.label !== label) refuse(`the exam '${id}' has the label ${label} and ${other.label}`);
    return other;
  });
  const labels = first.map(({ label }) => label);
  const clusters = clustersOf(first, patients);
  return delongTest(labels, rankingScores(first), rankingScores(matched), 0.95, clusters);
}
