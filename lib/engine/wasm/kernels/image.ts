/** From an exam's voxels to the network's input. */
import { flushOne, LEAST_FACTOR } from "./vector";

function voxel(voxels: usize, isFloat: bool, index: i32): f32 {
  return isFloat
    ? load<f32>(voxels + ((<usize> index) << 2))
    : <f32> load<u8>(voxels + <usize> index);
}

/**
 * Copies one slice, or resamples it: bilinearly, with the edge's pixels repeated beyond the edge. Then
 * every pixel is multiplied by `scale` and has `offset` added, and its grey value is changed if there is a
 * change. A value that is then too small for products ({@link LEAST_FACTOR}) becomes zero. The border stays
 * as it is.
 *
 * Coordinates are rounded to float32 after each operation, as TensorFlow.js does on this engine.
 *
 * @param voxels `[height][width]`, uint8 or float32
 * @param matrix six floats `[a, b, c, d, e, f]`: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`; after them a
 *   word that is 1 if the slice is to be resampled, the two floats `scale` and `offset`, and the address of
 *   a change of grey values, or 0
 * @param out `[height][width]` floats, rows `pitch` bytes apart
 */
export function readSlice(
  voxels: usize, float: i32, matrix: usize, height: i32, width: i32, out: usize, pitch: usize,
): void {
  const isFloat = float != 0;
  if (load<i32>(matrix, 24) == 0) copy(voxels, isFloat, matrix, height, width, out, pitch);
  else resample(voxels, isFloat, matrix, height, width, out, pitch);
  const change = <usize> load<u32>(matrix, 36);
  if (change == 0) return;
  const index = (<u32> voxels - load<u32>(change, 20)) >> (isFloat ? 2 : 0);
  changeGreyValues(change, index, height, width, out, pitch);
}

// @ts-ignore: decorator
@inline
function copy(
  voxels: usize, isFloat: bool, matrix: usize, height: i32, width: i32, out: usize, pitch: usize,
): void {
  const scale = load<f32>(matrix, 28);
  const offset = load<f32>(matrix, 32);
  let index = 0;
  for (let y = 0; y < height; y++, out += pitch) {
    let to = out;
    for (let x = 0; x < width; x++, to += 4) {
      store<f32>(to, flushOne(LEAST_FACTOR, voxel(voxels, isFloat, index++) * scale + offset));
    }
  }
}

// @ts-ignore: decorator
@inline
function resample(
  voxels: usize, isFloat: bool, matrix: usize, height: i32, width: i32, out: usize, pitch: usize,
): void {
  const scale = load<f32>(matrix, 28);
  const offset = load<f32>(matrix, 32);
  const a = load<f32>(matrix);
  const b = load<f32>(matrix, 4);
  const c = load<f32>(matrix, 8);
  const d = load<f32>(matrix, 12);
  const e = load<f32>(matrix, 16);
  const f = load<f32>(matrix, 20);
  const right = <f32> (width - 1);
  const bottom = <f32> (height - 1);
  for (let y = 0; y < height; y++, out += pitch) {
    let to = out;
    for (let x = 0; x < width; x++, to += 4) {
      const sx: f32 = min<f32>(max<f32>(a * <f32> x + b * <f32> y + c, 0), right);
      const sy: f32 = min<f32>(max<f32>(d * <f32> x + e * <f32> y + f, 0), bottom);
      const left: f32 = floor<f32>(sx);
      const top: f32 = floor<f32>(sy);
      const toRight: f32 = sx - left;
      const down: f32 = sy - top;
      const nextColumn = left < right ? 1 : 0;
      const nextRow = top < bottom ? width : 0;
      const at = <i32> top * width + <i32> left;
      const above: f32 = (<f32> 1 - toRight) * voxel(voxels, isFloat, at) +
        toRight * voxel(voxels, isFloat, at + nextColumn);
      const below: f32 = (<f32> 1 - toRight) * voxel(voxels, isFloat, at + nextRow) +
        toRight * voxel(voxels, isFloat, at + nextRow + nextColumn);
      const value: f32 = (<f32> 1 - down) * above + down * below;
      store<f32>(to, flushOne(LEAST_FACTOR, value * scale + offset));
    }
  }
}

/**
 * Changes the grey values of a slice, which are shares of the exam's range, and makes the network's input of
 * them: gamma, bias field, noise, then scale and offset. `lib/data/photometric.ts` has the formulas.
 *
 * @param change four floats, gamma, the noise's standard deviation, scale and offset; three words, the
 *   noise's seed, the address of the exam's first voxel, and that of the bias field's factors
 *   `[height][width]`, or 0
 * @param index the index of the slice's first voxel in the exam
 */
function changeGreyValues(
  change: usize, index: u32, height: i32, width: i32, out: usize, pitch: usize,
): void {
  const gamma = load<f32>(change);
  const noise = load<f32>(change, 4);
  const scale = load<f32>(change, 8);
  const offset = load<f32>(change, 12);
  const seed = load<u32>(change, 16);
  let factor = <usize> load<u32>(change, 24);
  for (let y = 0; y < height; y++, out += pitch) {
    let to = out;
    for (let x = 0; x < width; x++, to += 4, index++) {
      let value = clamp(load<f32>(to));
      if (gamma != 1) value = Mathf.pow(value, gamma);
      if (factor != 0) {
        value *= load<f32>(factor);
        factor += 4;
      }
      if (noise != 0) value += noise * normal(index, seed);
      store<f32>(to, flushOne(LEAST_FACTOR, clamp(value) * scale + offset));
    }
  }
}

// @ts-ignore: decorator
@inline
function clamp(share: f32): f32 {
  return min<f32>(max<f32>(share, 0), 1);
}

/** A normal number that follows from two words: pcg2d, then Box and Muller. */
function normal(a: u32, b: u32): f32 {
  a = a * 1664525 + 1013904223;
  b = b * 1664525 + 1013904223;
  for (let round = 0; round < 2; round++) {
    a += b * 1664525;
    b += a * 1664525;
    a ^= a >> 16;
    b ^= b >> 16;
  }
  const unit: f32 = 1.0 / 16777216.0;
  const radius = sqrt<f32>(-2 * Mathf.log(<f32> ((a >> 8) + 1) * unit));
  return radius * Mathf.cos(6.283185307179586 * (<f32> (b >> 8) * unit));
}
