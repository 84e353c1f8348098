/** From an exam's voxels to the network's input. */
import { flushOne, LEAST_FACTOR } from "./vector";

function voxel(voxels: usize, isFloat: bool, index: i32): f32 {
  return isFloat
    ? load<f32>(voxels + ((<usize> index) << 2))
    : <f32> load<u8>(voxels + <usize> index);
}

/**
 * Copies one slice, or resamples it: bilinearly, with the edge's pixels repeated beyond the edge. Then
 * every pixel is multiplied by `scale` and has `offset` added. A value that is then too small for products
 * ({@link LEAST_FACTOR}) becomes zero. The border stays as it is.
 *
 * Coordinates are rounded to float32 after each operation, as TensorFlow.js does on this engine.
 *
 * @param voxels `[height][width]`, uint8 or float32
 * @param matrix six floats `[a, b, c, d, e, f]`: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`; after them a
 *   word that is 1 if the slice is to be resampled, and the two floats `scale` and `offset`
 * @param out `[height][width]` floats, rows `pitch` bytes apart
 */
export function readSlice(
  voxels: usize, float: i32, matrix: usize, height: i32, width: i32, out: usize, pitch: usize,
): void {
  const isFloat = float != 0;
  const scale = load<f32>(matrix, 28);
  const offset = load<f32>(matrix, 32);
  if (load<i32>(matrix, 24) == 0) {
    let index = 0;
    for (let y = 0; y < height; y++, out += pitch) {
      let to = out;
      for (let x = 0; x < width; x++, to += 4) {
        store<f32>(to, flushOne(LEAST_FACTOR, voxel(voxels, isFloat, index++) * scale + offset));
      }
    }
    return;
  }
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
