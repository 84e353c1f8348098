/**
 * Winograd's algorithm for 5×5 filters: a convolution of stride 1 as 64 matrix products. A tile takes 64
 * multiplications where the direct sum takes 400.
 *
 * Tiles of the input are 8 × 8, those of the output 4 × 4. The points are 0, ±1, ±2, ±1/2 and infinity. The
 * functions are those of `winograd.ts`.
 */
import { plus, put, putOutput, putPair, times } from "./transform";

/**
 * One panel of filters, `G·g·Gᵀ`: `[25][inputs][8]` to 64 times `[inputs][8]`, `stride` bytes apart.
 *
 * @param temp 640 bytes
 */
export function transformFilters5(
  weights: usize, out: usize, stride: usize, inputs: i32, temp: usize,
): void {
  const tap = (<usize> inputs) << 5;
  const row = 5 * tap;
  for (let end = weights + tap; weights < end; weights += 16, out += 16) {
    for (let column: usize = 0; column < 5; column++) {
      const at = weights + column * tap;
      expand(
        v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row),
        v128.load(at + 4 * row), false, temp + (column << 4), 80,
      );
    }
    let to = out;
    for (let i: usize = 0; i < 8; i++, to += 8 * stride) {
      const at = temp + i * 80;
      expand(
        v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48), v128.load(at, 64), true,
        to, stride,
      );
    }
  }
}

/** `G` times a column. */
// @ts-ignore: decorator
@inline
function expand(
  a: v128, b: v128, c: v128, d: v128, e: v128, last: bool, to: usize, stride: usize,
): void {
  const even = times(f32x4.add(f32x4.add(a, c), e), -2.0 / 9.0);
  const odd = times(f32x4.add(b, d), -2.0 / 9.0);
  const even2 = times(plus(e, 16, plus(c, 4, a)), 1.0 / 90.0);
  const odd2 = times(plus(d, 4, b), 1.0 / 45.0);
  const evenHalf = times(plus(e, 1.0 / 16.0, plus(c, 0.25, a)), 32.0 / 45.0);
  const oddHalf = times(plus(d, 0.25, b), 16.0 / 45.0);
  put(to, a, last);
  putPair(to + stride, stride, even, odd, last);
  putPair(to + 3 * stride, stride, even2, odd2, last);
  putPair(to + 5 * stride, stride, evenHalf, oddHalf, last);
  put(to + 7 * stride, e, last);
}

/**
 * Tiles of an image, `Bᵀ·d·B`: to 64 times `[tiles][channels]`, `stride` bytes apart.
 *
 * @param x the image with its border, `[rows][columns][channels]`; beyond it there are zeros
 * @param across how many tiles a row has; they are numbered row by row
 * @param from the first tile
 * @param count how many tiles
 * @param temp 1024 bytes
 */
export function transformImage5(
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
      for (let j = 0; j < 8; j++) {
        const p = at + <usize> j * step;
        const to = temp + ((<usize> j) << 4);
        if (j < right && down > 7) {
          spread(
            v128.load(p), v128.load(p + pitch), v128.load(p + 2 * pitch), v128.load(p + 3 * pitch),
            v128.load(p + 4 * pitch), v128.load(p + 5 * pitch), v128.load(p + 6 * pitch),
            v128.load(p + 7 * pitch), false, to, 128,
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
          inside && down > 5 ? v128.load(p + 5 * pitch) : zero,
          inside && down > 6 ? v128.load(p + 6 * pitch) : zero,
          zero, false, to, 128,
        );
      }
      let to = out;
      for (let i: usize = 0; i < 8; i++, to += 8 * stride) {
        const p = temp + i * 128;
        spread(
          v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), v128.load(p, 64),
          v128.load(p, 80), v128.load(p, 96), v128.load(p, 112), true, to, stride,
        );
      }
    }
  }
}

