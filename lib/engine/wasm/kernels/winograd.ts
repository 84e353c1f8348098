/**
 * Winograd's algorithm: a convolution of stride 1 as a matrix product for each number of a tile. The points
 * are those of `points.ts`, whose sides the functions' names end with:
 *
 * | side | filters | outputs of a tile | multiplications, and directly |
 * | ---- | ------- | ----------------- | ----------------------------- |
 * | 6    | 3×3     | 4×4               | 36, 144                       |
 * | 7    | 3×3     | 5×5               | 49, 225                       |
 * | 8    | 5×5     | 4×4               | 64, 400                       |
 */
import { expand, interpolate, spread } from "./points";

/**
 * One panel of filters, `G·g·Gᵀ`: `[9][inputs][8]` to 36 times `[inputs][8]`, `stride` bytes apart.
 *
 * @param temp 288 bytes
 */
export function transformFilters6(
  weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  filters(6, 3, weights, out, stride, inputs, temp);
}

/** The same to 49 times `[inputs][8]`; `temp` has 336 bytes. */
export function transformFilters7(
  weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  filters(7, 3, weights, out, stride, inputs, temp);
}

/** The same of `[25][inputs][8]`, to 64 times `[inputs][8]`; `temp` has 640 bytes. */
export function transformFilters8(
  weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  filters(8, 5, weights, out, stride, inputs, temp);
}

// @ts-ignore: decorator
@inline
function filters(
  side: i32, taps: i32, weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  const tap = (<usize> inputs) << 5;
  const row = <usize> taps * tap;
  for (let end = weights + tap; weights < end; weights += 16, out += 16) {
    // Down the columns, then along the rows.
    for (let column = 0; column < taps; column++) {
      expandTaps(side, taps, weights + <usize> column * tap, row, false, temp + ((<usize> column) << 4), <usize> taps << 4);
    }
    let to = out;
    let from = temp;
    for (let i = 0; i < side; i++, to += <usize> side * stride, from += <usize> taps << 4) {
      expandTaps(side, taps, from, 16, true, to, stride);
    }
  }
}

/** `G` times a column of three or of five taps, `step` bytes apart. */
// @ts-ignore: decorator
@inline
function expandTaps(
  side: i32, taps: i32, from: usize, step: usize, last: bool, to: usize, stride: usize,
): void {
  const zero = f32x4.splat(0);
  const a = v128.load(from), b = v128.load(from + step), c = v128.load(from + 2 * step);
  if (taps == 3) {
    expand(side, a, b, c, zero, zero, c, last, to, stride);
  } else {
    const d = v128.load(from + 3 * step), e = v128.load(from + 4 * step);
    expand(side, a, b, c, d, e, e, last, to, stride);
  }
}

/**
 * Tiles of an image, `Bᵀ·d·B`: to 36 times `[tiles][channels]`, `stride` bytes apart.
 *
 * @param x the image with its border, `[rows][columns][channels]`; beyond it there are zeros
 * @param across how many tiles a row has; they are numbered row by row
 * @param from the first tile
 * @param count how many tiles
 * @param temp 576 bytes
 */
export function transformImage6(
  x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32, out: usize,
  stride: usize, temp: usize,
): void {
  image(6, 4, x, rows, columns, channels, across, from, count, out, stride, temp);
}

/** The same to 49 times `[tiles][channels]`; `temp` has 784 bytes. */
export function transformImage7(
  x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32, out: usize,
  stride: usize, temp: usize,
): void {
  image(7, 5, x, rows, columns, channels, across, from, count, out, stride, temp);
}

/** The same to 64 times `[tiles][channels]`; `temp` has 1024 bytes. */
export function transformImage8(
  x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32, out: usize,
  stride: usize, temp: usize,
): void {
  image(8, 4, x, rows, columns, channels, across, from, count, out, stride, temp);
}

// @ts-ignore: decorator
@inline
function image(
  side: i32, outputs: i32, x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32,
  count: i32, out: usize, stride: usize, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const pitch = step * <usize> columns;
  const row = <usize> side << 4;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * outputs;
    const left = tile % across * outputs;
    const down = rows - y;
    const right = columns - left;
    let at = x + <usize> y * pitch + <usize> left * step;
    for (const end = at + step; at < end; at += 16, out += 16) {
      for (let j = 0; j < side; j++) {
        const p = at + <usize> j * step;
        const to = temp + ((<usize> j) << 4);
        if (j < right && down >= side) {
          spread(
            side, v128.load(p), v128.load(p + pitch), v128.load(p + 2 * pitch), v128.load(p + 3 * pitch),
            v128.load(p + 4 * pitch), v128.load(p + 5 * pitch),
            side > 6 ? v128.load(p + 6 * pitch) : zero, side > 7 ? v128.load(p + 7 * pitch) : zero,
            false, to, row,
          );
          continue;
        }
        const inside = j < right;
        spread(
          side,
          inside ? v128.load(p) : zero,
          inside && down > 1 ? v128.load(p + pitch) : zero,
          inside && down > 2 ? v128.load(p + 2 * pitch) : zero,
          inside && down > 3 ? v128.load(p + 3 * pitch) : zero,
          inside && down > 4 ? v128.load(p + 4 * pitch) : zero,
          side > 6 ? inside && down > 5 ? v128.load(p + 5 * pitch) : zero : zero,
          side > 7 ? inside && down > 6 ? v128.load(p + 6 * pitch) : zero : zero,
          zero, false, to, row,
        );
      }
      let to = out;
      let p = temp;
      for (let i = 0; i < side; i++, to += <usize> side * stride, p += row) {
        spread(
          side, v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), v128.load(p, 64),
          v128.load(p, 80), side > 6 ? v128.load(p, 96) : zero, side > 7 ? v128.load(p, 112) : zero, true,
          to, stride,
        );
      }
    }
  }
}

