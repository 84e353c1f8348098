/**
 * The gradient of a dense convolution with respect to its filter, by Winograd's algorithm: a convolution of
 * the input with the output's gradient, of which as many outputs are wanted as the filter has taps.
 *
 * The gradient's tiles are 4 × 4. Those of the input are `winograd.ts`'s, 6 × 6 for 3×3 filters and 8 × 8
 * for 5×5 ones; the points are the same, so its `transformImage…` serves here too.
 */
import { expand, interpolate } from "./points";
import {
  fillColumns16x4, fillColumns16x6, fillColumns1x4, fillColumns1x6, fillColumns4x4, fillColumns4x6,
  fillColumns64x6, multiplyColumns16x4, multiplyColumns16x6, multiplyColumns1x4, multiplyColumns1x6,
  multiplyColumns4x4, multiplyColumns4x6, multiplyColumns64x6,
} from "./tiles";
import { add, PANEL } from "./vector";

/** Most panels at once: so few that their tiles stay in the first cache while all inputs are multiplied. */
const PANELS_AT_ONCE: i32 = 8;
/** Bytes between two rows of products: eight sums of each of these panels. */
const ROW: usize = 256;

/**
 * Tiles of an output's gradient, `G·g·Gᵀ`: to 36 times panels `[channels / 8][room][8]`.
 *
 * @param x the first pixel, rows `pitch` bytes apart
 * @param rows of the image; beyond it there are zeros
 * @param columns of the image
 * @param across how many tiles a row has; they are numbered row by row
 * @param from the first tile
 * @param count how many tiles
 * @param room for how many tiles there is room in a panel
 * @param temp 384 bytes
 */
export function transformGradient6(
  x: usize, pitch: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32,
  out: usize, stride: usize, room: i32, temp: usize,
): void {
  gradient(6, x, pitch, rows, columns, channels, across, from, count, out, stride, room, temp);
}

/** The same to 64 times panels; `temp` has 512 bytes. */
export function transformGradient8(
  x: usize, pitch: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32,
  out: usize, stride: usize, room: i32, temp: usize,
): void {
  gradient(8, x, pitch, rows, columns, channels, across, from, count, out, stride, room, temp);
}

// @ts-ignore: decorator
@inline
function gradient(
  side: i32, x: usize, pitch: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32,
  count: i32, out: usize, stride: usize, room: i32, temp: usize,
): void {
  const step = (<usize> channels) << 2;
  const panelBytes = (<usize> room) << 5;
  const zero = f32x4.splat(0);
  for (let tile = from; tile < from + count; tile++, out += 32) {
    const y = tile / across * 4;
    const left = tile % across * 4;
    const down = rows - y;
    const right = columns - left;
    let at = x + <usize> y * pitch + <usize> left * step;
    let panel = out;
    for (let channel = 0; channel < channels; channel += PANEL, panel += panelBytes) {
      for (let lane: usize = 0; lane < 32; lane += 16, at += 16) {
        for (let j = 0; j < 4; j++) {
          const p = at + <usize> j * step;
          const inside = j < right;
          const d = inside && down > 3 ? v128.load(p + 3 * pitch) : zero;
          expand(
            side,
            inside ? v128.load(p) : zero,
            inside && down > 1 ? v128.load(p + pitch) : zero,
            inside && down > 2 ? v128.load(p + 2 * pitch) : zero,
            d, zero, d, false, temp + ((<usize> j) << 4), 64,
          );
        }
        let to = panel + lane;
        let p = temp;
        for (let i = 0; i < side; i++, to += <usize> side * stride, p += 64) {
          const d = v128.load(p, 48);
          expand(
            side, v128.load(p), v128.load(p, 16), v128.load(p, 32), d, zero, d, true, to, stride,
          );
        }
      }
    }
  }
}

