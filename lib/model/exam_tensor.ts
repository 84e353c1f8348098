/** An exam as a tensor. */
import type { Exam } from "../data/exam.ts";
import { affineOf, type Preparation, preparedExam } from "../data/intensity.ts";
import * as tf from "../tf.ts";

/**
 * An exam as the network's input, `[slices, height, width]`; the caller disposes of it.
 *
 * @param preparation how its grey values are prepared
 */
export function examTensor(exam: Exam, preparation: Preparation): tf.Tensor3D {
  tf.runTensorFlow();
  const { voxels, slices, height, width } = preparedExam(exam, preparation);
  const { scale, offset } = affineOf({ id: exam.id, voxels }, preparation.intensity);
  const values = scale === 1 && offset === 0 && voxels instanceof Float32Array
    ? voxels
    : new Float32Array(voxels.length);
  if (values !== voxels) {
    for (let at = 0; at < values.length; at++) values[at] = voxels[at] * scale + offset;
  }
  return tf.tensor3d(values, [slices, height, width]);
}
