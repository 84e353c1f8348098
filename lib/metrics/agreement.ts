/** Two raters who say yes or no of the same cases, such as a reader and a model: how far they agree. */
import { checkLevel } from "./cases.ts";
import type { Estimate } from "./estimate.ts";
import { waldInterval } from "./estimate.ts";

/** How many cases two raters said what of. */
export interface PairedDecisions {
  /** Both said yes. */
  both: number;
  /** The first said yes, the second no. */
  firstOnly: number;
  /** The second said yes, the first no. */
  secondOnly: number;
  /** Both said no. */
  neither: number;
}

/**
 * Cohen's kappa: how far two raters agree beyond chance (J. Cohen, A coefficient of agreement for nominal
 * scales, Educational and Psychological Measurement 20, 1960, doi:10.1177/001316446002000104), with the
 * large sample variance of J. L. Fleiss, J. Cohen and B. S. Everitt (Psychological Bulletin 72, 1969,
 * doi:10.1037/h0028106) and Wald's interval, cut at −1 and 1.
 *
 * @param decisions how many cases they said what of
 * @param level the share of intervals that would hold the true kappa, above 0 and below 1
 * @returns 1 if they always agree, 0 if as often as chance would have it, down to −1; NaN without a case,
 *   and if both said the same of every case, for then chance alone agrees
 * @throws {RangeError} if a count is no whole number of 0 or more, or the level is not between 0 and 1
 *
 * @example
 * ```ts
 * import { cohensKappa } from "./agreement.ts";
 * const { value } = cohensKappa({ both: 20, firstOnly: 5, secondOnly: 10, neither: 15 });
 * console.assert(Math.abs(value - 0.4) < 1e-12);
 * ```
 */
export function cohensKappa(decisions: PairedDecisions, level = 0.95): Estimate {
  checkLevel(level);
  const cases = _checkedSum(decisions);
  const yes = decisions.both / cases;
  const no = decisions.neither / cases;
  const [firstOnly, secondOnly] = [decisions.firstOnly / cases, decisions.secondOnly / cases];
  const [first, second] = [yes + firstOnly, yes + secondOnly];
  const byChance = first * second + (1 - first) * (1 - second);
  if (!(byChance < 1)) return { value: NaN, low: NaN, high: NaN };
  const value = (yes + no - byChance) / (1 - byChance);
  const apart = 1 - value;
  const agreeing = yes * (1 - (first + second) * apart) ** 2 +
    no * (1 - (2 - first - second) * apart) ** 2;
  // A case of the first rater's yes and the second's no weighs by the second's yes and the first's no.
  const differing = apart ** 2 *
    (firstOnly * (second + 1 - first) ** 2 + secondOnly * (1 - second + first) ** 2);
  const least = (value - byChance * apart) ** 2;
  const variance = (agreeing + differing - least) / (cases * (1 - byChance) ** 2);
  const { low, high } = waldInterval(value, Math.max(0, variance), level);
  return { value, low: Math.max(-1, low), high: Math.min(1, high) };
}

/**
 * McNemar's exact test whether two raters say yes equally often of the same cases (Q. McNemar, Note on the
 * sampling error of the difference between correlated proportions or percentages, Psychometrika 12, 1947,
 * doi:10.1007/BF02295996): by the binomial distribution of the cases that they differ on. Of cases with the
 * finding it compares two sensitivities, of those without it two specificities.
 *
 * @param decisions how many cases they said what of; only those that they differ on count
 * @returns the two-sided p value, 0 to 1; 1 if they differ on no case
 * @throws {RangeError} if a count is no whole number of 0 or more
 *
 * @example
 * ```ts
 * import { mcnemarTest } from "./agreement.ts";
 * console.assert(mcnemarTest({ both: 9, firstOnly: 5, secondOnly: 0, neither: 9 }) === 0.0625);
 * ```
 */
export function mcnemarTest(decisions: PairedDecisions): number {
  _checkedSum(decisions);
  const differing = decisions.firstOnly + decisions.secondOnly;
  const fewer = Math.min(decisions.firstOnly, decisions.secondOnly);
  // The largest term first, as a logarithm: 2⁻ⁿ alone would be 0 from 1075 cases on.
  let logarithm = -differing * Math.LN2;
  for (let k = 0; k < fewer; k++) logarithm += Math.log((differing - k) / (k + 1));
  let term = Math.exp(logarithm);
  let tail = 0;
  for (let k = fewer; k >= 0 && term > 0; k--) {
    tail += term;
    term *= k / (differing - k + 1);
  }
  return Math.min(1, 2 * tail);
}

function _checkedSum(decisions: PairedDecisions): number {
  const { both, firstOnly, secondOnly, neither } = decisions;
  for (const [name, count] of Object.entries({ both, firstOnly, secondOnly, neither })) {
    if (Number.isSafeInteger(count) && count >= 0) continue;
    throw new RangeError(
      `The count '${name}' must be a whole number of 0 or more: current value is ${count}`,
    );
  }
  return both + firstOnly + secondOnly + neither;
}
