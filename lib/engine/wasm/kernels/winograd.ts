/**
 * Winograd's algorithm: a convolution of stride 1 as 36 small matrix products. A tile takes 36
 * multiplications where the direct sum takes 144 with a 3×3 filter and 100 with a 5×5 one.
 *
 * Tiles of the input are 6 × 6. In a 3×3 convolution each gives 4 × 4 outputs, in a 5×5 one 2 × 2. The
 * points are 0, ±1, ±2 and infinity for both, so both share the input's transform.
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
 */
import { convolve } from "./convolve";
import { flushBelow, LEAST_FACTOR } from "./vector";

/** Products a tile takes: 6 × 6. */
const PRODUCTS = 36;

// @ts-ignore: decorator
@inline
function times(a: v128, factor: f32): v128 {
  return f32x4.mul(a, f32x4.splat(factor));
}

/** Stores a number of a transform, the last one's ready to be a factor. */
// @ts-ignore: decorator
@inline
function factor(to: usize, value: v128, last: bool): void {
  v128.store(to, last ? flushBelow(LEAST_FACTOR, value) : value);
}

/**
 * One panel of filters, `G·g·Gᵀ`: `[side × side][inputs][8]` to 36 times `[inputs][8]`, `stride` bytes
 * apart.
 *
 * @param temp 480 bytes
 */
export function transformFilters(
  weights: usize, out: usize, stride: usize, inputs: i32, side: i32, temp: usize,
): void {
  const tap = (<usize> inputs) << 5;
  const row = tap * <usize> side;
  const five = side == 5;
  const zero = f32x4.splat(0);
  for (let end = weights + tap; weights < end; weights += 16, out += 16) {
    // Down the columns, then along the rows.
    for (let column = 0; column < side; column++) {
      const at = weights + <usize> column * tap;
      expand(
        v128.load(at), v128.load(at + row), v128.load(at + 2 * row),
        five ? v128.load(at + 3 * row) : zero,
        five ? v128.load(at + 4 * row) : zero,
        five, false, temp + ((<usize> column) << 4), 80,
      );
    }
    let to = out;
    for (let i: usize = 0; i < 6; i++, to += 6 * stride) {
      const at = temp + i * 80;
      expand(
        v128.load(at), v128.load(at, 16), v128.load(at, 32),
        five ? v128.load(at, 48) : zero,
        five ? v128.load(at, 64) : zero,
        five, true, to, stride,
      );
    }
  }
}

/** `G` times a column: the filter's polynomial at each point, and the point's weight. */
// @ts-ignore: decorator
@inline
function expand(
  a: v128, b: v128, c: v128, d: v128, e: v128, five: bool, last: bool, to: usize, stride: usize,
): void {
  const even = f32x4.add(f32x4.add(a, c), e);
  const odd = f32x4.add(b, d);
  const even2 = f32x4.add(f32x4.add(a, times(c, 4)), times(e, 16));
  const odd2 = f32x4.add(times(b, 2), times(d, 8));
  factor(to, times(a, 0.25), last);
  to += stride;
  factor(to, times(f32x4.add(even, odd), -1.0 / 6.0), last);
  to += stride;
  factor(to, times(f32x4.sub(even, odd), -1.0 / 6.0), last);
  to += stride;
  factor(to, times(f32x4.add(even2, odd2), 1.0 / 24.0), last);
  to += stride;
  factor(to, times(f32x4.sub(even2, odd2), 1.0 / 24.0), last);
  to += stride;
  factor(to, five ? e : c, last);
}

/**
 * Tiles of an image, `Bᵀ·d·B`: to 36 times `[tiles][channels]`, `stride` bytes apart.
 *
 * @param x the image with its border, `[rows][columns][channels]`; beyond it there are zeros
 * @param across how many tiles a row has; they are numbered row by row
 * @param from the first tile
 * @param count how many tiles
 * @param side outputs of a tile along each side, 4 or 2
 * @param temp 576 bytes
 */
export function transformImage(
  x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32, side: i32,
  out: usize, stride: usize, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const pitch = step * <usize> columns;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * side;
    const left = tile % across * side;
    const down = rows - y;
    const right = columns - left;
    let at = x + <usize> y * pitch + <usize> left * step;
    for (const end = at + step; at < end; at += 16, out += 16) {
      for (let j = 0; j < 6; j++) {
        const p = at + <usize> j * step;
        const inside = j < right;
        const to = temp + ((<usize> j) << 4);
        spread(
          inside ? v128.load(p) : zero,
          inside && down > 1 ? v128.load(p + pitch) : zero,
          inside && down > 2 ? v128.load(p + 2 * pitch) : zero,
          inside && down > 3 ? v128.load(p + 3 * pitch) : zero,
          inside && down > 4 ? v128.load(p + 4 * pitch) : zero,
          inside && down > 5 ? v128.load(p + 5 * pitch) : zero,
          false, to, 96,
        );
      }
      let to = out;
      for (let i: usize = 0; i < 6; i++, to += 6 * stride) {
        const p = temp + i * 96;
        spread(
          v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), v128.load(p, 64),
          v128.load(p, 80), true, to, stride,
        );
      }
    }
  }
}

