/** Whether acting by a model does more good than harm. */
import { checkProbabilities } from "./cases.ts";
import { type Clusters, varianceOfMean } from "./clusters.ts";
import { type Estimate, waldInterval } from "./estimate.ts";

/** What a model is worth at a threshold. */
export interface NetBenefit extends Estimate {
  /** Positive from this probability on. It says how much harm an unnecessary action does. */
  threshold: number;
  /** The net benefit of acting in every case; that of acting in none is 0. */
  all: number;
}

/** The thresholds if none are given: 0.01, 0.02, …, 0.99. */
const THRESHOLDS = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

/**
 * The decision curve: the net benefit of acting in the cases that a model calls positive, at each
 * threshold t. It is the share of true positives less t / (1 − t) times the share of false positives:
 * somebody who acts from a probability of 0.1 on finds nine unnecessary actions as bad as one finding
 * that is missed (A. J. Vickers and E. B. Elkin, Decision curve analysis, Medical Decision Making 26,
 * 2006, doi:10.1177/0272989X06295361).
 *
 * Net benefit is a mean over the cases, and its interval that of a mean (Wald).
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param probabilities one for each label, 0 to 1
 * @param thresholds above 0 and below 1
 * @param clusters if given, cases of the same cluster are not taken for independent
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a probability is outside 0–1, or
 * a threshold is not between 0 and 1
 *
 * @example
 * ```ts
 * import { decisionCurve } from "./decision_curve.ts";
 * const [{ value, all }] = decisionCurve([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9], [0.5]);
 * console.assert(value === 0.25 && all === 0, "2 of 4 are found, 1 of 4 is called so wrongly");
 * ```
 */
export function decisionCurve(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  thresholds: readonly number[] = THRESHOLDS,
  clusters?: Clusters,
): NetBenefit[] {
  checkProbabilities(labels, probabilities);
  return thresholds.map((threshold) => {
    if (!(threshold > 0 && threshold < 1)) {
      throw new RangeError(
        `A threshold must be above 0 and below 1: current value is ${threshold}`,
      );
    }
    const harm = threshold / (1 - threshold);
    const worth = Array.from(labels, (label) => label === 1 ? 1 : -harm);
    const values = worth.map((each, i) => probabilities[i] >= threshold ? each : 0);
    const interval = waldInterval(_mean(values), varianceOfMean(values, clusters));
    return { threshold, ...interval, all: _mean(worth) };
  });
}

function _mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
