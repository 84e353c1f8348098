/** How many exams are needed for an area under the ROC curve to be as sure as one wants it. */
import { checkLevel } from "./cases.ts";
import { normalQuantile } from "./normal.ts";

/** How many exams. */
export interface SampleSize {
  /** With the finding. */
  positives: number;
  /** Without it. */
  negatives: number;
}

/** What an interval shall be like. */
export interface IntervalGoal {
  /** The area that is expected, above 0 and below 1. */
  auc: number;
  /** How wide its interval may be, from its lower to its upper end; above 0 and below 1. */
  width: number;
  /**
   * The share of exams with the finding, above 0 and below 1.
   * @default 0.5
   */
  prevalence?: number;
  /**
   * The interval's level, above 0 and below 1.
   * @default 0.95
   */
  level?: number;
}

/** Which difference of two models on the same exams shall be found. */
export interface DifferenceGoal extends Omit<IntervalGoal, "width"> {
  /** The area of the other model, above 0 and below 1. */
  otherAuc: number;
  /**
   * How the two areas vary together over sets of exams, from 0 to below 1.
   * @default 0.5
   */
  correlation?: number;
  /**
   * The chance of finding the difference, above 0 and below 1.
   * @default 0.8
   */
  power?: number;
}

/**
 * The variance of an area under the ROC curve by its size alone (J. A. Hanley and B. J. McNeil, The
 * meaning and use of the area under a receiver operating characteristic curve, Radiology 143, 1982,
 * doi:10.1148/radiology.143.1.7063747).
 *
 * @param auc the area, 0 to 1
 *
 * @example
 * ```ts
 * import { hanleyMcNeilVariance } from "./power.ts";
 * const error = Math.sqrt(hanleyMcNeilVariance(0.893, { positives: 51, negatives: 58 }));
 * console.assert(Math.abs(error - 0.0325) < 0.0001);
 * ```
 */
export function hanleyMcNeilVariance(auc: number, { positives, negatives }: SampleSize): number {
  const [q1, q2] = [auc / (2 - auc), 2 * auc ** 2 / (1 + auc)];
  return (auc * (1 - auc) + (positives - 1) * (q1 - auc ** 2) + (negatives - 1) * (q2 - auc ** 2)) /
    (positives * negatives);
}

/**
 * The variance of an area under the ROC curve for one exam with the finding; for n of them it is one
 * n-th (N. A. Obuchowski, Computing sample size for receiver operating characteristic studies,
 * Investigative Radiology 29, 1994; the constants are the paper's own, 1.414 among them).
 *
 * @param auc the area, above 0 and below 1
 * @param ratio how many exams without the finding there are for each with it, above 0
 */
export function obuchowskiVariance(auc: number, ratio: number): number {
  const a = normalQuantile(auc) * 1.414;
  return 0.0099 * Math.exp(-(a ** 2) / 2) * (5 * a ** 2 + 8 + (a ** 2 + 8) / ratio);
}

/**
 * How many exams give an interval of a width, by {@linkcode hanleyMcNeilVariance}: the fewest whose
 * interval, so many standard errors on both sides, is no wider.
 *
 * @throws {RangeError} if a number is out of its range
 *
 * @example
 * ```ts
 * import { examsForInterval } from "./power.ts";
 * const { positives, negatives } = examsForInterval({ auc: 0.9, width: 0.1 });
 * console.assert(positives === 79 && negatives === 79);
 * ```
 */
export function examsForInterval(
  { auc, width, prevalence = 0.5, level = 0.95 }: IntervalGoal,
): SampleSize {
  _checkShares({ auc, width, prevalence });
  checkLevel(level);
  const z = normalQuantile((1 + level) / 2);
  const isEnough = (exams: number) =>
    2 * z * Math.sqrt(hanleyMcNeilVariance(auc, _split(exams, prevalence))) <= width;
  let enough = 2;
  while (!isEnough(enough)) enough *= 2;
  for (let tooFew = enough / 2; enough - tooFew > 1;) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (isEnough(middle)) enough = middle;
    else tooFew = middle;
  }
  return _split(enough, prevalence);
}

/**
 * How many exams find a difference of two models that are compared on the same exams (N. A. Obuchowski
 * and D. K. McClish, Sample size determination for diagnostic accuracy studies involving binormal ROC
 * curve indices, Statistics in Medicine 16, 1997), with the variances of
 * {@linkcode obuchowskiVariance}.
 *
 * @throws {RangeError} if a number is out of its range, or both areas are the same
 *
 * @example
 * ```ts
 * import { examsForDifference } from "./power.ts";
 * const few = examsForDifference({ auc: 0.9, otherAuc: 0.8 });
 * const many = examsForDifference({ auc: 0.9, otherAuc: 0.85 });
 * console.assert(many.positives > 3 * few.positives);
 * ```
 */
export function examsForDifference(
  { auc, otherAuc, correlation = 0.5, prevalence = 0.5, level = 0.95, power = 0.8 }: DifferenceGoal,
): SampleSize {
  _checkShares({ auc, "other auc": otherAuc, prevalence, power });
  checkLevel(level);
  if (!(correlation >= 0 && correlation < 1)) {
    throw new RangeError(
      `A correlation must be from 0 to below 1: current value is ${correlation}`,
    );
  }
  if (auc === otherAuc) {
    throw new RangeError(`The two areas must differ: current value of both is ${auc}`);
  }
  const ratio = (1 - prevalence) / prevalence;
  const [first, second] = [auc, otherAuc].map((area) => obuchowskiVariance(area, ratio));
  const covariance = correlation * Math.sqrt(first * second);
  const ifEqual = 2 * first - 2 * covariance;
  const ifDifferent = first + second - 2 * covariance;
  const reach = normalQuantile((1 + level) / 2) * Math.sqrt(ifEqual) +
    normalQuantile(power) * Math.sqrt(ifDifferent);
  const positives = (reach / (auc - otherAuc)) ** 2;
  return { positives: Math.ceil(positives), negatives: Math.ceil(positives * ratio) };
}

/** So many exams by class, both rounded up. */
function _split(exams: number, prevalence: number): SampleSize {
  return {
    positives: Math.ceil(exams * prevalence),
    negatives: Math.ceil(exams * (1 - prevalence)),
  };
}

function _checkShares(shares: Record<string, number>): void {
  for (const [name, value] of Object.entries(shares)) {
    if (value > 0 && value < 1) continue;
    throw new RangeError(`The ${name} must be above 0 and below 1: current value is ${value}`);
  }
}
