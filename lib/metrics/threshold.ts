/**
 * What a model decides once a threshold is set, and how often it is right.
 *
 * A metric whose denominator is 0 is not a number: without a positive case there is no sensitivity.
 */
import { checkCases, checkLevel } from "./cases.ts";
import { checkClusters, type Clusters, effectiveShare, type Share } from "./clusters.ts";
import type { Estimate } from "./estimate.ts";
import { shareRatio } from "./likelihood_ratio.ts";
import { normalQuantile } from "./normal.ts";
import { chooseThreshold } from "./operating_rule.ts";

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
  /**
   * Positive likelihood ratio, sensitivity / (1 − specificity): how much more often a positive case is
   * called positive than a negative one. Infinity without a false positive.
   */
  positiveLikelihoodRatio: Estimate;
  /**
   * Negative likelihood ratio, (1 − sensitivity) / specificity: how much more often a positive case is
   * called negative than a negative one.
   */
  negativeLikelihoodRatio: Estimate;
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
 * The metrics at a threshold, with Wilson's intervals; those of the likelihood ratios are
 * {@linkcode shareRatio}'s. Clustered cases count as so many independent ones as say as much; see
 * {@linkcode effectiveShare}.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label
 * @param threshold a case from this score on is called positive
 * @param clusters if given, cases of the same cluster are not taken for independent
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
  clusters?: Clusters,
): ThresholdMetrics {
  const confusion = confusionMatrix(labels, scores, threshold);
  checkClusters(labels.length, clusters);
  const called = Array.from(scores, (score) => score >= threshold ? 1 : 0);
  const all = [...called.keys()];
  const isLabel = (label: number) => all.filter((i) => labels[i] === label);
  const isCalled = (call: number) => all.filter((i) => called[i] === call);
  const share = (cases: readonly number[], isSuccess: (i: number) => boolean) =>
    effectiveShare(
      cases.map((i) => isSuccess(i) ? 1 : 0),
      clusters && cases.map((i) => clusters[i]),
    );
  const sensitivity = share(isLabel(1), (i) => called[i] === 1);
  const specificity = share(isLabel(0), (i) => called[i] === 0);
  const isRight = (i: number) => called[i] === labels[i];
  return {
    threshold,
    confusion,
    sensitivity: _wilson(sensitivity),
    specificity: _wilson(specificity),
    accuracy: _wilson(share(all, isRight)),
    ppv: _wilson(share(isCalled(1), isRight)),
    npv: _wilson(share(isCalled(0), isRight)),
    positiveLikelihoodRatio: shareRatio(sensitivity, _rest(specificity)),
    negativeLikelihoodRatio: shareRatio(_rest(sensitivity), specificity),
  };
}

function _rest({ successes, cases }: Share): Share {
  return { successes: cases - successes, cases };
}

function _wilson({ successes, cases }: Share): Proportion {
  return wilsonInterval(successes, cases);
}

/**
 * A share with the score interval of E. B. Wilson (1927, doi:10.1080/01621459.1927.10502953), which
 * stays within 0–1 and is of use for few cases too.
 *
 * @param successes how many cases are, 0 to `total`
 * @param total how many cases; neither need be whole, see {@linkcode effectiveShare}
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
  const threshold = chooseThreshold(labels, scores, "youden");
  if (Number.isNaN(threshold)) return { threshold, index: NaN };
  const { truePositives: tp, falsePositives: fp, ...rest } = confusionMatrix(
    labels,
    scores,
    threshold,
  );
  const [positives, negatives] = [tp + rest.falseNegatives, fp + rest.trueNegatives];
  return { threshold, index: (tp * negatives - fp * positives) / (positives * negatives) };
}
