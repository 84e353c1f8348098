/** Precision and recall. Unlike the ROC curve they depend on how common the finding is. */
import { scoreGroups } from "./roc.ts";

/** The curve, from recall 0 to recall 1. */
export interface PrecisionRecallCurve {
  /**
   * Precision at each threshold, 0 to 1: of the cases called positive, the share that is (the positive
   * predictive value). It is 1 at the first, where no case is called positive.
   */
  precision: number[];
  /** Recall at each threshold, 0 to 1: the sensitivity. All NaN without a positive case. */
  recall: number[];
  /** The thresholds, falling; the first is Infinity, after it comes every score that occurs. */
  thresholds: number[];
}

/**
 * The precision-recall curve, as scikit-learn's `precision_recall_curve` in the reverse order: a point
 * for each score that occurs.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label, higher for what is more likely positive
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a score is NaN
 *
 * @example
 * ```ts
 * import { precisionRecallCurve } from "./precision_recall.ts";
 * const { precision, recall } = precisionRecallCurve([0, 1, 1], [0.1, 0.4, 0.8]);
 * console.assert(precision.join() === `1,1,1,${2 / 3}` && recall.join() === "0,0.5,1,1");
 * ```
 */
export function precisionRecallCurve(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): PrecisionRecallCurve {
  const curve: PrecisionRecallCurve = { precision: [1], recall: [0], thresholds: [Infinity] };
  let [positives, called] = [0, 0];
  const found = [0];
  for (const group of scoreGroups(labels, scores)) {
    positives += group.positives;
    called += group.positives + group.negatives;
    curve.precision.push(positives / called);
    curve.thresholds.push(group.score);
    found.push(positives);
  }
  return { ...curve, recall: found.map((count) => count / positives) };
}

/**
 * The average precision, as scikit-learn's `average_precision_score`: the mean of the precisions, each
 * weighted by how much recall rises there (M. Zhu, Recall, precision and average precision, University
 * of Waterloo, 2004). A model that cannot tell the classes apart has the share of positive cases.
 *
 * @param labels as {@linkcode precisionRecallCurve}
 * @param scores as {@linkcode precisionRecallCurve}
 * @returns 0 to 1; NaN where only one class is present
 * @throws {RangeError} as {@linkcode precisionRecallCurve}
 *
 * @example
 * ```ts
 * import { averagePrecision } from "./precision_recall.ts";
 * console.assert(averagePrecision([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8]) === 1);
 * ```
 */
export function averagePrecision(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  if (new Set(Array.from(labels)).size < 2) return NaN;
  const { precision, recall } = precisionRecallCurve(labels, scores);
  return precision.reduce((sum, each, i) => sum + each * (recall[i] - (recall[i - 1] ?? 0)), 0);
}
