/** The loss: binary cross-entropy over both outputs. */
import type { Label } from "../terms.ts";
import * as tf from "../tf.ts";

/** What the two outputs of an exam count in its loss, each 0 or more. */
export type OutputWeights = readonly [absent: number, present: number];

/**
 * The loss of two logits, as {@linkcode weightedCrossEntropy} has it, in double precision.
 *
 * @param logits those of the finding's absence and presence
 * @param label 1 where the finding is present
 * @param weights what the two outputs count
 */
export function crossEntropyOf(
  logits: readonly [number, number],
  label: Label,
  weights: OutputWeights,
): number {
  const [absent, present] = logits.map((logit, output) => {
    const target = output === label ? 1 : 0;
    return weights[output] * (_softplus(logit) - target * logit);
  });
  return (absent + present) / 2;
}

/** `log(1 + eˣ)`, without overflow. */
function _softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * Binary cross-entropy with logits over both outputs, each with its weight.
 *
 * With target t = `[1, 0]` where the finding is absent and `[0, 1]` where it is present, and
 * weights w, the loss is the mean over both outputs of `w·(softplus(logit) − t·logit)`, which is
 * PyTorch's `BCEWithLogitsLoss(weight=w)`.
 *
 * @param logits `[1, 2]`
 * @param label 1 where the finding is present
 * @param weights what the two outputs count; see `lib/train/loss_weights.ts`
 * @returns a scalar
 */
export function weightedCrossEntropy(
  logits: tf.Tensor2D,
  label: Label,
  weights: OutputWeights,
): tf.Scalar {
  return tf.tidy(() => {
    const target = tf.tensor2d([[1 - label, label]]);
    const perOutput = tf.sub(tf.softplus(logits), tf.mul(target, logits));
    return tf.mean(tf.mul(perOutput, tf.tensor2d([[...weights]])));
  });
}
