/**
 * How sure an area under the ROC curve is, and whether two of them differ, after E. R. DeLong,
 * D. M. DeLong and D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver
 * operating characteristic curves, Biometrics 44, 1988, doi:10.2307/2531595.
 *
 * Each positive case has a placement, the share of negative cases it outranks (a tie counts half),
 * and each negative one the share of positive cases that outrank it. The area is their mean, its
 * variance that of the two means. Placements are differences of midranks, so the work is a sort:
 * X. Sun and W. Xu, Fast implementation of DeLong's algorithm, IEEE Signal Processing Letters 21,
 * 2014, doi:10.1109/LSP.2014.2337313.
 *
 * Where cases are clustered, such as both knees of a patient, the variance is that of N. A. Obuchowski,
 * Nonparametric analysis of clustered ROC curve data, Biometrics 53, 1997, doi:10.2307/2533958. It is
 * DeLong's if every cluster is one case.
 */
import { checkCases, checkLevel } from "./cases.ts";
import { casesByCluster, type Clusters } from "./clusters.ts";
import { normalQuantile, twoSidedP } from "./normal.ts";
import { rocAuc } from "./roc.ts";

/** An area under the ROC curve and how sure it is. */
export interface AucInterval {
  /** The area, 0 to 1; NaN where only one class is present. */
  auc: number;
  /** The variance; NaN with fewer than two cases, or clusters of cases, of either class. */
  variance: number;
  /** The lower end of the interval, 0 to 1. */
  low: number;
  /** The upper end of the interval, 0 to 1. */
  high: number;
}

/** Two areas over the same cases, held against each other. */
export interface AucComparison {
  /** The first area less the second, −1 to 1. */
  difference: number;
  /** The lower end of the difference's interval. */
  low: number;
  /** The upper end of the difference's interval. */
  high: number;
  /** The difference in standard errors; 0 where there is no difference at all. */
  z: number;
  /** The chance of at least such a difference between two equally good models, 0 to 1. */
  p: number;
}

/**
 * The area under the ROC curve with DeLong's interval: the area ± a multiple of its standard error,
 * cut off at 0 and 1, as the R package pROC computes it.
 *
 * Where the scores separate the classes without fault the variance is 0 and the interval [1, 1]: the
 * method cannot tell how sure that is, and a small set is not.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label, higher for what is more likely positive
 * @param level the share of intervals that would hold the true area, above 0 and below 1
 * @param clusters if given, cases of the same cluster are not taken for independent
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a score is NaN, or the level is not
 * between 0 and 1
 *
 * @example
 * ```ts
 * import { delongInterval } from "./delong.ts";
 * const { auc, low, high } = delongInterval([0, 0, 0, 1, 1, 1], [0.1, 0.4, 0.6, 0.5, 0.8, 0.9]);
 * console.assert(auc === 8 / 9 && low > 0.5 && high === 1);
 * ```
 */
export function delongInterval(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  level = 0.95,
  clusters?: Clusters,
): AucInterval {
  checkLevel(level);
  const auc = rocAuc(labels, scores);
  const variance = _variance(labels, _placements(labels, scores), clusters);
  const reach = normalQuantile((1 + level) / 2) * Math.sqrt(variance);
  return { auc, variance, low: Math.max(0, auc - reach), high: Math.min(1, auc + reach) };
}

/**
 * DeLong's test of two models by the same cases, two-sided. That the cases are the same is made use
 * of: what both models find hard tells nothing about their difference.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param first the first model's score of each case
 * @param second the second model's; the two may be on different scales
 * @param level of the difference's interval, above 0 and below 1
 * @param clusters if given, cases of the same cluster are not taken for independent
 * @throws {RangeError} as {@linkcode delongInterval}
 *
 * @example
 * ```ts
 * import { delongTest } from "./delong.ts";
 * const labels = [0, 0, 0, 1, 1, 1];
 * const { p } = delongTest(labels, [0.1, 0.2, 0.6, 0.4, 0.8, 0.9], [1, 2, 6, 4, 8, 9]);
 * console.assert(p === 1, "a model equals itself, on whatever scale");
 * ```
 */
export function delongTest(
  labels: ArrayLike<number>,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  level = 0.95,
  clusters?: Clusters,
): AucComparison {
  checkLevel(level);
  const [a, b] = [_placements(labels, first), _placements(labels, second)];
  const apart = a.map((placement, i) => placement - b[i]);
  const difference = rocAuc(labels, first) - rocAuc(labels, second);
  const deviation = Math.sqrt(_variance(labels, apart, clusters));
  const z = difference === 0 && deviation === 0 ? 0 : difference / deviation;
  const reach = normalQuantile((1 + level) / 2) * deviation;
  return {
    difference,
    low: Math.max(-1, difference - reach),
    high: Math.min(1, difference + reach),
    z,
    p: twoSidedP(z),
  };
}

/** The share of the other class that each case ranks on the right side of, in the order of the cases. */
function _placements(labels: ArrayLike<number>, scores: ArrayLike<number>): Float64Array {
  checkCases(labels, scores);
  const of = (label: number) =>
    Float64Array.from(Array.from(scores).filter((_, i) => labels[i] === label));
  const [negatives, positives] = [of(0), of(1)];
  const both = new Float64Array(positives.length + negatives.length);
  both.set(positives);
  both.set(negatives, positives.length);
  const all = _midranks(both);
  const own = { positives: _midranks(positives), negatives: _midranks(negatives) };
  let [positive, negative] = [0, 0];
  return Float64Array.from(labels, (label) => {
    if (label === 1) return (all[positive] - own.positives[positive++]) / negatives.length;
    const rank = all[positives.length + negative] - own.negatives[negative++];
    return 1 - rank / positives.length;
  });
}

/** The ranks from 1 up, equal values sharing the mean of theirs. */
function _midranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values, (_, i) => i)
    .sort((a, b) => values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0);
  const ranks = new Float64Array(values.length);
  for (let begin = 0; begin < order.length;) {
    let end = begin + 1;
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let i = begin; i < end; i++) ranks[order[i]] = (begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

/**
 * The variance of the mean of the placements, by sums over clusters. A cluster with cases of both
 * classes adds the covariance of its two sums.
 */
function _variance(
  labels: ArrayLike<number>,
  placements: Float64Array,
  clusters?: Clusters,
): number {
  const counts = [0, 0];
  const means = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++;
    means[labels[i]] += placements[i];
  }
  means.forEach((sum, label) => means[label] = sum / counts[label]);
  const grouped = casesByCluster(labels.length, clusters);
  // Within and between the classes, and of how many clusters.
  const squares = [0, 0];
  const clustersOf = [0, 0];
  let products = 0;
  for (const cases of grouped) {
    const sums = [0, 0];
    for (const i of cases) sums[labels[i]] += placements[i] - means[labels[i]];
    products += sums[0] * sums[1];
    for (const label of [0, 1]) {
      squares[label] += sums[label] ** 2;
      if (cases.some((i) => labels[i] === label)) clustersOf[label]++;
    }
  }
  if (Math.min(...clustersOf) < 2) return NaN;
  const [negatives, positives] = squares.map((sum, label) =>
    clustersOf[label] / (clustersOf[label] - 1) * sum / counts[label] ** 2
  );
  const both = grouped.length / (grouped.length - 1) * products / (counts[0] * counts[1]);
  return Math.max(0, negatives + positives + 2 * both);
}
