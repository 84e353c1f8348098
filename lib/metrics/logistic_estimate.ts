/**
 * Logistic regression without a penalty, by maximum likelihood, and how sure its coefficients are.
 */
import { type Clusters, clusterSums } from "./clusters.ts";
import { type LogisticLoss, lossDerivatives, minimizeLoss, solve } from "./logistic.ts";

/** Coefficients and their covariance. */
export interface LogisticEstimate {
  /** One for each column. */
  coefficients: number[];
  /**
   * The inverse of Fisher's information. With clusters it is the robust covariance of K.-Y. Liang and
   * S. L. Zeger (Longitudinal data analysis using generalized linear models, Biometrika 73, 1986,
   * doi:10.1093/biomet/73.1.13), made larger by G/(G − 1) · (n − 1)/(n − k) for few clusters, as
   * statsmodels does.
   */
  covariance: number[][];
}

/**
 * Fits the coefficients of columns to labels. The caller sees to it that there is a largest likelihood:
 * that both classes are present, and that no line separates them.
 *
 * @param rows the columns of each case
 * @param labels 1 for a positive case, 0 for a negative one
 * @param offsets what is added to each logit and not fitted
 */
export function estimateLogistic(
  rows: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  { offsets, clusters }: { offsets?: ArrayLike<number>; clusters?: Clusters } = {},
): LogisticEstimate {
  const size = rows[0].length;
  const loss: LogisticLoss = { rows, labels, c: 1, penalty: 0, offsets };
  const coefficients = minimizeLoss(loss, new Array<number>(size).fill(0));
  const { hessian, slopes } = lossDerivatives(loss, coefficients);
  const unit = (column: number) => coefficients.map((_, i) => i === column ? 1 : 0);
  const inverse = coefficients.map((_, column) => solve(hessian, unit(column)));
  if (clusters === undefined) return { coefficients, covariance: inverse };

  const gradients = coefficients.map((_, column) =>
    clusterSums(slopes.map((slope, i) => slope * rows[i][column]), clusters)
  );
  const groups = gradients[0].length;
  const correction = (groups < 2 ? NaN : groups / (groups - 1)) * (rows.length - 1) /
    (rows.length - size);
  const between = gradients.map((a) => gradients.map((b) => correction * _dot(a, b)));
  return { coefficients, covariance: _times(_times(inverse, between), inverse) };
}

function _dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function _times(a: readonly number[][], b: readonly number[][]): number[][] {
  return a.map((row) => b[0].map((_, column) => _dot(row, b.map((each) => each[column]))));
}
