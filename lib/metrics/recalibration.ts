/**
 * Maps that make probabilities of a model's logits mean what they say. Each rises with the logit, so that
 * exams keep their order.
 */
import { areFinite } from "../finite.ts";
import { checkCases } from "./cases.ts";
import { isotonicRegression } from "./isotonic.ts";
import { minimizeLoss } from "./logistic.ts";

/** How logits are made into probabilities that mean what they say. */
export const RECALIBRATION_METHODS = ["platt", "isotonic", "temperature"] as const;
/**
 * - `platt`: the sigmoid of slope × logit + intercept (J. Platt, Probabilistic outputs for support vector
 *   machines and comparisons to regularized likelihood methods, Advances in Large Margin Classifiers,
 *   1999), with his targets, so that few exams or exams without an error give no steeper slope than they
 *   can show.
 * - `isotonic`: a map of any shape that never falls (B. Zadrozny and C. Elkan, Transforming classifier
 *   scores into accurate multiclass probability estimates, KDD 2002), which needs many exams.
 * - `temperature`: the sigmoid of logit / temperature (C. Guo et al., On calibration of modern neural
 *   networks, ICML 2017), which leaves 0.5 where it is.
 */
export type RecalibrationMethod = "platt" | "isotonic" | "temperature";

/** A map from logits to probabilities. */
export type RecalibrationMap =
  | {
    /** Platt's. */
    method: "platt";
    /** What the logit is multiplied by, above 0. */
    slope: number;
    /** What is then added. */
    intercept: number;
  }
  | {
    /** Temperature scaling. */
    method: "temperature";
    /** What the logit is divided by, above 0. */
    temperature: number;
  }
  | {
    /** Isotonic regression. */
    method: "isotonic";
    /** The logits at which a piece begins or ends, rising. */
    logits: readonly number[];
    /**
     * The probability at each, never falling, above 0 and below 1. Between two the map is a straight
     * line, beyond the first and the last it is level.
     */
    probabilities: readonly number[];
  };

/** The probability by a map, and its logit. */
export interface Recalibrated {
  /** In 0–1. */
  probability: number;
  /** The sigmoid makes the probability of it; finite. */
  logit: number;
}

/**
 * Fits a map to exams with known labels, by the largest likelihood; `isotonic` by least squares.
 *
 * A single piece of `isotonic` may hold no case with the finding, or none without it. Its probability is
 * then not 0 or 1 but 1 / (n + 2) away, for n cases: that many cannot show more (P. S. Laplace's rule of
 * succession).
 *
 * @param labels 1 for a case with the finding, 0 for one without it
 * @param logits one for each label, finite
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a logit is not finite, only one
 * class is present, or no map of the kind rises or is best
 *
 * @example
 * ```ts
 * import { fitRecalibration, recalibrated } from "./recalibration.ts";
 * const [labels, logits] = [[0, 1, 0, 1, 0, 1], [-8, -2, -1, 1, 6, 9]];
 * const map = fitRecalibration(labels, logits, "platt");
 * console.assert(recalibrated(map, 9).probability < 0.95);
 * ```
 */
export function fitRecalibration(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  method: RecalibrationMethod,
): RecalibrationMap {
  checkCases(labels, logits);
  const count = labels.length;
  const positives = Array.from(labels).reduce((sum, label) => sum + label, 0);
  if (count === 0) throw new RangeError("there are no exams");
  if (positives === 0 || positives === count) {
    throw new RangeError(
      `all ${count} exams are ${positives === 0 ? "without" : "with"} the finding`,
    );
  }
  if (!areFinite(logits)) throw new RangeError("a logit is not finite");
  switch (method) {
    case "platt":
      return _platt(labels, logits, positives);
    case "temperature":
      return _temperature(labels, logits);
    case "isotonic":
      return _isotonic(labels, logits);
    default:
      throw new RangeError(
        `there is no method '${method satisfies never}': choose from ${
          RECALIBRATION_METHODS.join(", ")
        }`,
      );
  }
}

/** What a map makes of a logit. */
export function recalibrated(map: RecalibrationMap, logit: number): Recalibrated {
  switch (map.method) {
    case "platt":
      return _ofLogit(map.slope * logit + map.intercept);
    case "temperature":
      return _ofLogit(logit / map.temperature);
    case "isotonic": {
      const probability = _interpolated(map, logit);
      return { probability, logit: Math.log(probability / (1 - probability)) };
    }
    default:
      return map satisfies never;
  }
}

/**
 * Where a threshold of probabilities is after a map: the exams that the model calls positive stay the same,
 * but for `isotonic`, if the threshold lies within a level piece. All exams of that piece are then positive.
 *
 * @param threshold of the sigmoid of the logit, in 0–1
 */
export function recalibratedThreshold(map: RecalibrationMap, threshold: number): number {
  // Nothing lies below the sigmoid of 0 and above that of 1.
  if (threshold <= 0 || threshold >= 1) return threshold;
  return recalibrated(map, Math.log(threshold / (1 - threshold))).probability;
}

/** By Platt's targets, which are a little below 1 and above 0, so that there always is a best slope. */
function _platt(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  positives: number,
): RecalibrationMap {
  const [present, absent] = [
    (positives + 1) / (positives + 2),
    1 / (labels.length - positives + 2),
  ];
  const targets = Array.from(labels, (label) => label === 1 ? present : absent);
  const rows = Array.from(logits, (logit) => [logit, 1]);
  const [slope, intercept] = minimizeLoss({ rows, labels: targets, c: 1, penalty: 0 }, [0, 0]);
  _checkRises(slope);
  return { method: "platt", slope, intercept };
}

function _temperature(labels: ArrayLike<number>, logits: ArrayLike<number>): RecalibrationMap {
  const isFaultless = Array.from(logits).every((logit, i) =>
    labels[i] === 1 ? logit > 0 : logit < 0
  );
  if (isFaultless) {
    throw new RangeError(
      "every probability is on the right side of 0.5, so that no temperature is best: use platt",
    );
  }
  const rows = Array.from(logits, (logit) => [logit]);
  const [inverse] = minimizeLoss({ rows, labels, c: 1, penalty: 0 }, [0]);
  _checkRises(inverse);
  return { method: "temperature", temperature: 1 / inverse };
}

function _isotonic(labels: ArrayLike<number>, logits: ArrayLike<number>): RecalibrationMap {
  const { scores, values } = isotonicRegression(labels, logits);
  if (values[0] === values.at(-1)) _checkRises(0);
  const least = 1 / (labels.length + 2);
  const probabilities = values.map((value) => Math.min(1 - least, Math.max(least, value)));
  return { method: "isotonic", logits: scores, probabilities };
}

/** A map that falls would turn the order of the exams round. */
function _checkRises(slope: number): void {
  if (slope > 0) return;
  throw new RangeError(
    "exams with the finding have no higher logits than those without it, and a recalibration cannot " +
      "change that",
  );
}

function _ofLogit(logit: number): Recalibrated {
  return { probability: 1 / (1 + Math.exp(-logit)), logit };
}

function _interpolated(
  { logits, probabilities }: Extract<RecalibrationMap, { method: "isotonic" }>,
  logit: number,
): number {
  const next = logits.findIndex((each) => each > logit);
  if (next === 0) return probabilities[0];
  if (next < 0) return probabilities.at(-1)!;
  const share = (logit - logits[next - 1]) / (logits[next] - logits[next - 1]);
  const [from, to] = [probabilities[next - 1], probabilities[next]];
  // Rounding does not lead beyond the end, so that the map never falls.
  return Math.min(to, from + share * (to - from));
}
