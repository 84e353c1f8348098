/**
 * The loss: binary cross-entropy over both outputs, and what each output of an exam counts in it.
 */
import { type Dataset, positiveWeight } from "../data/dataset.ts";
import type { LossWeights } from "../model/recipe.ts";
import type { Label } from "../terms.ts";
import * as tf from "../tf.ts";

/** What the two outputs of an exam count in its loss, each 0 or more. */
export type OutputWeights = readonly [absent: number, present: number];

/**
 * Binary cross-entropy with logits over both outputs, each with its weight.
 *
 * With target t = `[1, 0]` where the finding is absent and `[0, 1]` where it is present, and
 * weights w, the loss is the mean over both outputs of `w·(softplus(logit) − t·logit)`, which is
 * PyTorch's `BCEWithLogitsLoss(weight=w)`.
 *
 * @param logits `[1, 2]`
 * @param label 1 where the finding is present
 * @param weights what the two outputs count; see {@linkcode outputWeights}
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

/**
 * What the two outputs count, for an exam of either class of a dataset with n exams, n₁ of them with
 * the finding and n₀ without:
 *
 * - `output`: `[1, n₀/n₁]` for every exam. The weight belongs to the output and not to the exam: a
 *   quirk of the reference, kept so that results can be compared.
 * - `class`: both outputs of an exam with the finding count `n₀/n`, of one without it `n₁/n`: the
 *   inverse of the prevalence of its own class, times the product of both prevalences. The paper says
 *   "inversely proportionally"; this scale is that of the code its authors gave out, whose weight
 *   decay is meant for it: Adam does not see the scale of a loss, but the decay is added to the
 *   gradient. The mean weight is `2·n₀·n₁/n²`, at most 0.5.
 *
 * @returns what to ask for each exam's label
 * @throws {DataError} if one class is missing, for which there are no such weights
 */
export function outputWeights(
  dataset: Pick<Dataset, "labels">,
  by: LossWeights,
): (label: Label) => OutputWeights {
  const ratio = positiveWeight(dataset);
  switch (by) {
    case "output":
      return () => [1, ratio];
    case "class": {
      const { labels } = dataset;
      const prevalence = labels.filter(({ label }) => label === 1).length / labels.length;
      return (label) => label === 1 ? [1 - prevalence, 1 - prevalence] : [prevalence, prevalence];
    }
    default:
      return by satisfies never;
  }
}
