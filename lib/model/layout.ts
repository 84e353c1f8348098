/**
 * Filters between PyTorch's layout, in which files hold them, and TensorFlow.js's, in which they
 * are computed with.
 */

/** `[out, in, height, width]` to `[height, width, in, out]`. */
export function filtersToHWIO(data: Float32Array, shape: readonly number[]): Float32Array {
  const [out, into, height, width] = shape;
  return _permute(data, [height * width, into, out], [1, height * width, into * height * width]);
}

/** `[height, width, in, out]` to `[out, in, height, width]`; the shape is PyTorch's. */
export function filtersToOIHW(data: Float32Array, shape: readonly number[]): Float32Array {
  const [out, into, height, width] = shape;
  return _permute(data, [out, into, height * width], [1, out, into * out]);
}

/** A copy of a parameter's values in PyTorch's layout; the shape is TensorFlow.js's. */
export function toPyTorch(values: Float32Array, shape: readonly number[]): Float32Array {
  const [height, width, into, out] = shape;
  return shape.length === 4 ? filtersToOIHW(values, [out, into, height, width]) : values.slice();
}

/** A copy of a parameter's values in TensorFlow.js's layout; the shape is TensorFlow.js's. */
export function fromPyTorch(values: Float32Array, shape: readonly number[]): Float32Array {
  const [height, width, into, out] = shape;
  return shape.length === 4 ? filtersToHWIO(values, [out, into, height, width]) : values.slice();
}

/** Copies three axes into row-major order, given the size and the source's stride of each. */
function _permute(data: Float32Array, sizes: number[], strides: number[]): Float32Array {
  const result = new Float32Array(data.length);
  let at = 0;
  for (let a = 0; a < sizes[0]; a++) {
    for (let b = 0; b < sizes[1]; b++) {
      const from = a * strides[0] + b * strides[1];
      for (let c = 0; c < sizes[2]; c++) result[at++] = data[from + c * strides[2]];
    }
  }
  return result;
}
