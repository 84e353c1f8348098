/** Whether probabilities are too high or too low, and whether they are too extreme. */
import { areFinite } from "../finite.ts";
import { checkCases } from "./cases.ts";
import { type Clusters, varianceOfSum } from "./clusters.ts";
import { type Estimate, NO_ESTIMATE, transformed, waldInterval } from "./estimate.ts";
import { estimateLogistic } from "./logistic_estimate.ts";

/** How probabilities go with what is so. */
export interface CalibrationFit {
  /**
   * The calibration slope: that of a logistic regression of the labels on the logits. It is 1 for good
   * probabilities, and below 1 for those that are too extreme. NaN if a threshold separates the classes
   * without fault, or if all logits are equal.
   */
  slope: Estimate;
  /**
   * The calibration intercept, or calibration in the large: what must be added to all logits so that
   * the mean probability is the share of positive cases. It is 0 for good probabilities, and below 0
   * for those that are too high. NaN with one class only.
   */
  intercept: Estimate;
  /**
   * Observed to expected: the number of positive cases, divided by the sum of the probabilities. It is
   * 1 for good probabilities, and below 1 for those that are too high. NaN of no cases.
   */
  observedToExpected: Estimate;
}

/**
 * Calibration slope, intercept, and observed to expected ratio.
 *
 * Slope and intercept are D. R. Cox's (Two further applications of a model for binary regression,
 * Biometrika 45, 1958, doi:10.1093/biomet/45.3-4.562), the intercept with the slope held at 1, as
 * B. Van Calster et al. recommend it (Calibration: the Achilles heel of predictive analytics, BMC
 * Medicine 17, 2019, doi:10.1186/s12916-019-1466-7). Their intervals are Wald's. The interval of the
 * ratio is Wald's of its logarithm, with the robust variance of a Poisson regression (G. Zou, A modified
 * Poisson regression approach to prospective studies with binary data, American Journal of Epidemiology
 * 159, 2004, doi:10.1093/aje/kwh090).
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param logits one for each label: the logarithm of p / (1 − p), any finite number
 * @param level the share of intervals that would hold the true value, above 0 and below 1
 * @param clusters if given, cases of the same cluster are not taken for independent
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, a logit is NaN, or the level is not
 * between 0 and 1
 *
 * @example
 * ```ts
 * import { calibrationFit } from "./calibration_fit.ts";
 * const logits = [-2, -1, 0.5, 1, 2, -1.5, 0.4, 3];
 * const { slope, observedToExpected } = calibrationFit([0, 1, 0, 1, 1, 0, 0, 1], logits);
 * console.assert(slope.low < 1 && slope.high > 1 && observedToExpected.low < 1);
 * ```
 */
export function calibrationFit(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  level = 0.95,
  clusters?: Clusters,
): CalibrationFit {
  checkCases(labels, logits);
  return {
    slope: _slope(labels, logits, level, clusters),
    intercept: _intercept(labels, logits, level, clusters),
    observedToExpected: _ratio(labels, logits, level, clusters),
  };
}

type _Arguments = [
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  level: number,
  clusters: Clusters | undefined,
];

function _slope(...[labels, logits, level, clusters]: _Arguments): Estimate {
  const [negatives, positives] = [0, 1].map((label) =>
    Array.from(logits).filter((_, i) => labels[i] === label)
  );
  if (_isSeparated(negatives, positives) || !areFinite(logits)) return NO_ESTIMATE;
  const rows = Array.from(logits, (logit) => [logit, 1]);
  const { coefficients, covariance } = estimateLogistic(rows, labels, { clusters });
  return waldInterval(coefficients[0], covariance[0][0], level);
}

/** Whether a threshold has all cases of a class on one side: then no slope is the most likely. */
function _isSeparated(negatives: readonly number[], positives: readonly number[]): boolean {
  const lowest = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  return !(highest(negatives) > lowest(positives) && highest(positives) > lowest(negatives));
}

function _intercept(...[labels, logits, level, clusters]: _Arguments): Estimate {
  const count = Array.from(labels).reduce((sum, label) => sum + label, 0);
  if (count === 0 || count === labels.length || !areFinite(logits)) return NO_ESTIMATE;
  const rows = Array.from(logits, () => [1]);
  const options = { offsets: logits, clusters };
  const { coefficients, covariance } = estimateLogistic(rows, labels, options);
  return waldInterval(coefficients[0], covariance[0][0], level);
}

function _ratio(...[labels, logits, level, clusters]: _Arguments): Estimate {
  const probabilities = Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const observed = Array.from(labels).reduce((sum, label) => sum + label, 0);
  const ratio = observed / probabilities.reduce((sum, each) => sum + each, 0);
  if (observed === 0) return { ...NO_ESTIMATE, value: ratio };
  const residuals = probabilities.map((each, i) => (labels[i] - ratio * each) / observed);
  const variance = varianceOfSum(residuals, clusters);
  return transformed(waldInterval(Math.log(ratio), variance, level), Math.exp);
}
