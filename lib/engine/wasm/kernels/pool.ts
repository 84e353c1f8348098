/** Maximum over 3×3 with stride 2, its mean, and the lists of what its gradient reaches. */
import { add, beats } from "./vector";

/** In place of the argmax where the maximum is not above zero: ReLU lets no gradient through. */
const NONE: i32 = 255;

/**
 * @param x `[…][width][channels]`, rows `xPitch` bytes apart
 * @param out `[height][width][channels]`, rows `outPitch` bytes apart
 * @param argmax `[height][width][channels]` bytes: the tap of the maximum in scan order, 0–8, the first of
 *   equals; 255 where the maximum is not above zero
 * @param height of the output
 * @param width of the output
 */
export function maxPool(
  x: usize, xPitch: usize, out: usize, outPitch: usize, argmax: usize, height: i32, width: i32,
  channels: i32,
): void {
  const step = (<usize> channels) << 2;
  const zero = f32x4.splat(0);
  const none = i32x4.splat(NONE);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let from = x + <usize> (2 * row) * xPitch + <usize> (2 * column) * step;
      let to = out + <usize> row * outPitch + <usize> column * step;
      for (let channel = 0; channel < channels; channel += 4) {
        let best = v128.load(from);
        let index = i32x4.splat(0);
        let line = from;
        for (let ky = 0; ky < 3; ky++) {
          let tap = i32x4.splat(3 * ky);
          let value = v128.load(line);
          let wins = beats(value, best);
          best = v128.bitselect(value, best, wins);
          index = v128.bitselect(tap, index, wins);
          tap = i32x4.add(tap, i32x4.splat(1));
          value = v128.load(line + step);
          wins = beats(value, best);
          best = v128.bitselect(value, best, wins);
          index = v128.bitselect(tap, index, wins);
          tap = i32x4.add(tap, i32x4.splat(1));
          value = v128.load(line + 2 * step);
          wins = beats(value, best);
          best = v128.bitselect(value, best, wins);
          index = v128.bitselect(tap, index, wins);
          line += xPitch;
        }
        v128.store(to, best);
        index = v128.bitselect(index, none, f32x4.gt(best, zero));
        const narrow = i16x8.narrow_i32x4_s(index, index);
        store<i32>(argmax, i32x4.extract_lane(i8x16.narrow_i16x8_u(narrow, narrow), 0));
        argmax += 4;
        from += 16;
        to += 16;
      }
    }
  }
}

/** The mean of each channel: `[pixels][channels]` to `[channels]`. */
export function meanOfPixels(x: usize, out: usize, pixels: i32, channels: i32): void {
  const step = (<usize> channels) << 2;
  const count = f32x4.splat(<f32> pixels);
  for (let channel = 0; channel < channels; channel += 4) {
    let sum = f32x4.splat(0);
    let at = x;
    for (let pixel = 0; pixel < pixels; pixel++) {
      sum = f32x4.add(sum, v128.load(at));
      at += step;
    }
    v128.store(out, f32x4.div(sum, count));
    x += 16;
    out += 16;
  }
}

/**
 * Lists where the gradient of a pool goes, by channel: entries of 12 bytes hold the byte offset of
 * the pixel's first run in the convolution's input, the gradient, and the pixel's number.
 *
 * @param dy gradient of the pool's output, `[height][width][channels]`, rows `pitch` bytes apart
 * @param argmax as {@link maxPool} wrote it
 * @param convWidth width of the convolution's output, which the pool read
 * @param xPitch bytes between what two rows of the convolution's output see of its input
 * @param xStep bytes between what two of its columns see
 * @param lists `[channels][height × width]` entries
 * @param counts `[channels]`; how many entries each list has
 * @param biasGradient `[channels]`; the sum of each list is added
 */
export function listMaxima(
  dy: usize, pitch: usize, argmax: usize, height: i32, width: i32, channels: i32, convWidth: i32,
  xPitch: i32, xStep: i32, lists: usize, counts: usize, biasGradient: usize,
): void {
  const listBytes = <usize> (height * width * 12);
  memory.fill(counts, 0, (<usize> channels) << 2);
  for (let row = 0; row < height; row++) {
    let at = dy + <usize> row * pitch;
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++, at += 4) {
        const index = <i32> load<u8>(argmax++);
        const gradient = load<f32>(at);
        if (index == NONE || gradient == 0) continue;
        const down = index >= 6 ? 2 : index >= 3 ? 1 : 0;
        const y = 2 * row + down;
        const x = 2 * column + index - 3 * down;
        const counter = counts + ((<usize> channel) << 2);
        const count = load<i32>(counter);
        const entry = lists + <usize> channel * listBytes + <usize> (count * 12);
        store<i32>(entry, y * xPitch + x * xStep);
        store<f32>(entry, gradient, 4);
        store<i32>(entry, y * convWidth + x, 8);
        store<i32>(counter, count + 1);
      }
    }
  }
  for (let channel = 0; channel < channels; channel++, biasGradient += 4) {
    let entry = lists + <usize> channel * listBytes;
    let sum: f32 = 0;
    for (let count = load<i32>(counts + ((<usize> channel) << 2)); count > 0; count--) {
      sum += load<f32>(entry, 4);
      entry += 12;
    }
    store<f32>(biasGradient, load<f32>(biasGradient) + sum);
  }
}

/**
 * The gradient of what a pool read, with a gradient everywhere: adds each maximum's to the pixel that it was.
 *
 * @param dy gradient of the pool's output, `[height][width][channels]`, rows `pitch` bytes apart
 * @param argmax as {@link maxPool} wrote it
 * @param out zeros, its rows `outPitch` bytes apart
 * @param biasGradient `[channels]`; the sums over all pixels are added
 */
export function spreadMaxima(
  dy: usize, pitch: usize, argmax: usize, height: i32, width: i32, channels: i32, out: usize,
  outPitch: usize, biasGradient: usize,
): void {
  const step = (<usize> channels) << 2;
  const none = i32x4.splat(NONE);
  for (let channel = 0; channel < channels; channel += 4) {
    const first = (<usize> channel) << 2;
    let taps = argmax + <usize> channel;
    let sum = f32x4.splat(0);
    for (let row = 0; row < height; row++) {
      let at = dy + <usize> row * pitch + first;
      let to = out + <usize> (2 * row) * outPitch + first;
      for (let column = 0; column < width; column++, at += step, to += 2 * step, taps += channels) {
        const bytes = v128.load32_zero(taps);
        const each = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
        const gradient = v128.andnot(v128.load(at), i32x4.eq(each, none));
        sum = f32x4.add(sum, gradient);
        addAt(to, i32x4.extract_lane(each, 0), f32x4.extract_lane(gradient, 0), outPitch, step);
        addAt(to + 4, i32x4.extract_lane(each, 1), f32x4.extract_lane(gradient, 1), outPitch, step);
        addAt(to + 8, i32x4.extract_lane(each, 2), f32x4.extract_lane(gradient, 2), outPitch, step);
        addAt(to + 12, i32x4.extract_lane(each, 3), f32x4.extract_lane(gradient, 3), outPitch, step);
      }
    }
    add(biasGradient + first, sum);
  }
}

/** Adds a gradient to the pixel of a window that was its maximum. */
// @ts-ignore: decorator
@inline
function addAt(window: usize, tap: i32, gradient: f32, pitch: usize, step: usize): void {
  if (tap == NONE) return;
  const down = tap >= 6 ? 2 : tap >= 3 ? 1 : 0;
  const at = window + <usize> down * pitch + <usize> (tap - 3 * down) * step;
  store<f32>(at, load<f32>(at) + gradient);
}
