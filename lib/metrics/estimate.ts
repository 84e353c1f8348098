/** A number that was estimated, and how sure it is. */
import { checkLevel } from "./cases.ts";
import { normalQuantile } from "./normal.ts";

/** An estimate with its interval, of 95 % if no other level was asked for. */
export interface Estimate {
  /** The estimate; NaN if the cases do not tell it. */
  value: number;
  /** The lower end of its interval; NaN if there is none. */
  low: number;
  /** The upper end of its interval; NaN if there is none. */
  high: number;
}

/** What the cases do not tell. */
export const NO_ESTIMATE: Readonly<Estimate> = { value: NaN, low: NaN, high: NaN };

/**
 * An estimate that is distributed normally, with A. Wald's interval: so many standard errors on both
 * sides.
 *
 * @throws {RangeError} if the level is not between 0 and 1
 */
export function waldInterval(value: number, variance: number, level = 0.95): Estimate {
  checkLevel(level);
  const reach = normalQuantile((1 + level) / 2) * Math.sqrt(variance);
  return { value, low: value - reach, high: value + reach };
}

/** An estimate on another scale: `Math.exp` of a logarithm, for example. */
export function transformed(
  { value, low, high }: Estimate,
  to: (value: number) => number,
): Estimate {
  return { value: to(value), low: to(low), high: to(high) };
}
