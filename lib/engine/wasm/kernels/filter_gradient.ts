/**
 * The gradient of a dense 3×3 convolution with respect to its filter, by Winograd's algorithm: a
 * convolution of the input with the output's gradient, of which 3 × 3 outputs are wanted. A tile takes 36
 * multiplications where the direct sum takes 144.
 *
 * The gradient's tiles are 4 × 4, those of the input 6 × 6. The points are those of `winograd.ts`, whose
 * `transformImage` serves here too.
 */
import {
  fillColumns16x4, fillColumns16x6, fillColumns1x4, fillColumns1x6, fillColumns4x4, fillColumns4x6,
  multiplyColumns16x4, multiplyColumns16x6, multiplyColumns1x4, multiplyColumns1x6,
  multiplyColumns4x4, multiplyColumns4x6,
} from "./tiles";
import { put, putPair, times } from "./transform";
import { add, PANEL } from "./vector";

/** Products of a tile. */
const PRODUCTS = 36;
/** Most panels whose products are transformed back together: so few that these stay in the first cache. */
const PANELS_AT_ONCE: i32 = 4;
/** Bytes between two rows of products: eight sums of each of these panels. */
const ROW: usize = 128;
/** Bytes between two products of six rows; not a page, or all would share a set of the first cache. */
const PRODUCT: usize = 6 * ROW;

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
export function transformGradient(
  x: usize, pitch: usize, rows: i32, columns: i32, channels: i32, across: i32, from: i32, count: i32,
  out: usize, stride: usize, room: i32, temp: usize,
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
          expand(
            inside ? v128.load(p) : zero,
            inside && down > 1 ? v128.load(p + pitch) : zero,
            inside && down > 2 ? v128.load(p + 2 * pitch) : zero,
            inside && down > 3 ? v128.load(p + 3 * pitch) : zero,
            false, temp + ((<usize> j) << 4), 64,
          );
        }
        let to = panel + lane;
        for (let i: usize = 0; i < 6; i++, to += 6 * stride) {
          const p = temp + i * 64;
          expand(
            v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), true, to, stride,
          );
        }
      }
    }
  }
}

/** `G` times a column. */
// @ts-ignore: decorator
@inline
function expand(a: v128, b: v128, c: v128, d: v128, last: bool, to: usize, stride: usize): void {
  const even = times(f32x4.add(a, c), -1.0 / 6.0);
  const odd = times(f32x4.add(b, d), -1.0 / 6.0);
  const even2 = times(f32x4.add(a, times(c, 4)), 1.0 / 24.0);
  const odd2 = times(f32x4.add(b, times(d, 4)), 1.0 / 12.0);
  put(to, times(a, 0.25), last);
  putPair(to + stride, stride, even, odd, last);
  putPair(to + 3 * stride, stride, even2, odd2, last);
  put(to + 5 * stride, d, last);
}

/**
 * Adds the gradient of a filter: the products over the tiles, transformed back.
 *
 * @param image transformed input, 36 times `[tiles][inputs]`, `imageStride` bytes apart
 * @param sixes of the input channels are multiplied six at once, the first of them
 * @param fours of the others four at once
 * @param gradient as `transformGradient` writes it, `gradientStride` bytes apart
 * @param dw `[panels][9][inputs][8]`
 * @param temp 36 × 6 × 32 floats
 */
export function addFilterGradient(
  image: usize, imageStride: usize, sixes: i32, fours: i32, gradient: usize, gradientStride: usize,
  panels: i32, room: i32, tiles: i32, dw: usize, temp: usize,
): void {
  const pitch = <usize> (sixes * 24 + fours * 16);
  const panelBytes = (<usize> room) << 5;
  const tapBytes = pitch << 3;
  for (let panel = 0; panel < panels; panel += PANELS_AT_ONCE) {
    const some = min(PANELS_AT_ONCE, panels - panel);
    let x = image;
    let to = dw + <usize> panel * 9 * tapBytes;
    for (let group = 0; group < sixes + fours; group++) {
      const isSix = group < sixes;
      let from = x;
      let factor = gradient + <usize> panel * panelBytes;
      let product = temp;
      for (let index = 0; index < PRODUCTS; index++) {
        if (isSix) multiplySix(from, pitch, factor, panelBytes, product, some, tiles);
        else multiplyFour(from, pitch, factor, panelBytes, product, some, tiles);
        from += imageStride;
        factor += gradientStride;
        product += PRODUCT;
      }
      const inputs = isSix ? 6 : 4;
      for (let each = 0; each < some; each++) {
        for (let input = 0; input < inputs; input++) {
          const at = temp + <usize> input * ROW + ((<usize> each) << 5);
          const into = to + <usize> each * 9 * tapBytes + ((<usize> input) << 5);
          addTaps(at, into, tapBytes);
          addTaps(at + 16, into + 16, tapBytes);
        }
      }
      x += (<usize> inputs) << 2;
      to += (<usize> inputs) << 5;
    }
  }
}

