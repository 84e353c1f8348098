/** Several tests at once: one of twenty has p < 0.05 by chance. */

/**
 * p values adjusted for their number (S. Holm, A simple sequentially rejective multiple test procedure,
 * Scandinavian Journal of Statistics 6, 1979): if those below 0.05 are called differences, the chance
 * that one or more of these is none is at most 5 %.
 *
 * @param values p values of any number of tests, each 0 to 1; one that is NaN stays so and counts as 1
 * @returns one for each, in the same order, none smaller than before
 *
 * @example
 * ```ts
 * import { holmAdjusted } from "./multiple.ts";
 * console.assert(holmAdjusted([0.25, 0.0625]).join() === "0.25,0.125");
 * ```
 */
export function holmAdjusted(values: readonly number[]): number[] {
  const size = (index: number) => Number.isNaN(values[index]) ? 1 : values[index];
  const order = [...values.keys()].sort((a, b) => size(a) - size(b));
  const adjusted = new Array<number>(values.length);
  let largest = 0;
  order.forEach((index, rank) => {
    largest = Math.max(largest, Math.min(1, (values.length - rank) * size(index)));
    adjusted[index] = Number.isNaN(values[index]) ? NaN : largest;
  });
  return adjusted;
}
