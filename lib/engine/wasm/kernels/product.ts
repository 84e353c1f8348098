/**
 * The gradient of a dense 3×3 convolution with respect to its filter, as a matrix product over the
 * pixels of one slice, and the copies that put both of its operands into memory order.
 */
import { addPair, madd, PANEL } from "./vector";

/** How many input channels a register tile covers. */
const TILE = 6;

/**
 * Adds `aᵀ·b` to `c`, in register tiles of 6 × 8.
 *
 * @param a tiles `[tiles][…][6]`, `aStride` bytes apart
 * @param b panels `[panels][…][8]`, `bStride` bytes apart
 * @param c panels `[panels][tiles × 6][8]`, `cStride` bytes apart
 * @param lines how many runs `a` and `b` are multiplied over: the lines of an image
 * @param length rows in a run
 * @param skip rows between two runs: the image's border
 */
export function addProduct(
  a: usize, aStride: usize, tiles: i32, b: usize, bStride: usize, panels: i32, c: usize,
  cStride: usize, lines: i32, length: i32, skip: i32,
): void {
  const zero = f32x4.splat(0);
  const run = (<usize> length) << 5;
  const aSkip = <usize> (skip * 24);
  const bSkip = (<usize> skip) << 5;
  for (let panel = 0; panel < panels; panel++) {
    const bStart = b + <usize> panel * bStride;
    let at = c + <usize> panel * cStride;
    let aStart = a;
    for (let tile = 0; tile < tiles; tile++) {
      let p = aStart;
      let q = bStart;
      let s0 = zero, t0 = zero, s1 = zero, t1 = zero, s2 = zero, t2 = zero;
      let s3 = zero, t3 = zero, s4 = zero, t4 = zero, s5 = zero, t5 = zero;
      for (let line = 0; line < lines; line++, p += aSkip, q += bSkip) {
        const end = q + run;
        do {
          const qa = v128.load(q);
          const qb = v128.load(q, 16);
          let px = v128.load32_splat(p); s0 = madd(px, qa, s0); t0 = madd(px, qb, t0);
          px = v128.load32_splat(p, 4); s1 = madd(px, qa, s1); t1 = madd(px, qb, t1);
          px = v128.load32_splat(p, 8); s2 = madd(px, qa, s2); t2 = madd(px, qb, t2);
          px = v128.load32_splat(p, 12); s3 = madd(px, qa, s3); t3 = madd(px, qb, t3);
          px = v128.load32_splat(p, 16); s4 = madd(px, qa, s4); t4 = madd(px, qb, t4);
          px = v128.load32_splat(p, 20); s5 = madd(px, qa, s5); t5 = madd(px, qb, t5);
          p += 24;
          q += 32;
        } while (q < end);
      }
      addPair(at, s0, t0); addPair(at + 32, s1, t1);
      addPair(at + 64, s2, t2); addPair(at + 96, s3, t3);
      addPair(at + 128, s4, t4); addPair(at + 160, s5, t5);
      at += 192;
      aStart += aStride;
    }
  }
}

/**
 * The same in register tiles of 4 × 8, for the channels that fill no tile of six.
 *
 * @param a tiles `[tiles][…][4]`, `aStride` bytes apart
 * @param c panels `[panels][tiles × 4][8]`, `cStride` bytes apart
 */
export function addNarrowProduct(
  a: usize, aStride: usize, tiles: i32, b: usize, bStride: usize, panels: i32, c: usize,
  cStride: usize, lines: i32, length: i32, skip: i32,
): void {
  const zero = f32x4.splat(0);
  const run = (<usize> length) << 5;
  const aSkip = <usize> (skip * 16);
  const bSkip = (<usize> skip) << 5;
  for (let panel = 0; panel < panels; panel++) {
    const bStart = b + <usize> panel * bStride;
    let at = c + <usize> panel * cStride;
    let aStart = a;
    for (let tile = 0; tile < tiles; tile++) {
      let p = aStart;
      let q = bStart;
      let s0 = zero, t0 = zero, s1 = zero, t1 = zero, s2 = zero, t2 = zero, s3 = zero, t3 = zero;
      for (let line = 0; line < lines; line++, p += aSkip, q += bSkip) {
        const end = q + run;
        do {
          const qa = v128.load(q);
          const qb = v128.load(q, 16);
          let px = v128.load32_splat(p); s0 = madd(px, qa, s0); t0 = madd(px, qb, t0);
          px = v128.load32_splat(p, 4); s1 = madd(px, qa, s1); t1 = madd(px, qb, t1);
          px = v128.load32_splat(p, 8); s2 = madd(px, qa, s2); t2 = madd(px, qb, t2);
          px = v128.load32_splat(p, 12); s3 = madd(px, qa, s3); t3 = madd(px, qb, t3);
          p += 16;
          q += 32;
        } while (q < end);
      }
      addPair(at, s0, t0); addPair(at + 32, s1, t1);
      addPair(at + 64, s2, t2); addPair(at + 96, s3, t3);
      at += 128;
      aStart += aStride;
    }
  }
}

