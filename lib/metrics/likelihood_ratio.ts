/** The ratio of two shares, such as a likelihood ratio, and how sure it is. */
import { checkLevel } from "./cases.ts";
import type { Share } from "./clusters.ts";
import type { Estimate } from "./estimate.ts";
import { normalQuantile } from "./normal.ts";

/** How often an end is halved: 2⁻⁶⁰ of the range of logarithms is below their last digit. */
const BISECTIONS = 60;

/** Ratios are looked for between e⁻³⁰ and e³⁰; beyond are 0 and infinity. */
const FURTHEST = 30;

/**
 * The ratio of two shares with the score interval of O. S. Miettinen and M. Nurminen (Comparative
 * analysis of two rates, Statistics in Medicine 4, 1985, doi:10.1002/sim.4780040211): the ratios that a
 * test of the two shares does not reject. It is of use for few cases and for shares of 0 and 1 too.
 *
 * @param first the share above the line
 * @param second the share below it
 * @param level the share of intervals that would hold the true ratio, above 0 and below 1
 * @returns all 0 or more. The ratio, and the upper end, are Infinity if the second share is 0; the ratio
 * is NaN if both are, and everything is without a case
 * @throws {RangeError} if the level is not between 0 and 1
 *
 * @example
 * ```ts
 * import { shareRatio } from "./likelihood_ratio.ts";
 * // Sensitivity 0.9 of 50 cases, 1 − specificity 0.1 of 70.
 * const { value, low, high } = shareRatio({ successes: 45, cases: 50 }, { successes: 7, cases: 70 });
 * console.assert(Math.abs(value - 9) < 1e-12 && low > 4 && high < 19);
 * ```
 */
export function shareRatio(first: Share, second: Share, level = 0.95): Estimate {
  checkLevel(level);
  const value = first.successes / first.cases / (second.successes / second.cases);
  if (first.cases === 0 || second.cases === 0) return { value: NaN, low: NaN, high: NaN };
  const limit = normalQuantile((1 + level) / 2);
  // The score falls as the ratio rises.
  const end = (score: number) => {
    let [low, high] = [-FURTHEST, FURTHEST];
    for (let i = 0; i < BISECTIONS; i++) {
      const middle = (low + high) / 2;
      if (_score(first, second, Math.exp(middle)) > score) low = middle;
      else high = middle;
    }
    return Math.exp((low + high) / 2);
  };
  return {
    value,
    low: first.successes === 0 ? 0 : end(limit),
    high: second.successes === 0 ? Infinity : end(-limit),
  };
}

/** How far the shares are from a ratio, in standard errors under that ratio. */
function _score(first: Share, second: Share, ratio: number): number {
  const [x, n, y, m] = [first.successes, first.cases, second.successes, second.cases];
  // The most likely second share if the ratio is so: the smaller root of a quadratic equation.
  const a = (n + m) * ratio;
  const b = n * ratio + x + m + y * ratio;
  const c = x + y;
  const q = 2 * c / (b + Math.sqrt(Math.max(0, b * b - 4 * a * c)));
  const p = Math.min(1, q * ratio);
  const total = n + m;
  const variance = (p * (1 - p) / n + ratio ** 2 * q * (1 - q) / m) * total / (total - 1);
  const apart = x / n - ratio * y / m;
  // Two shares of 1 have no variance under the ratio 1.
  return apart === 0 ? 0 : apart / Math.sqrt(variance);
}
