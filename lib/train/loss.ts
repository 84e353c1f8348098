/**
 * The reference's loss.
 *
 * @module
 */
import type { Label } from "../terms.ts";
import * as tf from "../tf.ts";

/**
 * Binary cross-entropy with logits over both outputs, the second of which is weighted.
 *
 * With target t = `[1, 0]` where the finding is absent and `[0, 1]` where it is present, and
 * weights w = `[1, positiveWeight]`, the loss is the mean over both outputs of
 * `w·(softplus(logit) − t·logit)`, which is PyTorch's `BCEWithLogitsLoss(weight=w)`.
 *
 * The weight belongs to the output, not to the exam: a quirk of the reference, kept so that
 * results can be compared.
 *
 * @param logits `[1, 2]`
 * @param label 1 where the finding is present
 * @param positiveWeight negatives / positives of the dataset
 * @returns a scalar
 */
export function weightedCrossEntropy(
  logits: tf.Tensor2D,
  label: Label,
  positiveWeight: number,
): tf.Scalar {
  return tf.tidy(() => {
    const target = tf.tensor2d([[1 - label, label]]);
    const perOutput = tf.sub(tf.softplus(logits), tf.mul(target, logits));
    return tf.mean(tf.mul(perOutput, tf.tensor2d([[1, positiveWeight]])));
  });
}
