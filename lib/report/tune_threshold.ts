/** Choosing a threshold for an evaluation by exams that are not evaluated. */
import type { Classifier } from "../classifier/classifier.ts";
import { OptionError } from "../errors.ts";
import { type OperatingRule, operatingThreshold } from "../metrics/operating_rule.ts";
import type { EvaluatedSet } from "./acquaintance.ts";
import { openExams, openSplit } from "./evaluated_exams.ts";

/**
 * The threshold that a rule chooses on the tune split of a model.
 *
 * @throws {OptionError} if the model has no tune split, these are the evaluated exams, or no threshold
 * does what the rule asks for
 * @throws {DataError} if the exams cannot be used
 */
export async function chooseOnTune(
  model: Classifier,
  { data, rule, split }: { data: string; rule: OperatingRule; split: EvaluatedSet },
): Promise<number> {
  const { file, card: { tune } } = model;
  const refuse = (found: string, hint: string) =>
    new OptionError(`Cannot choose the operating point ${rule} of '${file}': ${found}: ${hint}`);
  if (tune === undefined) {
    throw refuse(
      "it was trained without a tune split, and no other exams may choose it",
      "train with a tune split, or give a threshold",
    );
  }
  if (split === "tune" || split === "studies") {
    const found = split === "tune"
      ? "its tune exams are evaluated themselves"
      : "its tune exams are not among studies";
    throw refuse(found, "evaluate another split, or give a threshold");
  }
  const datasets = await openSplit(model, { data, split: "tune", tune });
  const { predictions } = await openExams(model, datasets, { split: "tune" }).evaluate(() => {});
  return operatingThreshold(
    predictions.map(({ label }) => label),
    predictions.map(({ probability }) => probability),
    rule,
    `the ${predictions.length} tune exams`,
  );
}
