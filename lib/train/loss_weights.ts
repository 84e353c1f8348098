/** What each output of an exam counts in its loss. */
import { type Dataset, positiveWeight } from "../data/dataset.ts";
import type { OutputWeights } from "../model/loss.ts";
import type { LossWeights } from "../model/recipe.ts";
import type { Label } from "../terms.ts";

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
