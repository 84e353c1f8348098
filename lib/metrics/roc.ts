/**
 * The receiver operating characteristic, with ties as in scikit-learn.
 *
 * The area under it is the probability that a positive case, drawn at random, scores higher than a
 * negative one, a tie counting one half (Hanley and McNeil, 1982, doi:10.1148/radiology.143.1.7063747).
 * It is counted in half pairs, so it is exact but for one division.
 *
 * Where only one class is present there is no such pair and the area is not a number.
 */
import { checkCase, checkCases } from "./cases.ts";

/** The curve, from (0, 0) to (1, 1). */
export interface RocCurve {
  /** False positive rate at each threshold, 0 to 1; all NaN without a negative case. */
  fpr: number[];
  /** True positive rate at each threshold, 0 to 1; all NaN without a positive case. */
  tpr: number[];
  /**
   * The thresholds, falling: a case counts as positive from there up. The first is Infinity, so that
   * no case does; after it comes every score that occurs.
   */
  thresholds: number[];
}

/**
 * The area under the ROC curve, as scikit-learn's `roc_auc_score`, in O(n log n).
 *
 * @param labels 1 for a positive case, 0 for a negative one
 * @param scores one for each label, higher for what is more likely positive; any scale, infinities
 *   included
 * @returns 0 to 1; NaN where only one class is present
 * @throws {RangeError} if the lengths differ, a label is not 0 or 1, or a score is NaN
 *
 * @example
 * ```ts
 * import { rocAuc } from "./roc.ts";
 * console.assert(rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) === 0.75);
 * ```
 */
export function rocAuc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  let wins = 0;
  let positives = 0;
  let negatives = 0;
  for (const group of scoreGroups(labels, scores)) {
    wins += group.negatives * (positives + group.positives / 2);
    positives += group.positives;
    negatives += group.negatives;
  }
  return wins / (positives * negatives);
}

/**
 * The ROC curve, as scikit-learn's `roc_curve(…, drop_intermediate=False)`: a point for each score
 * that occurs.
 *
 * @param labels as {@linkcode rocAuc}
 * @param scores as {@linkcode rocAuc}
 * @throws {RangeError} as {@linkcode rocAuc}
 */
export function rocCurve(labels: ArrayLike<number>, scores: ArrayLike<number>): RocCurve {
  const [fps, tps, thresholds] = [[0], [0], [Infinity]];
  let positives = 0;
  let negatives = 0;
  for (const group of scoreGroups(labels, scores)) {
    fps.push(negatives += group.negatives);
    tps.push(positives += group.positives);
    thresholds.push(group.score);
  }
  return {
    fpr: fps.map((count) => count / negatives),
    tpr: tps.map((count) => count / positives),
    thresholds,
  };
}

/**
 * The area under the ROC curve of the cases so far, equal to {@linkcode rocAuc} of them after every
 * one.
 *
 * A case costs a binary search and an insertion into a sorted array: for an epoch of 1130 exams, all
 * together less than one sort after each.
 */
export class RunningAuc {
  readonly #positives: number[] = [];
  readonly #negatives: number[] = [];
  #wins = 0;

  /**
   * Adds a case.
   *
   * @param label 1 for a positive case, 0 for a negative one
   * @param score as {@linkcode rocAuc}
   * @throws {RangeError} if the label is not 0 or 1, or the score is NaN
   */
  add(label: number, score: number): void {
    checkCase(label, score);
    const [own, other] = label === 1
      ? [this.#positives, this.#negatives]
      : [this.#negatives, this.#positives];
    const below = _countBelow(other, score, false);
    const upTo = _countBelow(other, score, true);
    const outranked = label === 1 ? below : other.length - upTo;
    this.#wins += outranked + (upTo - below) / 2;
    own.splice(_countBelow(own, score, true), 0, score);
  }

  /** The area so far, 0 to 1; NaN while only one class was added. */
  get value(): number {
    return this.#wins / (this.#positives.length * this.#negatives.length);
  }
}

/** The cases that share a score. */
export interface ScoreGroup {
  /** The score. */
  score: number;
  /** How many of them are positive. */
  positives: number;
  /** How many of them are negative. */
  negatives: number;
}

/** The cases grouped by score, highest first. */
export function* scoreGroups(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): Iterable<ScoreGroup> {
  checkCases(labels, scores);
  // Not `b - a`, which is NaN for two equal infinities.
  const order = Uint32Array.from(scores, (_, i) => i)
    .sort((a, b) => scores[a] > scores[b] ? -1 : scores[a] < scores[b] ? 1 : 0);
  for (let i = 0; i < order.length;) {
    const group: ScoreGroup = { score: scores[order[i]], positives: 0, negatives: 0 };
    for (; i < order.length && scores[order[i]] === group.score; i++) {
      if (labels[order[i]] === 1) group.positives++;
      else group.negatives++;
    }
    yield group;
  }
}

/** How many values of a rising array are below the score, or, with `equal`, not above it. */
function _countBelow(sorted: readonly number[], score: number, equal: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < score || (equal && sorted[middle] === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
