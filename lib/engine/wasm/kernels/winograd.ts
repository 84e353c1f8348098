/**
 * Winograd's algorithm for 3×3 filters: a convolution of stride 1 as 36 matrix products. A tile takes 36
 * multiplications where the direct sum takes 144.
 *
 * Tiles of the input are 6 × 6, those of the output 4 × 4. The points are 0, ±1, ±2 and infinity.
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
 */
import { put, putOutput, putPair, times } from "./transform";

/**
 * One panel of filters, `G·g·Gᵀ`: `[9][inputs][8]` to 36 times `[inputs][8]`, `stride` bytes apart.
 *
 * @param temp 288 bytes
 */
export function transformFilters(
  weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  const tap = (<usize> inputs) << 5;
  const row = 3 * tap;
  for (let end = weights + tap; weights < end; weights += 16, out += 16) {
    // Down the columns, then along the rows.
    for (let column: usize = 0; column < 3; column++) {
      const at = weights + column * tap;
      expand(
        v128.load(at), v128.load(at + row), v128.load(at + 2 * row), false, temp + (column << 4), 48,
      );
    }
    let to = out;
    for (let i: usize = 0; i < 6; i++, to += 6 * stride) {
      const at = temp + i * 48;
      expand(v128.load(at), v128.load(at, 16), v128.load(at, 32), true, to, stride);
    }
  }
}

/** `G` times a column: the filter's polynomial at each point, and the point's weight. */
// @ts-ignore: decorator
@inline
function expand(a: v128, b: v128, c: v128, last: bool, to: usize, stride: usize): void {
  const even = times(f32x4.add(a, c), -1.0 / 6.0);
  const even2 = times(f32x4.add(a, times(c, 4)), 1.0 / 24.0);
  put(to, times(a, 0.25), last);
  putPair(to + stride, stride, even, times(b, -1.0 / 6.0), last);
  putPair(to + 3 * stride, stride, even2, times(b, 1.0 / 12.0), last);
  put(to + 5 * stride, c, last);
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
export function transformImage(
  x: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32, out: usize,
  stride: usize, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const pitch = step * <usize> columns;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * 4;
    const left = tile % across * 4;
    const down = rows - y;
    const right = columns - left;
    let at = x + <usize> y * pitch + <usize> left * step;
    for (const end = at + step; at < end; at += 16, out += 16) {
      for (let j = 0; j < 6; j++) {
        const p = at + <usize> j * step;
        const to = temp + ((<usize> j) << 4);
        if (j < right && down > 5) {
          spread(
            v128.load(p), v128.load(p + pitch), v128.load(p + 2 * pitch), v128.load(p + 3 * pitch),
            v128.load(p + 4 * pitch), v128.load(p + 5 * pitch), false, to, 96,
          );
          continue;
        }
        const inside = j < right;
        spread(
          inside ? v128.load(p) : zero,
          inside && down > 1 ? v128.load(p + pitch) : zero,
          inside && down > 2 ? v128.load(p + 2 * pitch) : zero,
          inside && down > 3 ? v128.load(p + 3 * pitch) : zero,
          inside && down > 4 ? v128.load(p + 4 * pitch) : zero,
          zero, false, to, 96,
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
  put(to, f32x4.add(f32x4.sub(times(a, 4), times(c, 5)), e), last);
  putPair(to + stride, stride, even, odd, last);
  putPair(to + 3 * stride, stride, f32x4.sub(e, c), times(f32x4.sub(d, b), 2), last);
  put(to + 5 * stride, f32x4.add(f32x4.sub(times(b, 4), times(d, 5)), f), last);
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
  width: i32, channels: i32, across: i32, from: i32, count: i32, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++) {
    const y = tile / across * 4;
    const x = tile % across * 4;
    const down = min(4, height - y);
    const right = min(4, width - x);
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
        v128.store(to, f32x4.add(difference, times(difference2, 2)), 96);
        v128.store(to, f32x4.add(sum, times(sum2, 4)), 192);
        v128.store(to, f32x4.add(f32x4.add(difference, times(difference2, 8)), m5), 288);
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
        putOutput(row, f32x4.add(f32x4.add(v128.load(p), sum), sum2), add, relu);
        if (right < 2) continue;
        putOutput(row + step, f32x4.add(difference, times(difference2, 2)), add, relu);
        if (right < 3) continue;
        putOutput(row + 2 * step, f32x4.add(sum, times(sum2, 4)), add, relu);
        if (right < 4) continue;
        const last = f32x4.add(f32x4.add(difference, times(difference2, 8)), m5);
        putOutput(row + 3 * step, last, add, relu);
      }
    }
  }
}