/** `Bᵀ` times a column. */
// @ts-ignore: decorator
@inline
function spread(
  a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128, last: bool, to: usize,
  stride: usize,
): void {
  const even = plus(e, -4.25, f32x4.add(c, g));
  const odd = plus(d, -4.25, f32x4.add(b, f));
  const even2 = plus(c, 0.25, plus(e, -1.25, g));
  const odd2 = plus(f, 2, plus(d, -2.5, times(b, 0.5)));
  const evenHalf = plus(c, 4, plus(e, -5, g));
  const oddHalf = plus(b, 2, plus(d, -2.5, times(f, 0.5)));
  put(to, plus(f32x4.sub(e, c), 5.25, f32x4.sub(a, g)), last);
  putPair(to + stride, stride, even, odd, last);
  putPair(to + 3 * stride, stride, even2, odd2, last);
  putPair(to + 5 * stride, stride, evenHalf, oddHalf, last);
  put(to + 7 * stride, plus(f32x4.sub(d, f), 5.25, f32x4.sub(h, b)), last);
}

/**
 * Products back to pixels, `Aᵀ·m·A`, with bias and ReLU: from 64 times `[tiles][channels]`.
 *
 * @param bias `[channels]`, or 0 for none
 * @param out `[height][width][channels]`, rows `pitch` bytes apart; tiles reach beyond it
 * @param temp 512 bytes
 */
export function transformBack5(
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
      for (let j: usize = 0; j < 8; j++) {
        const p = products + j * stride;
        const m1 = v128.load(p + 8 * stride);
        const m2 = v128.load(p + 16 * stride);
        const m3 = v128.load(p + 24 * stride);
        const m4 = v128.load(p + 32 * stride);
        const m5 = v128.load(p + 40 * stride);
        const m6 = v128.load(p + 48 * stride);
        const m7 = v128.load(p + 56 * stride);
        const sum = f32x4.add(m1, m2);
        const difference = f32x4.sub(m1, m2);
        const sum2 = f32x4.add(m3, m4);
        const difference2 = f32x4.sub(m3, m4);
        const sumHalf = f32x4.add(m5, m6);
        const differenceHalf = f32x4.sub(m5, m6);
        const to = temp + (j << 4);
        v128.store(to, f32x4.add(f32x4.add(v128.load(p), sum), f32x4.add(sum2, sumHalf)));
        v128.store(to, plus(differenceHalf, 0.5, plus(difference2, 2, difference)), 128);
        v128.store(to, plus(sumHalf, 0.25, plus(sum2, 4, sum)), 256);
        const last = plus(differenceHalf, 0.125, plus(difference2, 8, f32x4.add(difference, m7)));
        v128.store(to, last, 384);
      }
      let row = at;
      for (let i = 0; i < down; i++, row += pitch) {
        const p = temp + <usize> (i * 128);
        const m1 = v128.load(p, 16);
        const m2 = v128.load(p, 32);
        const m3 = v128.load(p, 48);
        const m4 = v128.load(p, 64);
        const m5 = v128.load(p, 80);
        const m6 = v128.load(p, 96);
        const m7 = v128.load(p, 112);
        const sum = f32x4.add(m1, m2);
        const difference = f32x4.sub(m1, m2);
        const sum2 = f32x4.add(m3, m4);
        const difference2 = f32x4.sub(m3, m4);
        const sumHalf = f32x4.add(m5, m6);
        const differenceHalf = f32x4.sub(m5, m6);
        putOutput(row, f32x4.add(f32x4.add(v128.load(p), sum), f32x4.add(sum2, sumHalf)), add, relu);
        if (right < 2) continue;
        putOutput(row + step, plus(differenceHalf, 0.5, plus(difference2, 2, difference)), add, relu);
        if (right < 3) continue;
        putOutput(row + 2 * step, plus(sumHalf, 0.25, plus(sum2, 4, sum)), add, relu);
        if (right < 4) continue;
        const last = plus(differenceHalf, 0.125, plus(difference2, 8, f32x4.add(difference, m7)));
        putOutput(row + 3 * step, last, add, relu);
      }
    }
  }
}
