/** What nine models and their three combinations came to, on the official validation set. */
import { type Combination, combinedLogit, combinedProbability } from "../../combine/combination.ts";
import { delongInterval } from "../../metrics/delong.ts";
import { rankingScores } from "../../metrics/summary.ts";
import { metricsAt, type ThresholdMetrics } from "../../metrics/threshold.ts";
import type { PlanePredictions } from "../../combine/predictions.ts";
import { fixed, range } from "../../page/format.ts";
import { type Plane, PLANES, type Task } from "../../terms.ts";

/** The columns of the table: the planes, and the three together. */
export const RESULT_COLUMNS: readonly Column[] = [...PLANES, "combined"];
/** A plane, or the three together. */
export type Column = Plane | "combined";

/** An area under the ROC curve with its interval, which is NaN with one exam of either class. */
export interface ModelAuc {
  /** The area over the validation exams, 0 to 1. */
  auc: number;
  /** The lower end of DeLong's 95 % interval. */
  low: number;
  /** The upper end of DeLong's 95 % interval. */
  high: number;
  /** The file of the model, or of the combination. */
  model: string;
}

/** A row of the table: one task. */
export interface TaskResult {
  /** The finding. */
  task: Task;
  /** How many patients of the validation set count: those whose three exams could be read. */
  exams: number;
  /** How many of them have the finding. */
  positives: number;
  /** The AUC of each plane and of the three together. */
  aucs: Record<Column, ModelAuc>;
  /** How the planes go together. */
  combination: Combination;
  /** The combination's decisions at its operating point, which was chosen on the tune split. */
  decisions: ThresholdMetrics;
}

/**
 * The metrics of a task.
 *
 * @param patients what the three models say about each patient of the validation set
 * @param combination how they go together, fitted on other exams
 * @param files the files of the models and of the combination
 */
export function taskResult(
  task: Task,
  patients: readonly PlanePredictions[],
  combination: Combination,
  files: Readonly<Record<Column, string>>,
): TaskResult {
  const labels = patients.map(({ label }) => label);
  const said = (column: Column) =>
    patients.map(({ probabilities, logits }) =>
      column === "combined"
        ? {
          probability: combinedProbability(combination, probabilities),
          logit: combinedLogit(combination, probabilities),
        }
        : { probability: probabilities[column], logit: logits?.[column] }
    );
  const aucs: Partial<Record<Column, ModelAuc>> = {};
  for (const column of RESULT_COLUMNS) {
    const { auc, low, high } = delongInterval(labels, rankingScores(said(column)));
    aucs[column] = { auc, low, high, model: files[column] };
  }
  return {
    task,
    exams: labels.length,
    positives: labels.filter((label) => label === 1).length,
    aucs: aucs as Record<Column, ModelAuc>,
    combination,
    decisions: metricsAt(
      labels,
      said("combined").map(({ probability }) => probability),
      combination.operatingPoint.threshold,
    ),
  };
}

/**
 * The table as plain values that a program reads, such as `run_all --json` prints.
 *
 * @returns a row for each of the twelve, by task and in the order of {@linkcode RESULT_COLUMNS}, with
 * the keys `task`, `plane`, `exams`, `positives`, `auc`, `auc_low`, `auc_high` and `model`; what is
 * undefined is NaN, of which JSON makes `null`. Throws nothing.
 */
export function flatResults(results: readonly TaskResult[]): Record<string, unknown>[] {
  return results.flatMap(({ task, exams, positives, aucs }) =>
    RESULT_COLUMNS.map((column) => {
      const { auc, low, high, model } = aucs[column];
      return { task, plane: column, exams, positives, auc, auc_low: low, auc_high: high, model };
    })
  );
}

/** `0.912 (0.851–0.973)`. */
function _aucText(found: ModelAuc): string {
  return `${fixed(found.auc, 3)} (${range(found, 3)})`;
}

/** How many exams were evaluated: `120`, or `118–120` if that differs from task to task. */
export function examsText(results: readonly TaskResult[]): string {
  const counts = results.map(({ exams }) => exams);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${most}` : `${least}–${most}`;
}

/**
 * The table as text, for a terminal.
 *
 * @returns a line for the head and one for each task, with AUC and DeLong's 95 % interval, `undefined`
 * where there is none. Throws nothing.
 */
export function resultsText(results: readonly TaskResult[]): string[] {
  const rows = [
    ["", ...RESULT_COLUMNS],
    ...results.map((
      { task, aucs },
    ) => [task, ...RESULT_COLUMNS.map((each) => _aucText(aucs[each]))]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}