/**
 * Adds the gradient of a filter: the products over the tiles, transformed back.
 *
 * @param image transformed input, 36 times `[tiles][inputs]`, `imageStride` bytes apart
 * @param sixes of the input channels are multiplied six at once, the first of them
 * @param fours of the others four at once
 * @param gradient as `transformGradient6` writes it, `gradientStride` bytes apart
 * @param dw `[panels][9][inputs][8]`
 * @param temp 36 times `[inputs][64]`, `tempStride` bytes apart
 */
export function addFilterGradient6(
  image: usize, imageStride: usize, sixes: i32, fours: i32, gradient: usize, gradientStride: usize,
  panels: i32, room: i32, tiles: i32, dw: usize, temp: usize, tempStride: usize,
): void {
  addGradient(
    6, 3, image, imageStride, sixes, fours, gradient, gradientStride, panels, room, tiles, dw, temp,
    tempStride,
  );
}

/** The same of 64 times tiles, `dw` is `[panels][25][inputs][8]`; `temp` is 64 times `[inputs][64]`. */
export function addFilterGradient8(
  image: usize, imageStride: usize, sixes: i32, fours: i32, gradient: usize, gradientStride: usize,
  panels: i32, room: i32, tiles: i32, dw: usize, temp: usize, tempStride: usize,
): void {
  addGradient(
    8, 5, image, imageStride, sixes, fours, gradient, gradientStride, panels, room, tiles, dw, temp,
    tempStride,
  );
}

