/**
 * Logistic regression with a penalty, as scikit-learn's `LogisticRegression` with its defaults: the
 * weights are penalised by half their squared length, the intercept is not, and the sum of the
 * cases' log losses counts C times.
 *
 * The features are few, so it is fitted by Newton's method, which ends at the minimum to the last
 * digits and needs no scaling; scikit-learn's own stops within its tolerance of the same minimum.
 */

/** A fitted model: its logit is the intercept plus the weighted sum of the features. */
export interface LogisticModel {
  /** One for each feature. */
  weights: number[];
  /** The logit where all features are 0. */
  intercept: number;
}

/** The objective's norm of the gradient at which the minimum is reached, for each case and C. */
const TOLERANCE = 1e-13;
const MAX_STEPS = 200;

/**
 * Fits a logistic regression.
 *
 * @param features `[cases, features]`, all finite
 * @param labels 1 for a positive case, 0 for a negative one
 * @param c how much the cases weigh against the penalty, above 0
 * @throws {RangeError} if the sizes differ, a label is not 0 or 1, a feature is not finite, `c` is not
 * above 0, or only one class is present, for which no intercept is best
 *
 * @example
 * ```ts
 * import { fitLogistic, logisticProbability } from "./logistic.ts";
 * const model = fitLogistic([[0.1], [0.2], [0.7], [0.9]], [0, 0, 1, 1]);
 * console.assert(logisticProbability(model, [0.9]) > 0.5);
 * ```
 */
export function fitLogistic(
  features: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  c = 1,
): LogisticModel {
  _check(features, labels, c);
  // A column of ones takes the intercept, which comes last.
  const rows = features.map((row) => [...row, 1]);
  const positives = Array.from(labels).filter((label) => label === 1).length;
  const start = new Array<number>(rows[0].length).fill(0);
  // The best intercept of weights 0, so that a rare class is no far way off.
  start[start.length - 1] = Math.log(positives / (labels.length - positives));
  const point = minimizeLoss({ rows, labels, c, penalty: 1 }, start);
  return { weights: point.slice(0, -1), intercept: point.at(-1)! };
}

/** What is minimized: C times the log losses of the cases, and the penalty. */
export interface LogisticLoss {
  /** The features of each case; the last column is not penalized. */
  rows: readonly (readonly number[])[];
  /** 1 for a positive case, 0 for a negative one; a share where neither is certain. */
  labels: ArrayLike<number>;
  /** How much the cases weigh. */
  c: number;
  /** How much half the squared weights weigh; 0 for maximum likelihood. */
  penalty: number;
  /** What is added to the logit of each case; 0 if left out. */
  offsets?: ArrayLike<number>;
}

/** Newton's method from a start to the minimum. */
export function minimizeLoss(loss: LogisticLoss, start: readonly number[]): number[] {
  let point = [...start];
  let value = _objective(loss, point);
  for (let step = 0; step < MAX_STEPS; step++) {
    const { gradient, hessian } = lossDerivatives(loss, point);
    if (Math.hypot(...gradient) <= TOLERANCE * Math.max(1, loss.c * loss.rows.length)) break;
    const direction = solve(hessian, gradient);
    let length = 1;
    let [next, lower] = [point, value];
    do {
      next = point.map((at, i) => at - length * direction[i]);
      lower = _objective(loss, next);
      length /= 2;
      // Where rounding hides any gain the minimum is reached.
    } while (!(lower < value) && length > Number.EPSILON);
    if (!(lower < value)) break;
    [point, value] = [next, lower];
  }
  return point;
}

/**
 * What a fitted model says about a case.
 *
 * @param features one for each weight
 * @returns the probability of the positive class, 0 to 1
 * @throws {RangeError} if there are more or fewer features than weights
 */
export function logisticProbability(
  { weights, intercept }: LogisticModel,
  features: readonly number[],
): number {
  if (features.length !== weights.length) {
    throw new RangeError(
      `A feature is needed for each of ${weights.length} weights: there are ${features.length}`,
    );
  }
  const logit = weights.reduce((sum, weight, i) => sum + weight * features[i], intercept);
  return 1 / (1 + Math.exp(-logit));
}

function _check(
  features: readonly (readonly number[])[],
  labels: ArrayLike<number>,
  c: number,
): void {
  if (features.length !== labels.length) {
    throw new RangeError(
      `Labels and features must go together: there are ${labels.length} and ${features.length}`,
    );
  }
  if (!(c > 0 && c < Infinity)) throw new RangeError(`C must be above 0: current value is ${c}`);
  const classes = new Set(Array.from(labels));
  for (const label of classes) {
    if (label === 0 || label === 1) continue;
    throw new RangeError(`A label must be 0 or 1: current value is ${label}`);
  }
  if (classes.size < 2) throw new RangeError("Both classes must be present: there is only one");
  for (const row of features) {
    if (row.length !== features[0].length) {
      throw new RangeError(
        `Every case must have the same features: there are ${features[0].length} and ${row.length}`,
      );
    }
    for (const value of row) {
      if (Number.isFinite(value)) continue;
      throw new RangeError(`A feature must be a finite number: current value is ${value}`);
    }
  }
}

function _dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The logit of a case. */
function _logit({ rows, offsets }: LogisticLoss, index: number, point: readonly number[]): number {
  return _dot(rows[index], point) + (offsets?.[index] ?? 0);
}

function _objective(loss: LogisticLoss, point: readonly number[]): number {
  const weights = point.slice(0, -1);
  let sum = 0;
  for (let i = 0; i < loss.rows.length; i++) {
    const [logit, label] = [_logit(loss, i, point), loss.labels[i]];
    if (label === 1) sum += _softplus(-logit);
    else if (label === 0) sum += _softplus(logit);
    else sum += label * _softplus(-logit) + (1 - label) * _softplus(logit);
  }
  return loss.penalty * _dot(weights, weights) / 2 + loss.c * sum;
}

/** `log(1 + eˣ)`, without e^700 overflowing. */
function _softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The first and second derivatives at a point, and each case's derivative by its logit. */
export function lossDerivatives(
  loss: LogisticLoss,
  point: readonly number[],
): { gradient: number[]; hessian: number[][]; slopes: number[] } {
  const { rows, labels, c, penalty } = loss;
  const last = point.length - 1;
  const gradient = point.map((weight, i) => i === last ? 0 : penalty * weight);
  const hessian = point.map((_, i) => point.map((_, j) => i === j && i !== last ? penalty : 0));
  const slopes: number[] = [];
  rows.forEach((row, k) => {
    const logit = _logit(loss, k, point);
    const probability = 1 / (1 + Math.exp(-logit));
    // p (1 − p), where 1 − p would lose its digits for a large p.
    const curvature = c * probability / (1 + Math.exp(logit));
    const slope = c * (probability - labels[k]);
    slopes.push(slope);
    for (let i = 0; i <= last; i++) {
      gradient[i] += slope * row[i];
      for (let j = 0; j <= last; j++) hessian[i][j] += curvature * row[i] * row[j];
    }
  });
  return { gradient, hessian, slopes };
}

/** Solves a symmetric positive definite system by elimination with pivots. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column + 1; i < size; i++) {
      if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) pivot = i;
    }
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (let i = column + 1; i < size; i++) {
      const factor = rows[i][column] / rows[column][column];
      for (let j = column; j <= size; j++) rows[i][j] -= factor * rows[column][j];
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let j = i + 1; j < size; j++) rows[i][size] -= rows[i][j] * rows[j][size];
    rows[i][size] /= rows[i][i];
  }
  return rows.map((row) => row[size]);
}
