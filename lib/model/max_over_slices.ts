/** The maximum over the slices of an exam: what makes one prediction out of many slices. */
import * as tf from "../tf.ts";

/**
 * The largest value of each channel over all slices.
 *
 * The gradient goes to one slice a channel, the first of equals, as in PyTorch's
 * `max(dim=0)`. TensorFlow.js's own maximum would give all of them the full gradient, which trains
 * differently as soon as an exam holds two equal slices.
 *
 * @param pooled `[slices, channels]`
 * @returns `[1, channels]`
 */
export function maxOverSlices(pooled: tf.Tensor2D): tf.Tensor2D {
  const largest = tf.customGrad((x, save) => {
    const input = x as tf.Tensor2D;
    const argmax = tf.argMax(input, 0);
    (save as tf.GradSaveFunc)([argmax]);
    return {
      value: tf.max(input, 0, true),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        // Not tf.oneHot: it refuses an exam of one slice.
        const slices = tf.reshape(tf.range(0, input.shape[0], 1, "int32"), [-1, 1]);
        return tf.mul(tf.cast(tf.equal(slices, saved[0]), "float32"), dy);
      },
    };
  });
  return largest(pooled) as tf.Tensor2D;
}
