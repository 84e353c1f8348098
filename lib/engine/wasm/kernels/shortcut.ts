/**
 * Images beside their borders: the sum at a shortcut's end, and copies.
 */

/**
 * Adds an image to another.
 *
 * @param out `[height][run]`, rows `outPitch` bytes apart
 * @param x `[height][run]`, rows `pitch` bytes apart
 * @param run floats in a row, a multiple of 4
 * @param relu 1: a sum below zero becomes zero
 */
export function addImage(
  out: usize, outPitch: usize, x: usize, pitch: usize, height: i32, run: i32, relu: i32,
): void {
  const bytes = (<usize> run) << 2;
  const zero = f32x4.splat(0);
  for (let row = 0; row < height; row++, out += outPitch, x += pitch) {
    for (let at: usize = 0; at < bytes; at += 16) {
      const sum = f32x4.add(v128.load(out + at), v128.load(x + at));
      v128.store(out + at, relu ? f32x4.max(sum, zero) : sum);
    }
  }
}

/** Copies an image, as {@link addImage} adds it. */
export function copyImage(
  out: usize, outPitch: usize, x: usize, pitch: usize, height: i32, run: i32,
): void {
  for (let row = 0; row < height; row++, out += outPitch, x += pitch) {
    memory.copy(out, x, (<usize> run) << 2);
  }
}
