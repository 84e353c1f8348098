/**
 * Tables of predictions with known labels, made here or elsewhere: CSV with a header, a line a patient,
 * the columns in any order. Columns that nobody asks for are passed over.
 */
import { type CsvLine, csvShape, eachCsvLine } from "../data/csv.ts";
import { DataError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { asciiOf } from "../quoted.ts";
import type { Label } from "../terms.ts";

/** The size from which a file is not taken for such a table, in bytes: some 15,000 patients. */
export const MAX_TABLE_BYTES = 1024 * 1024;

const HINT_LARGE = "give a table with a line a patient";

/** How many faults of a file are named. */
const MAX_FAULTS = 10;

/** After so many lines with another number of values a file is no table; each costs the parser time. */
const MAX_RAGGED = 1000;

/** A table may have more columns than are asked for, but each value of a line costs the parser memory. */
const MAX_COLUMNS = 1000;

/** A number as CSV files have it; JavaScript would also take `0x1f` and the empty text. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** The value of a column in a line; undefined if the table has no such column. */
export type ColumnValue = (column: string) => string | undefined;

/** What a table says, and how a line says it. */
export interface TableForm<Row extends { label: Label }> {
  /** The columns that it must have, of which `label` is one. */
  columns: readonly string[];
  /** What is wrong with a line whose label is right; nothing if it can be used. */
  fault(value: ColumnValue): string | undefined;
  /** What a line says. */
  row(value: ColumnValue): Row;
}

/**
 * Reads a table.
 *
 * @throws {DataError} if it is missing, not UTF-8, too large, or as {@linkcode parseTable}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readTable<Row extends { label: Label }>(
  path: string,
  form: TableForm<Row>,
): Promise<Row[]> {
  const action: FileAction = {
    what: "read the predictions",
    path,
    access: "read",
    error: DataError,
    hint: "check the path",
  };
  const limit = { most: MAX_TABLE_BYTES, hint: HINT_LARGE };
  return decodeTable(await readBytes(action, limit), path, form);
}

/** The same from the bytes of a whole file; what may be wrong with them is wrong with the file. */
export function decodeTable<Row extends { label: Label }>(
  bytes: Uint8Array,
  path: string,
  form: TableForm<Row>,
): Row[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw tableError(path, "it is not UTF-8 text", "save it as CSV in UTF-8");
  }
  return parseTable(text, path, form);
}

/**
 * Parses the text of a table.
 *
 * @param path the file, for messages
 * @throws {DataError} if a column is missing, or a value is wrong, naming the first ten lines at fault,
 * or if all labels are the same
 */
export function parseTable<Row extends { label: Label }>(
  text: string,
  path: string,
  form: TableForm<Row>,
): Row[] {
  if (text.includes("\0")) {
    throw tableError(path, "it holds zero bytes, so it is not text", "save it as CSV in UTF-8");
  }
  const columns = _columns(text, path, form);
  let names: string[] | undefined;
  let last = 1;
  let [faulty, ragged] = [0, 0];
  const rows: Row[] = [];
  const faults: string[] = [];
  // Of each line no more is kept than what is asked for.
  const use = ({ values, line }: CsvLine) => {
    if (names === undefined) {
      names = values.map((name) => name.toLowerCase());
      _checkHeader(names, path, form);
      return;
    }
    last = line;
    if (values.length !== columns && ++ragged > MAX_RAGGED) {
      const found = `more than ${MAX_RAGGED} lines have not the header's ${columns} values`;
      throw tableError(path, found, HINT_LARGE);
    }
    const all = names;
    const value: ColumnValue = (column) => values[all.indexOf(column)];
    const fault = values.length === all.length
      ? _labelFault(value) ?? form.fault(value)
      : `${values.length} values where the header names ${all.length} columns`;
    if (fault === undefined) rows.push(form.row(value));
    else if (faulty++ < MAX_FAULTS) faults.push(`line ${line}: ${fault}`);
  };
  const refuse = (found: string) => tableError(path, found, "write numbers without quotes");
  eachCsvLine(text, use, { columns, refuse });
  if (names === undefined) _checkHeader([], path, form);
  if (faulty > 0) {
    const more = faulty > MAX_FAULTS ? `; and ${faulty - MAX_FAULTS} more` : "";
    const hint = "labels are 0 or 1, probabilities numbers in 0–1";
    throw tableError(path, faults.join("; ") + more, hint);
  }
  _checkClasses(rows, last, path);
  return rows;
}

/** The label of a line that {@linkcode TableForm.row} is given. */
export function labelOf(value: ColumnValue): Label {
  return value("label") === "1" ? 1 : 0;
}

/** What is wrong with a probability; nothing if it is one. */
export function probabilityFault(value: ColumnValue, column: string, name: string) {
  const text = value(column) ?? "";
  const probability = Number(text);
  if (DECIMAL.test(text) && probability >= 0 && probability <= 1) return undefined;
  return `the ${name} '${asciiOf(text)}' is not a number in 0–1`;
}

/** An error about a table. */
export function tableError(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the predictions '${path}': ${found}: ${hint}`);
}

/** How many columns the first line that is not blank names. */
function _columns(text: string, path: string, { columns }: Pick<TableForm<never>, "columns">) {
  const { width } = csvShape(text);
  if (width <= MAX_COLUMNS) return width;
  const found = `line 1: it names ${width} columns, allowed are ${MAX_COLUMNS}`;
  throw tableError(path, found, `leave out all but ${columns.join(", ")}`);
}

function _checkHeader(
  names: readonly string[],
  path: string,
  { columns }: Pick<TableForm<never>, "columns">,
): void {
  const hint = `let the first line be the columns' names, ${columns.join(",")} among them`;
  const missing = columns.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    throw tableError(path, `line 1: there is no column ${missing.join(" and no column ")}`, hint);
  }
  const twice = columns.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice === undefined) return;
  throw tableError(path, `line 1: there are several columns '${twice}'`, hint);
}

function _labelFault(value: ColumnValue): string | undefined {
  const label = value("label") ?? "";
  return label === "0" || label === "1" ? undefined : `the label '${asciiOf(label)}' is not 0 or 1`;
}

function _checkClasses(rows: readonly { label: Label }[], last: number, path: string): void {
  if (rows.length === 0) {
    throw tableError(path, "it holds no predictions", "put a line for each patient");
  }
  if (rows.some(({ label }) => label !== rows[0].label)) return;
  const found = `all ${rows.length} labels, lines 2 to ${last}, are ${rows[0].label}`;
  throw tableError(path, found, "patients with the finding and patients without it are needed");
}
