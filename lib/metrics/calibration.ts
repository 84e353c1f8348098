/**
 * Whether probabilities mean what they say: of the exams given 0.7, seven in ten should show the
 * finding.
 */
import { checkProbabilities } from "./cases.ts";
import { checkClusters, type Clusters, effectiveShare } from "./clusters.ts";
import { wilsonInterval } from "./threshold.ts";

/** The cases whose probability lies in one bin of 0–1. */
export interface CalibrationBin {
  /** Where the bin begins; a probability equal to it belongs to the bin before. */
  from: number;
  /** Where the bin ends, itself included. */
  to: number;
  /** How many cases are in it. */
  count: number;
  /** The mean of their probabilities; NaN without a case. */
  meanProbability: number;
  /** The share of them that is positive; NaN without a case. */
  positiveShare: number;
  /** The lower end of the share's interval (Wilson's); NaN without a case. */
  low: number;
  /** The upper end of the share's interval. */
  high: number;
}

/**
 * The Brier score: the mean squared distance of the probability from the label (G. W. Brier, 1950).
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param probabilities one for each label, 0 to 1
 * @returns 0 to 1, lower is better; NaN of no cases
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a probability is outside 0–1
 *
 * @example
 * ```ts
 * import { brierScore } from "./calibration.ts";
 * console.assert(brierScore([1, 0], [0.5, 0.5]) === 0.25);
 * ```
 */
export function brierScore(labels: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  checkProbabilities(labels, probabilities);
  let sum = 0;
  for (let i = 0; i < labels.length; i++) sum += (probabilities[i] - labels[i]) ** 2;
  return sum / labels.length;
}

/**
 * The calibration curve in bins of equal width, as scikit-learn's `calibration_curve`; the bins that
 * it leaves out for being empty are here too.
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param probabilities one for each label, 0 to 1
 * @param bins how many, at least 1
 * @param clusters if given, cases of the same cluster are not taken for independent
 * @returns the bins from 0 to 1
 * @throws {RangeError} as {@linkcode brierScore}, or if there is not at least one bin
 *
 * @example
 * ```ts
 * import { calibrationCurve } from "./calibration.ts";
 * const [low, high] = calibrationCurve([0, 1, 1], [0.25, 0.75, 0.85], 2);
 * console.assert(low.positiveShare === 0 && high.positiveShare === 1 && high.count === 2);
 * ```
 */
export function calibrationCurve(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  bins = 10,
  clusters?: Clusters,
): CalibrationBin[] {
  checkProbabilities(labels, probabilities);
  checkClusters(labels.length, clusters);
  if (!(Number.isSafeInteger(bins) && bins >= 1)) {
    throw new RangeError(`There must be at least one bin: current value is ${bins}`);
  }
  // The edges have the rounding of NumPy's linspace, which decides where 0.3 belongs.
  const edges = Array.from({ length: bins + 1 }, (_, i) => i === bins ? 1 : i * (1 / bins));
  const cases = edges.slice(1).map((): number[] => []);
  for (let i = 0; i < labels.length; i++) {
    cases[edges.findIndex((_, edge) => probabilities[i] <= edges[edge + 1])].push(i);
  }
  return cases.map((own, i) => {
    const share = effectiveShare(
      own.map((k) => labels[k]),
      clusters && own.map((k) => clusters[k]),
    );
    const { value: positiveShare, low, high } = wilsonInterval(share.successes, share.cases);
    const probability = own.reduce((sum, k) => sum + probabilities[k], 0);
    return {
      ...{ from: edges[i], to: edges[i + 1], count: own.length },
      ...{ meanProbability: probability / own.length, positiveShare, low, high },
    };
  });
}
