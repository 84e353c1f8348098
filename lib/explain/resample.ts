/**
 * Images of one channel in another size.
 */
import type { ReceptiveField } from "../network/receptive_field.ts";
import type { Size } from "../network/sizes.ts";

/** The source pixels that one pixel of an axis is the weighted sum of. */
interface Taps {
  first: number;
  /** They add up to 1. */
  weights: number[];
}

/**
 * An image in another size. Where it grows it is bilinear. Where it shrinks, the filter is a triangle wide
 * enough to use every pixel. Beyond the edge the edge's pixels repeat.
 *
 * @param values `[from.height, from.width]`
 * @returns `[to.height, to.width]`
 */
export function resample(values: ArrayLike<number>, from: Size, to: Size): Float32Array {
  const columns = _axis(from.width, to.width);
  const rows = _axis(from.height, to.height);
  const narrow = new Float32Array(from.height * to.width);
  // Column by column: each has its taps looked up once.
  for (let column = 0; column < to.width; column++) {
    const { first, weights } = columns[column];
    const taps = weights.map((_, tap) => _within(first + tap, from.width));
    for (let row = 0; row < from.height; row++) {
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap++) {
        sum += weights[tap] * values[row * from.width + taps[tap]];
      }
      narrow[row * to.width + column] = sum;
    }
  }
  const resampled = new Float32Array(to.height * to.width);
  rows.forEach(({ first, weights }, row) => {
    weights.forEach((weight, tap) => {
      const source = _within(first + tap, from.height) * to.width;
      for (let column = 0; column < to.width; column++) {
        resampled[row * to.width + column] += weight * narrow[source + column];
      }
    });
  });
  return resampled;
}

/**
 * A class activation map over an exam's slice, bilinear, each of its pixels where its receptive field
 * is centred. Beyond the outermost of these the outermost values repeat.
 *
 * Often the map is stretched from edge to edge. That would put its outer pixels up to 14 of the exam's
 * pixels away from their receptive fields.
 *
 * @param map `[size.height, size.width]`
 * @param size of the map, and where its pixels look
 * @param slice size of the exam's slices
 * @param to size of the picture
 * @returns `[to.height, to.width]`
 */
export function spreadMap(
  map: ArrayLike<number>,
  size: Size & Pick<ReceptiveField, "stride" | "start">,
  slice: Size,
  to: Size,
): Float32Array {
  const positions = (length: number, pixels: number, mapPixels: number) =>
    Array.from({ length }, (_, index) => {
      const pixel = (index + 0.5) * pixels / length - 0.5;
      const position = (pixel - size.start) / size.stride;
      const within = Math.min(Math.max(position, 0), mapPixels - 1);
      const first = Math.min(Math.floor(within), Math.max(0, mapPixels - 2));
      return { first, second: Math.min(first + 1, mapPixels - 1), share: within - first };
    });
  const rows = positions(to.height, slice.height, size.height);
  const columns = positions(to.width, slice.width, size.width);
  const spread = new Float32Array(to.height * to.width);
  for (let y = 0; y < to.height; y++) {
    const row = rows[y];
    const [above, below] = [row.first * size.width, row.second * size.width];
    for (let x = 0; x < to.width; x++) {
      const { first, second, share } = columns[x];
      const upper = map[above + first] + share * (map[above + second] - map[above + first]);
      const lower = map[below + first] + share * (map[below + second] - map[below + first]);
      spread[y * to.width + x] = upper + row.share * (lower - upper);
    }
  }
  return spread;
}

function _axis(from: number, to: number): Taps[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale - 0.5;
    const first = Math.floor(centre - support) + 1;
    const weights: number[] = [];
    for (let at = first; at < centre + support; at++) {
      weights.push(1 - Math.abs(at - centre) / support);
    }
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function _within(index: number, length: number): number {
  return Math.min(Math.max(index, 0), length - 1);
}
