/**
 * Folds of the training exams: a table that says for every exam which fold it is in, and optionally
 * whose it is. A training keeps the exams of one fold out, so that they can evaluate it.
 *
 * The table is CSV with the header `id,fold` or `id,fold,patient`.
 */
import { DataError, OptionError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { quoted } from "../quoted.ts";
import { csvValue, eachCsvLine } from "./csv.ts";
import { examId, type LabelledId } from "./labels.ts";
import { isTuneExam, type TuneSplit } from "./tune.ts";

/** The fold of an exam, and whose exam it is. */
export interface FoldRow {
  /** The exam's name. */
  id: string;
  /** The fold, counted from 1. */
  fold: number;
  /** The patient; none if every exam counts as a patient of its own. */
  patient?: string;
}

/** Which fold is kept out of training. */
export interface FoldChoice {
  /** The file of the table. */
  folds?: string;
  /** The fold, counted from 1. */
  fold?: number;
}

/** The largest table, in bytes: some hundred thousand exams. */
const MAX_FOLDS_BYTES = 4 * 1024 * 1024;
const MAX_FOLDS = 1000;

const HINT = "give the folds.csv that 'cli.ts plan folds' wrote";

/** What becomes of the exams of a dataset. */
export interface FoldedExams {
  /** Whether an exam is in the fold that is kept out. */
  isHeldOut(id: string): boolean;
  /** Whether an exam is in the tune split; with it go all exams of the same patient. */
  isTune(id: string): boolean;
  /** Refuses a fold without both classes, on which no AUC can be computed. */
  checkClasses(heldOut: readonly LabelledId[]): void;
}

/**
 * Refuses a table without a fold, and a fold without a table.
 *
 * @throws {OptionError} if only one of the two is given
 */
export function checkFoldChoice({ folds, fold }: FoldChoice): void {
  if ((folds === undefined) === (fold === undefined)) return;
  throw new OptionError(
    folds === undefined
      ? `Cannot keep fold ${fold} out: nothing says which exams it has: give the table with --folds`
      : `Cannot use the folds '${folds}': nothing says which of them to keep out: give one with --fold`,
  );
}

/**
 * Reads which exams of a dataset one fold keeps out.
 *
 * @param labels all training exams of the dataset
 * @param path the label file that they are from, for messages
 * @returns nothing if no fold is kept out
 * @throws {DataError} if the table cannot be read, has no such fold, or lacks an exam
 */
export async function openFold(
  { folds, fold, tune }: FoldChoice & { tune?: TuneSplit },
  labels: readonly LabelledId[],
  path: string,
): Promise<FoldedExams | undefined> {
  if (folds === undefined || fold === undefined) return undefined;
  return foldedExams(await readFolds(folds), { folds, fold, tune }, labels, path);
}

/**
 * What one fold of a table keeps out.
 *
 * @param table the rows of the table
 * @param labels all training exams of the dataset
 * @param path the label file that they are from, for messages
 * @throws {DataError} if the table has no such fold, or lacks an exam
 */
export function foldedExams(
  table: readonly FoldRow[],
  { folds, fold, tune }: Required<FoldChoice> & { tune?: TuneSplit },
  labels: readonly LabelledId[],
  path: string,
): FoldedExams {
  const rows = new Map(table.map((row) => [row.id, row]));
  const missing = labels.find(({ id }) => !rows.has(id));
  if (missing !== undefined) {
    const found = `it has no fold for the exam '${missing.id}' of '${path}'`;
    throw _refusal(folds, found, "plan the folds of these exams anew");
  }
  const last = Math.max(...table.map((row) => row.fold));
  if (!table.some((row) => row.fold === fold)) {
    throw _refusal(folds, `it has no fold ${fold}`, `give one of 1 to ${last}`);
  }
  const owner = (id: string) => rows.get(id)?.patient ?? id;
  const tuned = new Set(
    labels.filter(({ id }) => tune && isTuneExam(id, tune)).map(({ id }) => owner(id)),
  );
  return {
    isHeldOut: (id) => rows.get(id)!.fold === fold,
    isTune: (id) => tuned.has(owner(id)),
    checkClasses(heldOut) {
      const positives = heldOut.filter(({ label }) => label === 1).length;
      if (positives > 0 && positives < heldOut.length) return;
      throw new DataError(
        `Cannot keep fold ${fold} of '${folds}' out: of its ${heldOut.length} exams in '${path}' ` +
          `${positives === 0 ? "none show" : "all show"} the finding: plan fewer folds, or plan ` +
          "them with --stratify or another --fold_seed",
      );
    },
  };
}

/**
 * Reads a table of folds.
 *
 * @throws {DataError} if it is missing, or as {@linkcode parseFolds}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readFolds(path: string): Promise<FoldRow[]> {
  const what = "read the folds";
  const action: FileAction = { what, path, access: "read", error: DataError, hint: HINT };
  const bytes = await readBytes(action, { most: MAX_FOLDS_BYTES });
  return parseFolds(new TextDecoder().decode(bytes), path);
}

/**
 * Parses the text of a table of folds.
 *
 * @param path the file, for messages
 * @throws {DataError} if a line is not one of the table, or the exams of a patient are in two folds
 *
 * @example
 * ```ts
 * import { parseFolds } from "./folds.ts";
 * const [first] = parseFolds("id,fold\n0001,2\n", "folds.csv");
 * console.assert(first.id === "0001" && first.fold === 2);
 * ```
 */
export function parseFolds(text: string, path: string): FoldRow[] {
  const rows = new Map<string, FoldRow>();
  const foldOf = new Map<string, number>();
  let columns: string[] | undefined;
  const refuse = (found: string): DataError => _refusal(path, found, HINT);
  eachCsvLine(text, ({ values, line }) => {
    if (columns === undefined) {
      columns = values;
      if (/^id,fold(,patient)?$/.test(columns.join())) return;
      throw refuse(`line ${line}: its columns are not id,fold or id,fold,patient`);
    }
    const row = _row(values, columns.length, (found) => refuse(`line ${line}: ${found}`));
    if (rows.has(row.id)) throw refuse(`line ${line}: the exam '${row.id}' was there before`);
    rows.set(row.id, row);
    if (row.patient === undefined) return;
    const before = foldOf.get(row.patient);
    if (before !== undefined && before !== row.fold) {
      throw refuse(`line ${line}: the patient ${quoted(row.patient)} is in fold ${before} too`);
    }
    foldOf.set(row.patient, row.fold);
  }, { refuse });
  if (rows.size === 0) throw refuse("it has no exams");
  return [...rows.values()];
}

/** The text of a table of folds, which {@linkcode parseFolds} reads back. */
export function formatFolds(rows: readonly FoldRow[]): string {
  const hasPatients = rows.some(({ patient }) => patient !== undefined);
  const lines = rows.map(({ id, fold, patient }) =>
    hasPatients ? `${id},${fold},${csvValue(patient ?? id)}` : `${id},${fold}`
  );
  return [hasPatients ? "id,fold,patient" : "id,fold", ...lines, ""].join("\n");
}

function _row(
  values: readonly string[],
  columns: number,
  refusal: (found: string) => DataError,
): FoldRow {
  if (values.length !== columns) throw refusal(`${values.length} values instead of ${columns}`);
  const [name, number, patient] = values;
  const fold = Number(number);
  if (!/^\d+$/.test(number) || fold < 1 || fold > MAX_FOLDS) {
    throw refusal(`the fold ${quoted(number)} is not a whole number of 1 to ${MAX_FOLDS}`);
  }
  try {
    return { id: examId(name), fold, ...(patient !== undefined && { patient }) };
  } catch {
    throw refusal(`${quoted(name)} is not an exam's id`);
  }
}

function _refusal(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the folds '${path}': ${found}: ${hint}`);
}
