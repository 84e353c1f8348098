/** What the table of imported exams says of a run's training exams, for the model's card. */
import { countNames, type ExamSet } from "../data/exam_set.ts";
import type { LabelledId } from "../data/labels.ts";
import { DataError } from "../errors.ts";
import { join } from "../files.ts";
import { type ImportedRow, readExamTable } from "../imaging/exam_table.ts";
import type { Plane } from "../terms.ts";

/** The table that an import leaves in the folder of the dataset. */
const TABLE = "exams.csv";

/**
 * The sequences and the scanners of training exams, counted.
 *
 * @returns nothing of either if the exams were not imported, or the table does not say it of any
 */
export async function importedExams(
  { data, plane }: { data: string; plane: Plane },
  labels: readonly LabelledId[],
): Promise<Pick<ExamSet, "sequences" | "scanners">> {
  const ids = new Set(labels.map(({ id }) => id));
  const rows = (await _table(join(data, TABLE)))
    .filter((row) => row.split === "train" && row.plane === plane && ids.has(row.id));
  const sequences = countNames(rows.map(({ sequence }) => sequence));
  const scanners = countNames(rows.map(({ scanner }) => scanner));
  return {
    ...sequences.length > 0 && { sequences },
    ...scanners.length > 0 && { scanners },
  };
}

/** A file of this name that no import wrote is somebody's own, and says nothing here. */
async function _table(path: string): Promise<ImportedRow[]> {
  try {
    return await readExamTable(path);
  } catch (error) {
    if (error instanceof DataError) return [];
    throw error;
  }
}
