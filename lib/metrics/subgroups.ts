/** The metrics of exams by what else is known about them, such as scanner, sex or side. */
import { delongInterval } from "./delong.ts";
import type { Estimate } from "./estimate.ts";
import { clustersOf, type LabelledPrediction, rankingScores } from "./summary.ts";
import { metricsAt, type Proportion } from "./threshold.ts";

/** From so many exams on, of each class, a group is not called small. */
export const SMALL_GROUP = 20;

/** The exams that have the same value in a column, and their metrics. */
export interface Subgroup {
  /** The value. */
  value: string;
  /** How many exams have it. */
  exams: number;
  /** How many of them show the finding. */
  positives: number;
  /** The area under the ROC curve, with DeLong's interval; NaN where only one class is present. */
  auc: Estimate;
  /** Sensitivity at the threshold. */
  sensitivity: Proportion;
  /** Specificity at the threshold. */
  specificity: Proportion;
  /** True if there are fewer than 20 exams of one class or the other: little can be said then. */
  isSmall: boolean;
}

/** The groups by one column. */
export interface Grouping {
  /** The column's name. */
  column: string;
  /** The groups, by their values in the order of the alphabet; numbers by their size. */
  groups: Subgroup[];
  /** How many of the exams have no value in the column. */
  unknown: number;
}

/** How to form groups. */
export interface GroupingOptions {
  /** Where sensitivity and specificity are taken: positive from this probability on, 0 to 1. */
  threshold: number;
  /** The patient of each exam, by its id; without it the exams are independent. */
  patients?: ReadonlyMap<string, string>;
}

/**
 * The metrics of the exams by the values of a column.
 *
 * @param column the column's name
 * @param values the value of each exam, by its id; ids of other exams do no harm
 * @throws {DataError} if the patient of an exam is not known
 *
 * @example
 * ```ts
 * import { groupPredictions } from "./subgroups.ts";
 * import type { LabelledPrediction } from "./summary.ts";
 * const predictions: LabelledPrediction[] = [
 *   { id: "a", label: 0, probability: 0.2 },
 *   { id: "b", label: 1, probability: 0.9 },
 *   { id: "c", label: 1, probability: 0.3 },
 * ];
 * const sides = new Map([["a", "left"], ["b", "left"]]);
 * const { groups, unknown } = groupPredictions(predictions, "side", sides, { threshold: 0.5 });
 * console.assert(groups[0].exams === 2 && groups[0].auc.value === 1 && unknown === 1);
 * ```
 */
export function groupPredictions(
  predictions: readonly LabelledPrediction[],
  column: string,
  values: ReadonlyMap<string, string>,
  { threshold, patients }: GroupingOptions,
): Grouping {
  const found = new Map<string, LabelledPrediction[]>();
  for (const prediction of predictions) {
    const value = values.get(prediction.id);
    if (value === undefined) continue;
    if (!found.has(value)) found.set(value, []);
    found.get(value)!.push(prediction);
  }
  const names = [...found.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const groups = names.map((value) => _subgroup(value, found.get(value)!, threshold, patients));
  const known = groups.reduce((sum, { exams }) => sum + exams, 0);
  return { column, groups, unknown: predictions.length - known };
}

function _subgroup(
  value: string,
  predictions: readonly LabelledPrediction[],
  threshold: number,
  patients: GroupingOptions["patients"],
): Subgroup {
  const labels = predictions.map(({ label }) => label);
  const probabilities = predictions.map(({ probability }) => probability);
  const clusters = clustersOf(predictions, patients);
  const positives = labels.filter((label) => label === 1).length;
  const { auc, low, high } = delongInterval(labels, rankingScores(predictions), 0.95, clusters);
  const { sensitivity, specificity } = metricsAt(labels, probabilities, threshold, clusters);
  return {
    ...{ value, exams: labels.length, positives },
    auc: { value: auc, low, high },
    ...{ sensitivity, specificity },
    isSmall: Math.min(positives, labels.length - positives) < SMALL_GROUP,
  };
}