/**
 * Channels-last pixels `[pixels][channels]` to tiles `[channels / 6][pixels][6]`.
 */
export function tileChannels(x: usize, out: usize, pixels: i32, channels: i32): void {
  const step = (<usize> channels) << 2;
  for (let from = 0; from < channels; from += TILE) {
    let at = x + ((<usize> from) << 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      v128.store(out, v128.load(at));
      store<u64>(out, load<u64>(at, 16), 16);
      out += 24;
      at += step;
    }
  }
}

/**
 * Pixels of an image to tiles of its channels: `sixes` tiles `[6]` of each pixel, then `fours` tiles `[4]`.
 * A tile's pixels follow one another, `[height][rowPixels]`; those beyond `width` are left as they are.
 *
 * @param x the first pixel; `pitch` bytes to the one below, `step` to the one beside it
 * @param out `[sixes][height][rowPixels][6]`, then `[fours][height][rowPixels][4]`
 */
export function tilePixels(
  x: usize, pitch: usize, step: usize, out: usize, height: i32, width: i32, rowPixels: i32,
  sixes: i32, fours: i32,
): void {
  const skip = <usize> (rowPixels - width);
  for (let tile = 0; tile < sixes; tile++, x += 24) {
    for (let row = 0; row < height; row++) {
      let at = x + <usize> row * pitch;
      for (let column = 0; column < width; column++, at += step, out += 24) {
        v128.store(out, v128.load(at));
        store<u64>(out, load<u64>(at, 16), 16);
      }
      out += skip * 24;
    }
  }
  for (let tile = 0; tile < fours; tile++, x += 16) {
    for (let row = 0; row < height; row++) {
      let at = x + <usize> row * pitch;
      for (let column = 0; column < width; column++, at += step, out += 16) {
        v128.store(out, v128.load(at));
      }
      out += skip * 16;
    }
  }
}

/**
 * The gradient through a ReLU: zero where the output was not above zero.
 *
 * @param dy `[height][width][channels]`, rows `pitch` bytes apart
 * @param y the ReLU's output, laid out as `dy`
 * @param masked where the gradient goes, laid out as `dy`; may be `dy`
 * @param biasGradient `[channels]`; the sum over the pixels is added
 * @param tiled the same once more as panels `[channels / 8][height × pitch in pixels][8]`, where the
 *   pixels between two rows are left as they are: zero; or 0 if that is not wanted
 */
export function maskRelu(
  dy: usize, y: usize, masked: usize, height: i32, width: i32, channels: i32, pitch: usize,
  biasGradient: usize, tiled: usize, panelBytes: usize,
): void {
  const zero = f32x4.splat(0);
  const step = (<usize> channels) << 2;
  const skipped = (pitch / step - <usize> width) << 5;
  for (let panel = 0; panel < channels; panel += PANEL) {
    let sa = zero, sb = zero;
    let q = tiled;
    for (let row = 0; row < height; row++) {
      let at = dy + <usize> row * pitch;
      let from = y + <usize> row * pitch;
      let to = masked + <usize> row * pitch;
      for (let column = 0; column < width; column++) {
        const a = v128.and(v128.load(at), f32x4.gt(v128.load(from), zero));
        const b = v128.and(v128.load(at, 16), f32x4.gt(v128.load(from, 16), zero));
        v128.store(to, a);
        v128.store(to, b, 16);
        if (tiled) {
          v128.store(q, a);
          v128.store(q, b, 16);
        }
        sa = f32x4.add(sa, a);
        sb = f32x4.add(sb, b);
        at += step;
        from += step;
        to += step;
        q += 32;
      }
      q += skipped;
    }
    addPair(biasGradient, sa, sb);
    biasGradient += 32;
    dy += 32;
    y += 32;
    masked += 32;
    if (tiled) tiled += panelBytes;
  }
}
