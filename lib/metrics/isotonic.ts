/** Isotonic regression: values that never fall with a score, by least squares. */

/** A piecewise linear curve that never falls. */
export interface IsotonicCurve {
  /** The scores at which a piece begins or ends, rising. */
  scores: number[];
  /** The value at each. */
  values: number[];
}

/** Cases that get the same value. */
interface Block {
  first: number;
  last: number;
  sum: number;
  count: number;
}

/**
 * Isotonic regression by pooling adjacent violators (M. Ayer et al., An empirical distribution function
 * for sampling with incomplete information, Annals of Mathematical Statistics 26, 1955). Scores of the
 * same size are one block from the beginning. The curve is that of scikit-learn's `IsotonicRegression`.
 *
 * @param labels 1 for a case with the finding, 0 for one without it
 * @param scores one for each label
 *
 * @example
 * ```ts
 * import { isotonicRegression } from "./isotonic.ts";
 * const { scores, values } = isotonicRegression([0, 1, 0, 1], [1, 2, 3, 4]);
 * console.assert(String(scores) === "1,2,3,4" && String(values) === "0,0.5,0.5,1");
 * ```
 */
export function isotonicRegression(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
): IsotonicCurve {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  const blocks: Block[] = [];
  for (const i of order) {
    const [score, last] = [scores[i], blocks.at(-1)];
    if (last !== undefined && last.last === score) {
      last.sum += labels[i];
      last.count++;
    } else blocks.push({ first: score, last: score, sum: labels[i], count: 1 });
  }
  const pooled: Block[] = [];
  for (const block of blocks) {
    let own = block;
    // A block whose mean is not above that of the one before joins it.
    for (let before = pooled.at(-1); before && _isNotAbove(own, before); before = pooled.at(-1)) {
      pooled.pop();
      const { first } = before;
      own = { first, last: own.last, sum: before.sum + own.sum, count: before.count + own.count };
    }
    pooled.push(own);
  }
  const ends = pooled.flatMap(({ first, last, sum, count }) => {
    const value = sum / count;
    return first === last ? [[first, value]] : [[first, value], [last, value]];
  });
  return { scores: ends.map(([score]) => score), values: ends.map(([, value]) => value) };
}

/** Compares means as whole numbers, without rounding. */
function _isNotAbove(one: Block, other: Block): boolean {
  return one.sum * other.count <= other.sum * one.count;
}