// @ts-ignore: decorator
@inline
function addGradient(
  side: i32, taps: i32, image: usize, imageStride: usize, sixes: i32, fours: i32, gradient: usize,
  gradientStride: usize, panels: i32, room: i32, tiles: i32, dw: usize, temp: usize, tempStride: usize,
): void {
  const inputs = sixes * 6 + fours * 4;
  const pitch = (<usize> inputs) << 2;
  const panelBytes = (<usize> room) << 5;
  const tapBytes = (<usize> inputs) << 5;
  const filterBytes = <usize> (taps * taps) * tapBytes;
  for (let panel = 0; panel < panels; panel += PANELS_AT_ONCE) {
    const some = min(PANELS_AT_ONCE, panels - panel);
    let x = image;
    let factor = gradient + <usize> panel * panelBytes;
    let product = temp;
    for (let index = 0; index < side * side; index++) {
      let from = x;
      let to = product;
      for (let six = 0; six < sixes; six++, from += 24, to += 6 * ROW) {
        multiplySix(from, pitch, factor, panelBytes, to, some, tiles);
      }
      for (let four = 0; four < fours; four++, from += 16, to += 4 * ROW) {
        multiplyFour(from, pitch, factor, panelBytes, to, some, tiles);
      }
      x += imageStride;
      factor += gradientStride;
      product += tempStride;
    }
    for (let input = 0; input < inputs; input++) {
      let at = temp + <usize> input * ROW;
      let to = dw + <usize> panel * filterBytes + ((<usize> input) << 5);
      for (let each = 0; each < some; each++, at += 32, to += filterBytes) {
        if (side == 6) {
          addTaps6(at, tempStride, to, tapBytes);
          addTaps6(at + 16, tempStride, to + 16, tapBytes);
        } else {
          addTaps8(at, tempStride, to, tapBytes);
          addTaps8(at + 16, tempStride, to + 16, tapBytes);
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function multiplySix(
  from: usize, pitch: usize, factor: usize, panelBytes: usize, to: usize, panels: i32, tiles: i32,
): void {
  let tile = 0;
  for (; tile + 64 <= tiles; tile += 64, from += 64 * pitch, factor += 2048) {
    fillColumns64x6(from, pitch);
    multiplyColumns64x6(factor, panelBytes, to, ROW, panels, tile == 0);
  }
  for (; tile + 16 <= tiles; tile += 16, from += 16 * pitch, factor += 512) {
    fillColumns16x6(from, pitch);
    multiplyColumns16x6(factor, panelBytes, to, ROW, panels, tile == 0);
  }
  for (; tile + 4 <= tiles; tile += 4, from += 4 * pitch, factor += 128) {
    fillColumns4x6(from, pitch);
    multiplyColumns4x6(factor, panelBytes, to, ROW, panels, tile == 0);
  }
  for (; tile < tiles; tile++, from += pitch, factor += 32) {
    fillColumns1x6(from, pitch);
    multiplyColumns1x6(factor, panelBytes, to, ROW, panels, tile == 0);
  }
}

// @ts-ignore: decorator
@inline
function multiplyFour(
  from: usize, pitch: usize, factor: usize, panelBytes: usize, to: usize, panels: i32, tiles: i32,
): void {
  let tile = 0;
  for (; tile + 16 <= tiles; tile += 16, from += 16 * pitch, factor += 512) {
    fillColumns16x4(from, pitch);
    multiplyColumns16x4(factor, panelBytes, to, ROW, panels, tile == 0);
  }
  for (; tile + 4 <= tiles; tile += 4, from += 4 * pitch, factor += 128) {
    fillColumns4x4(from, pitch);
    multiplyColumns4x4(factor, panelBytes, to, ROW, panels, tile == 0);
  }
  for (; tile < tiles; tile++, from += pitch, factor += 32) {
    fillColumns1x4(from, pitch);
    multiplyColumns1x4(factor, panelBytes, to, ROW, panels, tile == 0);
  }
}

/**
 * `Aᵀ·m·A`, from 6 × 6 products to the 3 × 3 taps that they are added to. Written out: what the compiler
 * keeps on its stack needs no checks, numbers in memory would.
 */
// @ts-ignore: decorator
@inline
function addTaps6(at: usize, stride: usize, to: usize, tapBytes: usize): void {
  const a0 = v128.load(at), a1 = v128.load(at + 6 * stride), a2 = v128.load(at + 12 * stride);
  const a3 = v128.load(at + 18 * stride), a4 = v128.load(at + 24 * stride), a5 = v128.load(at + 30 * stride);
  const b0 = v128.load(at + stride), b1 = v128.load(at + 7 * stride), b2 = v128.load(at + 13 * stride);
  const b3 = v128.load(at + 19 * stride), b4 = v128.load(at + 25 * stride), b5 = v128.load(at + 31 * stride);
  const c0 = v128.load(at + 2 * stride), c1 = v128.load(at + 8 * stride), c2 = v128.load(at + 14 * stride);
  const c3 = v128.load(at + 20 * stride), c4 = v128.load(at + 26 * stride), c5 = v128.load(at + 32 * stride);
  const d0 = v128.load(at + 3 * stride), d1 = v128.load(at + 9 * stride), d2 = v128.load(at + 15 * stride);
  const d3 = v128.load(at + 21 * stride), d4 = v128.load(at + 27 * stride), d5 = v128.load(at + 33 * stride);
  const e0 = v128.load(at + 4 * stride), e1 = v128.load(at + 10 * stride), e2 = v128.load(at + 16 * stride);
  const e3 = v128.load(at + 22 * stride), e4 = v128.load(at + 28 * stride), e5 = v128.load(at + 34 * stride);
  const f0 = v128.load(at + 5 * stride), f1 = v128.load(at + 11 * stride), f2 = v128.load(at + 17 * stride);
  const f3 = v128.load(at + 23 * stride), f4 = v128.load(at + 29 * stride), f5 = v128.load(at + 35 * stride);
  // Down the columns, then along the rows.
  addRow6(
    to, tapBytes,
    down6(0, a0, a1, a2, a3, a4, a5),
    down6(0, b0, b1, b2, b3, b4, b5),
    down6(0, c0, c1, c2, c3, c4, c5),
    down6(0, d0, d1, d2, d3, d4, d5),
    down6(0, e0, e1, e2, e3, e4, e5),
    down6(0, f0, f1, f2, f3, f4, f5),
  );
  addRow6(
    to + 3 * tapBytes, tapBytes,
    down6(1, a0, a1, a2, a3, a4, a5),
    down6(1, b0, b1, b2, b3, b4, b5),
    down6(1, c0, c1, c2, c3, c4, c5),
    down6(1, d0, d1, d2, d3, d4, d5),
    down6(1, e0, e1, e2, e3, e4, e5),
    down6(1, f0, f1, f2, f3, f4, f5),
  );
  addRow6(
    to + 6 * tapBytes, tapBytes,
    down6(2, a0, a1, a2, a3, a4, a5),
    down6(2, b0, b1, b2, b3, b4, b5),
    down6(2, c0, c1, c2, c3, c4, c5),
    down6(2, d0, d1, d2, d3, d4, d5),
    down6(2, e0, e1, e2, e3, e4, e5),
    down6(2, f0, f1, f2, f3, f4, f5),
  );
}

// @ts-ignore: decorator
@inline
function down6(k: i32, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): v128 {
  const zero = f32x4.splat(0);
  return interpolate(6, k, k == 2, m0, m1, m2, m3, m4, m5, zero, zero);
}

// @ts-ignore: decorator
@inline
function addRow6(
  to: usize, tapBytes: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128,
): void {
  add(to, down6(0, m0, m1, m2, m3, m4, m5));
  add(to + tapBytes, down6(1, m0, m1, m2, m3, m4, m5));
  add(to + 2 * tapBytes, down6(2, m0, m1, m2, m3, m4, m5));
}

/** The same from 8 × 8 products to 5 × 5 taps; what is between takes the place of the products. */
// @ts-ignore: decorator
@inline
function addTaps8(at: usize, stride: usize, to: usize, tapBytes: usize): void {
  for (let p = at, end = at + 8 * stride; p < end; p += stride) {
    const m0 = v128.load(p), m1 = v128.load(p + 8 * stride), m2 = v128.load(p + 16 * stride);
    const m3 = v128.load(p + 24 * stride), m4 = v128.load(p + 32 * stride), m5 = v128.load(p + 40 * stride);
    const m6 = v128.load(p + 48 * stride), m7 = v128.load(p + 56 * stride);
    v128.store(p, interpolate(8, 0, false, m0, m1, m2, m3, m4, m5, m6, m7));
    v128.store(p + 8 * stride, interpolate(8, 1, false, m0, m1, m2, m3, m4, m5, m6, m7));
    v128.store(p + 16 * stride, interpolate(8, 2, false, m0, m1, m2, m3, m4, m5, m6, m7));
    v128.store(p + 24 * stride, interpolate(8, 3, false, m0, m1, m2, m3, m4, m5, m6, m7));
    v128.store(p + 32 * stride, interpolate(8, 4, true, m0, m1, m2, m3, m4, m5, m6, m7));
  }
  for (let p = at, end = at + 40 * stride; p < end; p += 8 * stride) {
    const m0 = v128.load(p), m1 = v128.load(p + stride), m2 = v128.load(p + 2 * stride);
    const m3 = v128.load(p + 3 * stride), m4 = v128.load(p + 4 * stride), m5 = v128.load(p + 5 * stride);
    const m6 = v128.load(p + 6 * stride), m7 = v128.load(p + 7 * stride);
    add(to, interpolate(8, 0, false, m0, m1, m2, m3, m4, m5, m6, m7));
    add(to + tapBytes, interpolate(8, 1, false, m0, m1, m2, m3, m4, m5, m6, m7));
    add(to + 2 * tapBytes, interpolate(8, 2, false, m0, m1, m2, m3, m4, m5, m6, m7));
    add(to + 3 * tapBytes, interpolate(8, 3, false, m0, m1, m2, m3, m4, m5, m6, m7));
    add(to + 4 * tapBytes, interpolate(8, 4, true, m0, m1, m2, m3, m4, m5, m6, m7));
    to += 5 * tapBytes;
  }
}
