/** What follows the features: mean over the pixels, maximum over the slices, linear layer. */
import * as tf from "../tf.ts";
import { maxOverSlices } from "./max_over_slices.ts";
import { HEAD } from "./names.ts";
import type { Parameters } from "./parameters.ts";

/**
 * The two logits of an exam, in TensorFlow.js's operations.
 *
 * @param parameters the model's
 * @param features `[slices, height, width, channels]`
 * @returns `[1, 2]`
 */
export function headOf(parameters: Parameters, features: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const pooled: tf.Tensor2D = tf.mean(features, [1, 2]);
    const weight = parameters.get(`${HEAD}.weight`) as tf.Tensor2D;
    const product = tf.matMul(maxOverSlices(pooled), weight, false, true);
    return tf.add(product, parameters.get(`${HEAD}.bias`)!);
  });
}
