/** Percentiles as NumPy's `percentile` has them by default: linear between the two nearest values. */

/** Values in ascending order, of which the one at an index can be asked for. */
export interface Sorted {
  /** How many there are. */
  readonly length: number;
  /** The value at an index, 0 to `length` − 1. */
  at(index: number): number;
}

/**
 * A percentile, with NumPy's rounding.
 *
 * @param percent 0–100
 * @returns 0 if there are no values
 */
export function percentile(values: Sorted, percent: number): number {
  if (values.length === 0) return 0;
  const rank = (values.length - 1) * percent / 100;
  const index = Math.floor(rank);
  const share = rank - index;
  const [a, b] = [values.at(index), values.at(Math.min(index + 1, values.length - 1))];
  return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share;
}
