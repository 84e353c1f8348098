/**
 * What nine models and their three combinations came to, on the official validation set.
 *
 * @module
 */
import type { ByPlane, Combination } from "../combine/combination.ts";
import { combinedProbability } from "../combine/combination.ts";
import { delongInterval } from "../metrics/delong.ts";
import { figuresAt, type ThresholdFigures } from "../metrics/threshold.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";
import type { PlanePredictions } from "../combine/predictions.ts";

/** The columns of the table: the planes, and the three together. */
export const RESULT_COLUMNS = [...PLANES, "combined"] as const;
/** A plane, or the three together. */
export type Column = (typeof RESULT_COLUMNS)[number];

/** An area under the ROC curve with its interval. */
export interface AucFigure {
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
  /** How many validation exams there are. */
  exams: number;
  /** How many of them have the finding. */
  positives: number;
  /** The figures of each plane and of the three together. */
  figures: Record<Column, AucFigure>;
  /** How the planes go together. */
  combination: Combination;
  /** The combination's decisions at its operating point, which was chosen on the tune split. */
  decisions: ThresholdFigures;
}

/**
 * The figures of a task.
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
  const scores = (column: Column) =>
    patients.map(({ probabilities }) =>
      column === "combined"
        ? combinedProbability(combination, probabilities)
        : probabilities[column]
    );
  const figures: Partial<Record<Column, AucFigure>> = {};
  for (const column of RESULT_COLUMNS) {
    const { auc, low, high } = delongInterval(labels, scores(column));
    figures[column] = { auc, low, high, model: files[column] };
  }
  return {
    task,
    exams: labels.length,
    positives: labels.filter((label) => label === 1).length,
    figures: figures as Record<Column, AucFigure>,
    combination,
    decisions: figuresAt(labels, scores("combined"), combination.operatingPoint.threshold),
  };
}

/** A row for each model: the plain values that a program reads. */
export function flatResults(results: readonly TaskResult[]): Record<string, unknown>[] {
  return results.flatMap(({ task, exams, positives, figures }) =>
    RESULT_COLUMNS.map((column) => {
      const { auc, low, high, model } = figures[column];
      return { task, plane: column, exams, positives, auc, auc_low: low, auc_high: high, model };
    })
  );
}

/** `0.912 (0.851–0.973)`. */
export function aucText({ auc, low, high }: Pick<AucFigure, "auc" | "low" | "high">): string {
  return `${auc.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
}

/** The table as text, a line a row, for a terminal. */
export function resultsText(results: readonly TaskResult[]): string[] {
  const rows = [
    ["", ...RESULT_COLUMNS],
    ...results.map((
      { task, figures },
    ) => [task, ...RESULT_COLUMNS.map((each) => aucText(figures[each]))]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}

/** The patients' predictions by plane as rows that `combine --predictions` reads. */
export function predictionsTable(
  patients: readonly (PlanePredictions & { id: string })[],
  combination: Combination,
): string {
  const rows = patients.map(({ id, label, probabilities }) =>
    [
      id,
      label,
      ...PLANES.map((plane) => probabilities[plane]),
      combinedProbability(combination, probabilities),
    ].join()
  );
  return [`exam,label,${PLANES.join()},combined`, ...rows, ""].join("\n");
}

/** Joins what each model said about the same exams. */
export function patientsOf(
  predictions: ByPlane<readonly (readonly [string, 0 | 1, number])[]>,
): (PlanePredictions & { id: string })[] {
  const by = (plane: Plane) =>
    new Map(predictions[plane].map(([id, , probability]) => [id, probability]));
  const [axial, coronal, sagittal] = PLANES.map(by);
  return predictions.axial.map(([id, label]) => ({
    id,
    label,
    probabilities: {
      axial: axial.get(id)!,
      coronal: coronal.get(id)!,
      sagittal: sagittal.get(id)!,
    },
  }));
}
