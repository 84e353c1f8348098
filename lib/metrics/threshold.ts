/**
 * What a model decides once a threshold is set, and how often it is right.
 *
 * A metric whose denominator is 0 is not a number: without a positive case there is no sensitivity.
 */
import { checkCases, checkLevel } from "./cases.ts";
import { normalQuantile } from "./normal.ts";
import { rocCurve } from "./roc.ts";

/** How many cases were decided how. */
export interface ConfusionMatrix {
  /** Positive cases called positive. */
  truePositives: number;
  /** Negative cases called positive. */
  falsePositives: number;
  /** Negative cases called negative. */
  trueNegatives: number;
  /** Positive cases called negative. */
  falseNegatives: number;
}

/** A share of cases with its 95 % interval. */
export interface Proportion {
  /** The share, 0 to 1; NaN of no cases. */
  value: number;
  /** The lower end of its interval. */
  low: number;
  /** The upper end of its interval. */
  high: number;
}

/** The metrics at a threshold. */
export interface ThresholdMetrics {
  /** A case from this score on is called positive. */
  threshold: number;
  /** How many cases were decided how. */
  confusion: ConfusionMatrix;
  /** Of the positive cases, the share called positive. */
  sensitivity: Proportion;
  /** Of the negative cases, the share called negative. */
  specificity: Proportion;
  /** Of all cases, the share called what they are. */
  accuracy: Proportion;
  /** Positive predictive value: of the cases called positive, the share that is. */
  ppv: Proportion;
  /** Negative predictive value: of the cases called negative, the share that is. */
  npv: Proportion;
}

/**
 * Counts the decisions at a threshold.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label
 * @param threshold a case from this score on is called positive
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a score or the threshold is
 * NaN
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  threshold: number,
): ConfusionMatrix {
  checkCases(labels, scores);
  if (Number.isNaN(threshold)) {
    throw new RangeError("A threshold must be a number: current value is NaN");
  }
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] >= threshold) counts[labels[i] === 1 ? "truePositives" : "falsePositives"]++;
    else counts[labels[i] === 1 ? "falseNegatives" : "trueNegatives"]++;
  }
  return counts;
}

/**
 * The metrics at a threshold, with Wilson's intervals.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label
 * @param threshold a case from this score on is called positive
 * @throws {RangeError} as {@linkcode confusionMatrix}
 *
 * @example
 * ```ts
 * import { metricsAt } from "./threshold.ts";
 * const { sensitivity, specificity } = metricsAt([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9], 0.5);
 * console.assert(sensitivity.value === 1 && specificity.value === 0.5);
 * ```
 */
export function metricsAt(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  threshold: number,
): ThresholdMetrics {
  const confusion = confusionMatrix(labels, scores, threshold);
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } =
    confusion;
  return {
    threshold,
    confusion,
    sensitivity: wilsonInterval(tp, tp + fn),
    specificity: wilsonInterval(tn, tn + fp),
    accuracy: wilsonInterval(tp + tn, tp + fp + tn + fn),
    ppv: wilsonInterval(tp, tp + fp),
    npv: wilsonInterval(tn, tn + fn),
  };
}

/**
 * A share with the score interval of E. B. Wilson (1927, doi:10.1080/01621459.1927.10502953), which
 * stays within 0–1 and is of use for few cases too.
 *
 * @param successes a whole number from 0 to `total`
 * @param total how many cases
 * @param level the share of intervals that would hold the true share, above 0 and below 1
 * @throws {RangeError} if the level is not between 0 and 1
 *
 * @example
 * ```ts
 * import { wilsonInterval } from "./threshold.ts";
 * const { low, high } = wilsonInterval(10, 10);
 * console.assert(low > 0.72 && low < 0.73 && high === 1);
 * ```
 */
export function wilsonInterval(successes: number, total: number, level = 0.95): Proportion {
  checkLevel(level);
  const value = successes / total;
  const squared = normalQuantile((1 + level) / 2) ** 2;
  const middle = (successes + squared / 2) / (total + squared);
  const reach = Math.sqrt(squared * (successes * (1 - value) + squared / 4)) / (total + squared);
  return {
    value,
    // At the ends the formula gives 0 and 1 but for the rounding.
    low: successes === 0 ? 0 * value : middle - reach,
    high: successes === total ? 1 * value : middle + reach,
  };
}

/** Where Youden's index is largest. */
export interface YoudenPoint {
  /** A case from this score on is called positive; NaN where only one class is present. */
  threshold: number;
  /** The index there, sensitivity + specificity − 1. */
  index: number;
}

/**
 * The operating point by W. J. Youden's index (Index for rating diagnostic tests, Cancer 3, 1950):
 * the threshold at which sensitivity + specificity − 1 is largest.
 *
 * The threshold lies midway between two scores that occur, so that rounding on another machine
 * changes no decision. Of equally good thresholds the highest is taken, which calls the fewest cases
 * positive.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a score is NaN
 *
 * @example
 * ```ts
 * import { youdenPoint } from "./threshold.ts";
 * const { threshold, index } = youdenPoint([0, 0, 1, 1], [0.1, 0.25, 0.5, 0.9]);
 * console.assert(threshold === 0.375 && index === 1);
 * ```
 */
export function youdenPoint(labels: ArrayLike<number>, scores: ArrayLike<number>): YoudenPoint {
  const { fpr, tpr, thresholds } = rocCurve(labels, scores);
  const positives = Array.from(labels).filter((label) => label === 1).length;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return { threshold: NaN, index: NaN };
  // Counts compare without rounding, so that ties are ties.
  const gains = tpr.map((rate, i) =>
    Math.round(rate * positives) * negatives - Math.round(fpr[i] * negatives) * positives
  );
  // The first threshold is infinite: it calls nothing positive and is nobody's operating point.
  let best = 1;
  for (let i = 2; i < gains.length; i++) if (gains[i] > gains[best]) best = i;
  return {
    threshold: _midway(thresholds[best], thresholds[best + 1]),
    index: gains[best] / (positives * negatives),
  };
}

/** Midway down to the next score; the score itself where there is none, or nothing between. */
function _midway(score: number, next: number | undefined): number {
  if (next === undefined) return score;
  const middle = next + (score - next) / 2;
  return middle > next && middle <= score ? middle : score;
}
