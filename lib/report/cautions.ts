/**
 * What is said beside figures that are worth less than they look.
 *
 * @module
 */
import { isFittedOn } from "../combine/combination.ts";
import { ODD_HINT } from "../data/oddity.ts";
import type { Split } from "../terms.ts";
import type { JudgedModel } from "./evaluate_model.ts";
import type { OddExam } from "./judgeable.ts";

const TRAINED_HERE =
  "The model was trained on these exams. The figures say how well it knows them, not how it does on " +
  "others.";

const CHOSEN_HERE = "These exams chose the model’s epoch: its AUC on them is the best of several.";

const MEMBERS_CHOSEN_HERE =
  "These exams chose the epochs of its models: its AUC on them profits from that.";

const FITTED_HERE =
  "The combination was fitted on these exams. The figures say how well it fits, not how it does on " +
  "others.";

/** What the exams that judged a model had to do with it, a sentence or two each. */
export function cautions(
  { card: { epochBy }, combination, odd }: Pick<JudgedModel, "card" | "combination" | "odd">,
  split: Split | "tune",
): string[] {
  const chosen = combination === undefined ? CHOSEN_HERE : MEMBERS_CHOSEN_HERE;
  return [
    ...(split === "train" ? [TRAINED_HERE] : []),
    ...(epochBy.includes(split) ? [chosen] : []),
    ...(combination !== undefined && isFittedOn(combination, split) ? [FITTED_HERE] : []),
    ...(odd !== undefined && odd.length > 0 ? [_odd(odd)] : []),
  ];
}

function _odd([first, ...more]: readonly OddExam[]): string {
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return `Do not rely on what it says of '${first.id}'${others}: ${first.odd}: ${ODD_HINT}.`;
}

/**
 * What an interval of DeLong's without width says, which is nothing; undefined where it has one, or
 * there is none.
 */
export function widthCaution(
  { auc, low, high }: { auc: number; low: number; high: number },
): string | undefined {
  if (low !== high) return undefined;
  const where = auc === 1
    ? "the probabilities separate the classes without fault"
    : "every exam ranks alike among those of the other class, as with one probability for all or " +
      "with the classes the wrong way round";
  return `Where ${where}, DeLong’s interval has no width, which says nothing about how sure the ` +
    "figure is: with few exams it is not.";
}
