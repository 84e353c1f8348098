/**
 * The gradient of a dense 3×3 convolution with respect to its filter, as a matrix product over the
 * pixels of one slice, and the copies that put both of its operands into memory order.
 */
import { madd, PANEL } from "./vector";

/** How many input channels a register tile covers. */
const TILE = 6;

/**
 * Adds `aᵀ·b` to `c`, in register tiles of 6 × 8.
 *
 * @param a tiles `[tiles][…][6]`, `aStride` bytes apart
 * @param b panels `[panels][…][8]`, `bStride` bytes apart
 * @param c panels `[panels][tiles × 6][8]`, `cStride` bytes apart
 * @param length how many rows of `a` and `b` are multiplied
 */
export function addProduct(
  a: usize,
  aStride: usize,
  tiles: i32,
  b: usize,
  bStride: usize,
  panels: i32,
  c: usize,
  cStride: usize,
  length: i32,
): void {
  for (let panel = 0; panel < panels; panel++) {
    const bStart = b + <usize> panel * bStride;
    const bEnd = bStart + ((<usize> length) << 5);
    let at = c + <usize> panel * cStride;
    let aStart = a;
    for (let tile = 0; tile < tiles; tile++) {
      let p = aStart;
      let q = bStart;
      let s0 = v128.load(at);
      let t0 = v128.load(at, 16);
      let s1 = v128.load(at, 32);
      let t1 = v128.load(at, 48);
      let s2 = v128.load(at, 64);
      let t2 = v128.load(at, 80);
      let s3 = v128.load(at, 96);
      let t3 = v128.load(at, 112);
      let s4 = v128.load(at, 128);
      let t4 = v128.load(at, 144);
      let s5 = v128.load(at, 160);
      let t5 = v128.load(at, 176);
      while (q < bEnd) {
        const qa = v128.load(q);
        const qb = v128.load(q, 16);
        let px = v128.load32_splat(p);
        s0 = madd(px, qa, s0);
        t0 = madd(px, qb, t0);
        px = v128.load32_splat(p, 4);
        s1 = madd(px, qa, s1);
        t1 = madd(px, qb, t1);
        px = v128.load32_splat(p, 8);
        s2 = madd(px, qa, s2);
        t2 = madd(px, qb, t2);
        px = v128.load32_splat(p, 12);
        s3 = madd(px, qa, s3);
        t3 = madd(px, qb, t3);
        px = v128.load32_splat(p, 16);
        s4 = madd(px, qa, s4);
        t4 = madd(px, qb, t4);
        px = v128.load32_splat(p, 20);
        s5 = madd(px, qa, s5);
        t5 = madd(px, qb, t5);
        p += 24;
        q += 32;
      }
      v128.store(at, s0);
      v128.store(at, t0, 16);
      v128.store(at, s1, 32);
      v128.store(at, t1, 48);
      v128.store(at, s2, 64);
      v128.store(at, t2, 80);
      v128.store(at, s3, 96);
      v128.store(at, t3, 112);
      v128.store(at, s4, 128);
      v128.store(at, t4, 144);
      v128.store(at, s5, 160);
      v128.store(at, t5, 176);
      at += 192;
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
 * The gradient through a ReLU: what lies where the output was not above zero becomes zero.
 *
 * @param dy `[height][width][channels]`, rows `pitch` bytes apart
 * @param y the ReLU's output, laid out as `dy`
 * @param masked where the gradient goes, laid out as `dy`; may be `dy`
 * @param biasGradient `[channels]`; the sum over the pixels is added
 * @param tiled the same once more as panels `[channels / 8][height × pitch in pixels][8]`, where the
 *   pixels between two rows are left as they are: zero
 */
export function maskRelu(
  dy: usize,
  y: usize,
  masked: usize,
  height: i32,
  width: i32,
  channels: i32,
  pitch: usize,
  biasGradient: usize,
  tiled: usize,
  panelBytes: usize,
): void {
  const zero = f32x4.splat(0);
  const step = (<usize> channels) << 2;
  const skipped = (pitch / step - <usize> width) << 5;
  for (let panel = 0; panel < channels; panel += PANEL) {
    let sa = v128.load(biasGradient);
    let sb = v128.load(biasGradient, 16);
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
        v128.store(q, a);
        v128.store(q, b, 16);
        sa = f32x4.add(sa, a);
        sb = f32x4.add(sb, b);
        at += step;
        from += step;
        to += step;
        q += 32;
      }
      q += skipped;
    }
    v128.store(biasGradient, sa);
    v128.store(biasGradient, sb, 16);
    biasGradient += 32;
    dy += 32;
    y += 32;
    masked += 32;
    tiled += panelBytes;
  }
}