/**
 * Products back to pixels, `Aᵀ·m·A`, with bias and ReLU: from 36 times `[tiles][channels]`.
 *
 * @param bias `[channels]`, or 0 for none
 * @param out `[height][width][channels]`, rows `pitch` bytes apart; tiles reach beyond it
 * @param temp 384 bytes
 */
export function transformBack6(
  products: usize, stride: usize, bias: usize, relu: i32, out: usize, pitch: usize, height: i32,
  width: i32, channels: i32, across: i32, from: i32, count: i32, temp: usize,
): void {
  back(6, 4, products, stride, bias, relu, out, pitch, height, width, channels, across, from, count, temp);
}

/** The same from 49 times `[tiles][channels]`; `temp` has 560 bytes. */
export function transformBack7(
  products: usize, stride: usize, bias: usize, relu: i32, out: usize, pitch: usize, height: i32,
  width: i32, channels: i32, across: i32, from: i32, count: i32, temp: usize,
): void {
  back(7, 5, products, stride, bias, relu, out, pitch, height, width, channels, across, from, count, temp);
}

/** The same from 64 times `[tiles][channels]`; `temp` has 512 bytes. */
export function transformBack8(
  products: usize, stride: usize, bias: usize, relu: i32, out: usize, pitch: usize, height: i32,
  width: i32, channels: i32, across: i32, from: i32, count: i32, temp: usize,
): void {
  back(8, 4, products, stride, bias, relu, out, pitch, height, width, channels, across, from, count, temp);
}

// @ts-ignore: decorator
@inline
function back(
  side: i32, outputs: i32, products: usize, stride: usize, bias: usize, relu: i32, out: usize, pitch: usize,
  height: i32, width: i32, channels: i32, across: i32, from: i32, count: i32, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const row = <usize> side << 4;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * outputs;
    const x = tile % across * outputs;
    const down = min(outputs, height - y);
    const right = min(outputs, width - x);
    let at = out + <usize> y * pitch + <usize> x * step;
    for (let channel: usize = 0; channel < step; channel += 16, at += 16, products += 16) {
      const add = bias ? v128.load(bias + channel) : zero;
      // Down the columns, then along the rows.
      let p = products;
      let to = temp;
      for (let j = 0; j < side; j++, p += stride, to += 16) {
        const down = <usize> side * stride;
        const m0 = v128.load(p), m1 = v128.load(p + down), m2 = v128.load(p + 2 * down);
        const m3 = v128.load(p + 3 * down), m4 = v128.load(p + 4 * down), m5 = v128.load(p + 5 * down);
        const m6 = side > 6 ? v128.load(p + 6 * down) : zero;
        const m7 = side > 7 ? v128.load(p + 7 * down) : zero;
        v128.store(to, interpolate(side, 0, false, m0, m1, m2, m3, m4, m5, m6, m7));
        v128.store(to + row, interpolate(side, 1, false, m0, m1, m2, m3, m4, m5, m6, m7));
        v128.store(to + 2 * row, interpolate(side, 2, false, m0, m1, m2, m3, m4, m5, m6, m7));
        v128.store(to + 3 * row, interpolate(side, 3, outputs == 4, m0, m1, m2, m3, m4, m5, m6, m7));
        if (outputs == 5) {
          v128.store(to + 4 * row, interpolate(side, 4, true, m0, m1, m2, m3, m4, m5, m6, m7));
        }
      }
      p = temp;
      to = at;
      for (let i = 0; i < down; i++, to += pitch, p += row) {
        const m0 = v128.load(p), m1 = v128.load(p, 16), m2 = v128.load(p, 32), m3 = v128.load(p, 48);
        const m4 = v128.load(p, 64), m5 = v128.load(p, 80);
        const m6 = side > 6 ? v128.load(p, 96) : zero;
        const m7 = side > 7 ? v128.load(p, 112) : zero;
        put(to, interpolate(side, 0, false, m0, m1, m2, m3, m4, m5, m6, m7), add, relu);
        if (right < 2) continue;
        put(to + step, interpolate(side, 1, false, m0, m1, m2, m3, m4, m5, m6, m7), add, relu);
        if (right < 3) continue;
        put(to + 2 * step, interpolate(side, 2, false, m0, m1, m2, m3, m4, m5, m6, m7), add, relu);
        if (right < 4) continue;
        put(to + 3 * step, interpolate(side, 3, outputs == 4, m0, m1, m2, m3, m4, m5, m6, m7), add, relu);
        if (outputs == 4 || right < 5) continue;
        put(to + 4 * step, interpolate(side, 4, true, m0, m1, m2, m3, m4, m5, m6, m7), add, relu);
      }
    }
  }
}

/** Stores an output. */
// @ts-ignore: decorator
@inline
function put(at: usize, value: v128, bias: v128, relu: i32): void {
  const sum = f32x4.add(value, bias);
  v128.store(at, relu ? f32x4.max(sum, f32x4.splat(0)) : sum);
}
