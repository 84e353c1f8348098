/** Files that say more about the evaluated exams: their patients, and groups of them. */
import { columnOf, type ExamTable, readExamTable } from "../data/exam_table.ts";
import { DataError } from "../errors.ts";
import { type Grouping, groupPredictions } from "../metrics/subgroups.ts";
import type { LabelledPrediction } from "../metrics/summary.ts";

/** The groups of the evaluated exams. */
export interface Subgroups {
  /** The groups by each column of the file. */
  groupings: readonly Grouping[];
  /** Where sensitivity and specificity are taken. */
  threshold: number;
  /** How many exams the file names that were not evaluated. */
  otherExams: number;
}

/** What is known about the exams beside their labels. */
export interface ExamFacts {
  /** The patient of each exam, by its id. */
  patients?: ReadonlyMap<string, string>;
  /** The table of groups. */
  groups?: ExamTable;
}

/**
 * Reads what is known about the exams, and checks that it is about them.
 *
 * @param files the files, if there are any; see `EvaluateModelOptions`
 * @param exams those to be evaluated
 * @throws {DataError} if a file cannot be used, the patient of an exam is not known, or no exam has a
 * group
 */
export async function readExamFacts(
  files: { patients?: string; groups?: string },
  exams: readonly { id: string }[],
): Promise<ExamFacts> {
  const facts: ExamFacts = {};
  if (files.patients !== undefined) {
    facts.patients = columnOf(await readExamTable(files.patients), "patient");
    _checkPatients(files.patients, facts.patients, exams);
  }
  if (files.groups !== undefined) {
    const { rows, path } = facts.groups = await readExamTable(files.groups);
    if (!exams.some(({ id }) => rows.has(id))) {
      throw new DataError(
        `Cannot group the exams by '${path}': it names none of the ${exams.length} exams that are ` +
          "evaluated: use the ids of the label file",
      );
    }
  }
  return facts;
}

/** The metrics by each column of a table. */
export function subgroupsOf(
  predictions: readonly LabelledPrediction[],
  table: ExamTable,
  threshold: number,
  patients: ExamFacts["patients"],
): Subgroups {
  const evaluated = new Set(predictions.map(({ id }) => id));
  return {
    groupings: table.columns.map((column) =>
      groupPredictions(predictions, column, columnOf(table, column), { threshold, patients })
    ),
    threshold,
    otherExams: [...table.rows.keys()].filter((id) => !evaluated.has(id)).length,
  };
}

function _checkPatients(
  path: string,
  patients: ReadonlyMap<string, string>,
  exams: readonly { id: string }[],
): void {
  const missing = exams.filter(({ id }) => !patients.has(id)).map(({ id }) => id);
  if (missing.length === 0) return;
  const named = missing.slice(0, 10).join(", ") + (missing.length > 10 ? ", …" : "");
  throw new DataError(
    `Cannot give intervals by patient: '${path}' names no patient of ${missing.length} of ` +
      `${exams.length} exams (${named}): give a line 'id,patient' for each`,
  );
}