/** `Bᵀ` times a column. */
// @ts-ignore: decorator
@inline
function spread(
  a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, last: bool, to: usize, stride: usize,
): void {
  const even = f32x4.sub(e, times(c, 4));
  const odd = f32x4.sub(d, times(b, 4));
  const even2 = f32x4.sub(e, c);
  const odd2 = times(f32x4.sub(d, b), 2);
  factor(to, f32x4.add(f32x4.sub(times(a, 4), times(c, 5)), e), last);
  to += stride;
  factor(to, f32x4.add(even, odd), last);
  to += stride;
  factor(to, f32x4.sub(even, odd), last);
  to += stride;
  factor(to, f32x4.add(even2, odd2), last);
  to += stride;
  factor(to, f32x4.sub(even2, odd2), last);
  to += stride;
  factor(to, f32x4.add(f32x4.sub(times(b, 4), times(d, 5)), f), last);
}

/**
 * The 36 products of transformed tiles and filters.
 *
 * @param table as `convolve` takes it, of tiles in a row
 * @param block floats of `inputs` at once
 */
export function multiplyTransformed(
  table: usize, tiles: i32, image: usize, imageStride: usize, filters: usize, filterStride: usize,
  out: usize, outStride: usize, panels: i32, inputs: i32, block: i32,
): void {
  for (let product = 0; product < PRODUCTS; product++) {
    convolve(table, tiles, image, out, filters, 0, panels, 1, 0, inputs, 1, block, 0);
    image += imageStride;
    filters += filterStride;
    out += outStride;
  }
}

/**
 * Products back to pixels, `Aᵀ·m·A`, with bias and ReLU: from 36 times `[tiles][channels]`.
 *
 * @param bias `[channels]`, or 0 for none
 * @param out `[height][width][channels]`, rows `pitch` bytes apart; tiles reach beyond it
 * @param temp 384 bytes
 */
export function transformBack(
  products: usize, stride: usize, bias: usize, relu: i32, out: usize, pitch: usize, height: i32,
  width: i32, channels: i32, across: i32, from: i32, count: i32, side: i32, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * side;
    const x = tile % across * side;
    const down = min(side, height - y);
    const right = min(side, width - x);
    let at = out + <usize> y * pitch + <usize> x * step;
    for (let channel: usize = 0; channel < step; channel += 16, at += 16, products += 16) {
      const add = bias ? v128.load(bias + channel) : zero;
      for (let j: usize = 0; j < 6; j++) {
        const p = products + j * stride;
        const m1 = v128.load(p + 6 * stride);
        const m2 = v128.load(p + 12 * stride);
        const m3 = v128.load(p + 18 * stride);
        const m4 = v128.load(p + 24 * stride);
        const m5 = v128.load(p + 30 * stride);
        const sum = f32x4.add(m1, m2);
        const difference = f32x4.sub(m1, m2);
        const sum2 = f32x4.add(m3, m4);
        const difference2 = f32x4.sub(m3, m4);
        const to = temp + (j << 4);
        v128.store(to, f32x4.add(f32x4.add(v128.load(p), sum), sum2));
        const second = f32x4.add(difference, times(difference2, 2));
        if (side == 2) {
          v128.store(to, f32x4.add(second, m5), 96);
        } else {
          v128.store(to, second, 96);
          v128.store(to, f32x4.add(sum, times(sum2, 4)), 192);
          v128.store(to, f32x4.add(f32x4.add(difference, times(difference2, 8)), m5), 288);
        }
      }
      let row = at;
      for (let i = 0; i < down; i++, row += pitch) {
        const p = temp + <usize> (i * 96);
        const m1 = v128.load(p, 16);
        const m2 = v128.load(p, 32);
        const m3 = v128.load(p, 48);
        const m4 = v128.load(p, 64);
        const m5 = v128.load(p, 80);
        const sum = f32x4.add(m1, m2);
        const difference = f32x4.sub(m1, m2);
        const sum2 = f32x4.add(m3, m4);
        const difference2 = f32x4.sub(m3, m4);
        const second = f32x4.add(difference, times(difference2, 2));
        put(row, f32x4.add(f32x4.add(v128.load(p), sum), sum2), add, relu);
        if (right < 2) continue;
        put(row + step, side == 2 ? f32x4.add(second, m5) : second, add, relu);
        if (right < 3) continue;
        put(row + 2 * step, f32x4.add(sum, times(sum2, 4)), add, relu);
        if (right < 4) continue;
        const last = f32x4.add(f32x4.add(difference, times(difference2, 8)), m5);
        put(row + 3 * step, last, add, relu);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function put(at: usize, value: v128, bias: v128, relu: i32): void {
  const sum = f32x4.add(value, bias);
  v128.store(at, relu ? f32x4.max(sum, f32x4.splat(0)) : sum);
}
