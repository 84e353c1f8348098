/** Several byte arrays as one. */

/**
 * The bytes of all arrays, one after another, in an array of their own.
 *
 * @example
 * ```ts
 * import { concat } from "./bytes.ts";
 * const whole = concat([Uint8Array.of(1, 2), Uint8Array.of(3)]);
 * console.assert(String(whole) === "1,2,3");
 * ```
 */
export function concat(arrays: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
