/** The cautions of a report: why metrics may be worth less than they look. */
import { ODD_HINT } from "../data/oddity.ts";
import { byName, fittedOn, isAll, NAME_ONLY, theseExams } from "./acquaintance.ts";
import type { Acquaintance, EvaluatedSet } from "./acquaintance.ts";
import type { EvaluatedModel } from "./evaluate_model.ts";
import type { OddExam } from "./evaluated_exams.ts";

const METRICS_FIT = "The metrics say how well it fits, not how it does on others.";

/**
 * Cautions about exams that the model was trained, chosen or fitted on, a sentence or two each.
 *
 * @param evaluated the model; if nothing says how many of the exams it knows, the split's name decides
 * @param split which exams these are
 */
export function cautions(
  evaluated: Pick<
    EvaluatedModel,
    | "card"
    | "combination"
    | "ensemble"
    | "odd"
    | "trainedOn"
    | "chosenBy"
    | "fittedOn"
    | "recalibratedOn"
  >,
  split: EvaluatedSet,
): string[] {
  const { card: { epochBy }, combination, ensemble, odd, recalibratedOn } = evaluated;
  const trainedOn = evaluated.trainedOn ?? byName(split === "train");
  const isKnown = split !== "studies" && epochBy.includes(split);
  const chosenBy = evaluated.chosenBy ?? byName(isKnown);
  const fitted = combination && (evaluated.fittedOn ?? fittedOn({ split }, combination));
  return [
    ...(trainedOn.shared > 0 ? [_trained(trainedOn)] : []),
    ...(chosenBy.shared > 0 ? [_chosen(chosenBy, (combination ?? ensemble) !== undefined)] : []),
    ...(fitted !== undefined && fitted.shared > 0 ? [_fitted(fitted)] : []),
    ...(recalibratedOn !== undefined && recalibratedOn.shared > 0
      ? [_recalibrated(recalibratedOn)]
      : []),
    ...(odd !== undefined && odd.length > 0 ? [_odd(odd)] : []),
  ];
}

function _trained(known: Acquaintance): string {
  const which = theseExams(known);
  return `The model was trained on ${isAll(known) ? which.toLowerCase() : which}` +
    `${_byName(known)} The metrics say how well it knows them, not how it does on others.`;
}

function _chosen(known: Acquaintance, hasSeveral: boolean): string {
  const whose = hasSeveral ? "the epochs of its models" : "the model’s epoch";
  const effect = hasSeveral || !isAll(known) ? "profits from that" : "is the best of several";
  return `${theseExams(known)} chose ${whose}: its AUC on ${
    isAll(known) ? "them" : "all"
  } ${effect}` +
    _byName(known);
}

function _fitted(known: Acquaintance): string {
  const which = theseExams(known);
  return `The combination was fitted on ${isAll(known) ? which.toLowerCase() : which}` +
    `${_byName(known)} ${METRICS_FIT}`;
}

function _recalibrated(known: Acquaintance): string {
  const which = theseExams(known);
  return `Its probabilities were recalibrated on ${isAll(known) ? which.toLowerCase() : which}` +
    `${_byName(known)} Calibration on them says how well that fits, not how it does on others.`;
}

/** The end of a sentence: says so if it relies on the name of the split alone. */
function _byName({ compared }: Acquaintance): string {
  return compared ? "." : `; ${NAME_ONLY}.`;
}

function _odd([first, ...more]: readonly OddExam[]): string {
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return `Do not rely on what it says of '${first.id}'${others}: ${first.odd}: ${ODD_HINT}.`;
}

/**
 * The caution about a DeLong interval of no width, which says nothing about certainty; undefined if it has
 * a width, or if there is none.
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
    "metric is: with few exams it is not.";
}
