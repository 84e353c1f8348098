/** The features of slices from the output of the last convolution, as it lies on the GPU. */
import { imageSize } from "../../engine/webgpu/grid.ts";
import { windowsOver } from "../../network/sizes.ts";
import type { Features } from "../features.ts";
import type { LayerShape } from "./shape.ts";

/**
 * The pool behind the last convolution, which the head's kernels compute together with the mean and keep
 * nowhere.
 *
 * @param stored the outputs of so many slices, one after the other
 */
export function featuresFrom(
  { output, pool }: LayerShape,
  stored: ArrayBuffer,
  slices: number,
): Features {
  const numbers = output.half ? new Float16Array(stored) : new Float32Array(stored);
  const { columns, channels, border } = output;
  const { size, stride } = pool ?? { size: 1, stride: 1 };
  // The border of a pooled output is the padding of the pool, which no value lies below.
  const inset = pool === undefined ? border : 0;
  const { height, width } = pool === undefined ? output : windowsOver(output, pool);
  const values = new Float32Array(slices * height * width * channels);
  let at = 0;
  for (let slice = 0; slice < slices; slice++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += channels) {
        for (let tap = 0; tap < size * size; tap++) {
          const row = y * stride + Math.floor(tap / size) + inset;
          const column = x * stride + tap % size + inset;
          const from = slice * imageSize(output) + (row * columns + column) * channels;
          for (let channel = 0; channel < channels; channel++) {
            // The features are 0 or more, and a value that is not a number is passed on.
            values[at + channel] = Math.max(values[at + channel], numbers[from + channel]);
          }
        }
      }
    }
  }
  return { slices, height, width, channels, values };
}
