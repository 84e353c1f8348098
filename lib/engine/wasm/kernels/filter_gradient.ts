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

/** `Aᵀ·m·A`, from 6 × 6 products to the 3 × 3 taps that they are added to. */
// @ts-ignore: decorator
@inline
function addTaps(at: usize, to: usize, tapBytes: usize): void {
  // Down the columns; the rows' sums take the place of the products.
  for (let column = at, end = at + 6 * PRODUCT; column < end; column += PRODUCT) {
    const m1 = v128.load(column, 6 * PRODUCT);
    const m2 = v128.load(column, 12 * PRODUCT);
    const m3 = v128.load(column, 18 * PRODUCT);
    const m4 = v128.load(column, 24 * PRODUCT);
    const sum = f32x4.add(m1, m2);
    const difference = f32x4.sub(m1, m2);
    const sum2 = f32x4.add(m3, m4);
    const difference2 = f32x4.sub(m3, m4);
    v128.store(column, f32x4.add(f32x4.add(v128.load(column), sum), sum2));
    v128.store(column, f32x4.add(difference, times(difference2, 2)), 6 * PRODUCT);
    const last = f32x4.add(f32x4.add(sum, times(sum2, 4)), v128.load(column, 30 * PRODUCT));
    v128.store(column, last, 12 * PRODUCT);
  }
  for (let row = at, end = at + 18 * PRODUCT; row < end; row += 6 * PRODUCT, to += 3 * tapBytes) {
    const m1 = v128.load(row, PRODUCT);
    const m2 = v128.load(row, 2 * PRODUCT);
    const m3 = v128.load(row, 3 * PRODUCT);
    const m4 = v128.load(row, 4 * PRODUCT);
    const sum = f32x4.add(m1, m2);
    const difference = f32x4.sub(m1, m2);
    const sum2 = f32x4.add(m3, m4);
    const difference2 = f32x4.sub(m3, m4);
    add(to, f32x4.add(f32x4.add(v128.load(row), sum), sum2));
    add(to + tapBytes, f32x4.add(difference, times(difference2, 2)));
    const last = f32x4.add(f32x4.add(sum, times(sum2, 4)), v128.load(row, 5 * PRODUCT));
    add(to + 2 * tapBytes, last);
  }
}
