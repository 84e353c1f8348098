/**
 * A table of labels, `id,abnormal,acl,meniscus`, as people keep it, and the label files made of it.
 */
import { eachCsvLine } from "../data/csv.ts";
import { formatLabels, labelFile, type LabelledId, readLabels } from "../data/labels.ts";
import { DataError } from "../errors.ts";
import { isMissing, readBytes, writeWhole } from "../files.ts";
import { quoted } from "../quoted.ts";
import { type Label, type Split, type Task, TASKS } from "../terms.ts";

/** The labels of an exam; a task without one is left out. */
export type ExamLabels = Partial<Record<Task, Label>>;

const MAX_BYTES = 16 * 1024 * 1024;

const HINT = "give a table with the columns id, abnormal, acl, meniscus, and labels of 0 and 1";

/**
 * Reads a table. Its first line names its columns: `id` and any of the tasks; others are passed over.
 *
 * @returns the labels by what the table calls each exam
 * @throws {DataError} if it has no such columns, an exam twice, or a label that is not 0, 1 or empty
 */
export async function readLabelTable(path: string): Promise<Map<string, ExamLabels>> {
  const action = {
    what: "read labels",
    path,
    access: "read",
    error: DataError,
    hint: HINT,
  } as const;
  return decodeLabelTable(await readBytes(action, { most: MAX_BYTES }), path);
}

/**
 * Decodes the bytes of a table.
 *
 * @throws {DataError} as {@linkcode readLabelTable}
 */
export function decodeLabelTable(bytes: Uint8Array, path: string): Map<string, ExamLabels> {
  const refuse = (found: string) => {
    return new DataError(`Cannot read labels '${path}': ${found}: ${HINT}`);
  };
  const table = new Map<string, ExamLabels>();
  let columns: string[] | undefined;
  eachCsvLine(new TextDecoder().decode(bytes), ({ values, line }) => {
    if (columns === undefined) {
      columns = values.map((each) => each.trim().toLowerCase());
      if (!columns.includes("id")) throw refuse("its first line names no column 'id'");
      if (TASKS.some((task) => columns!.includes(task))) return;
      throw refuse("its first line names no finding");
    }
    const id = values[columns.indexOf("id")]?.trim() ?? "";
    if (id === "") throw refuse(`line ${line} names no exam`);
    if (table.has(id)) throw refuse(`line ${line} names ${quoted(id)} a second time`);
    const labels: ExamLabels = {};
    for (const task of TASKS) {
      const value = values[columns.indexOf(task)]?.trim() ?? "";
      if (value === "") continue;
      if (value !== "0" && value !== "1") throw refuse(`line ${line}: ${task} is ${quoted(value)}`);
      labels[task] = value === "1" ? 1 : 0;
    }
    table.set(id, labels);
  }, { refuse });
  if (table.size === 0) throw refuse("it holds no labels");
  return table;
}

/**
 * Writes the label files of a split; what they say of other exams stays.
 *
 * @returns the files that were written
 */
export async function writeLabels(
  labels: ReadonlyMap<string, ExamLabels>,
  { folder, split }: { folder: string; split: Split },
): Promise<string[]> {
  const written: string[] = [];
  for (const task of TASKS) {
    const path = labelFile(folder, split, task);
    const before = await isMissing(path) ? [] : await readLabels(path);
    const rows = new Map(before.map(({ id, label }) => [id, label]));
    for (const [id, { [task]: label }] of labels) if (label !== undefined) rows.set(id, label);
    if (rows.size === 0) continue;
    const sorted = [...rows].map(([id, label]): LabelledId => ({ id, label }))
      .sort((a, b) => a.id < b.id ? -1 : 1);
    await writeWhole(path, formatLabels(sorted));
    written.push(path);
  }
  return written;
}