// @ts-ignore: decorator
@inline
function multiplySix(
  from: usize, pitch: usize, factor: usize, panelBytes: usize, to: usize, panels: i32, tiles: i32,
): void {
  let tile = 0;
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
function addTaps(at: usize, to: usize, tapBytes: usize): void {
  const a0 = v128.load(at, 0), a1 = v128.load(at, 6 * PRODUCT), a2 = v128.load(at, 12 * PRODUCT);
  const a3 = v128.load(at, 18 * PRODUCT), a4 = v128.load(at, 24 * PRODUCT), a5 = v128.load(at, 30 * PRODUCT);
  const b0 = v128.load(at, PRODUCT), b1 = v128.load(at, 7 * PRODUCT), b2 = v128.load(at, 13 * PRODUCT);
  const b3 = v128.load(at, 19 * PRODUCT), b4 = v128.load(at, 25 * PRODUCT), b5 = v128.load(at, 31 * PRODUCT);
  const c0 = v128.load(at, 2 * PRODUCT), c1 = v128.load(at, 8 * PRODUCT), c2 = v128.load(at, 14 * PRODUCT);
  const c3 = v128.load(at, 20 * PRODUCT), c4 = v128.load(at, 26 * PRODUCT), c5 = v128.load(at, 32 * PRODUCT);
  const d0 = v128.load(at, 3 * PRODUCT), d1 = v128.load(at, 9 * PRODUCT), d2 = v128.load(at, 15 * PRODUCT);
  const d3 = v128.load(at, 21 * PRODUCT), d4 = v128.load(at, 27 * PRODUCT), d5 = v128.load(at, 33 * PRODUCT);
  const e0 = v128.load(at, 4 * PRODUCT), e1 = v128.load(at, 10 * PRODUCT), e2 = v128.load(at, 16 * PRODUCT);
  const e3 = v128.load(at, 22 * PRODUCT), e4 = v128.load(at, 28 * PRODUCT), e5 = v128.load(at, 34 * PRODUCT);
  const f0 = v128.load(at, 5 * PRODUCT), f1 = v128.load(at, 11 * PRODUCT), f2 = v128.load(at, 17 * PRODUCT);
  const f3 = v128.load(at, 23 * PRODUCT), f4 = v128.load(at, 29 * PRODUCT), f5 = v128.load(at, 35 * PRODUCT);
  // Down the columns, then along the rows.
  addRow(
    to, tapBytes, first(a0, a1, a2, a3, a4), first(b0, b1, b2, b3, b4), first(c0, c1, c2, c3, c4),
    first(d0, d1, d2, d3, d4), first(e0, e1, e2, e3, e4), first(f0, f1, f2, f3, f4),
  );
  addRow(
    to + 3 * tapBytes, tapBytes, second(a1, a2, a3, a4), second(b1, b2, b3, b4), second(c1, c2, c3, c4),
    second(d1, d2, d3, d4), second(e1, e2, e3, e4), second(f1, f2, f3, f4),
  );
  addRow(
    to + 6 * tapBytes, tapBytes, third(a1, a2, a3, a4, a5), third(b1, b2, b3, b4, b5),
    third(c1, c2, c3, c4, c5), third(d1, d2, d3, d4, d5), third(e1, e2, e3, e4, e5),
    third(f1, f2, f3, f4, f5),
  );
}

// @ts-ignore: decorator
@inline
function addRow(
  to: usize, tapBytes: usize, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128,
): void {
  add(to, first(m0, m1, m2, m3, m4));
  add(to + tapBytes, second(m1, m2, m3, m4));
  add(to + 2 * tapBytes, third(m1, m2, m3, m4, m5));
}

/** The first number of `Aᵀ` times a column. */
// @ts-ignore: decorator
@inline
function first(m0: v128, m1: v128, m2: v128, m3: v128, m4: v128): v128 {
  return f32x4.add(f32x4.add(m0, f32x4.add(m1, m2)), f32x4.add(m3, m4));
}

/** The second. */
// @ts-ignore: decorator
@inline
function second(m1: v128, m2: v128, m3: v128, m4: v128): v128 {
  return f32x4.add(f32x4.sub(m1, m2), times(f32x4.sub(m3, m4), 2));
}

/** The third. */
// @ts-ignore: decorator
@inline
function third(m1: v128, m2: v128, m3: v128, m4: v128, m5: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.add(m1, m2), times(f32x4.add(m3, m4), 4)), m5);
}
