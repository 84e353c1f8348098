/**
 * A table of what three models said about patients, made here or elsewhere: CSV with a header, a line
 * a patient, with the columns `label`, `axial`, `coronal` and `sagittal` in any order. Other columns
 * are passed over.
 */
import { type CsvLine, csvShape, eachCsvLine } from "../data/csv.ts";
import { DataError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { asciiOf } from "../quoted.ts";
import { type Label, PLANES } from "../terms.ts";
import { type ByPlane, byPlane } from "./combination.ts";

/** What three models said about one patient, and what is so. */
export interface PlanePredictions {
  /** 1 where the finding is present. */
  label: Label;
  /** The probability of the finding by each plane, in 0–1. */
  probabilities: ByPlane<number>;
  /** What the sigmoid makes those of, where it is known: patients are ranked by it. */
  logits?: ByPlane<number>;
}

/** The size from which a file is not taken for such a table, in bytes: some 15,000 patients. */
export const MAX_TABLE_BYTES = 1024 * 1024;

const HINT_LARGE = "give a table with a line a patient";

/** How many faults of a file are named. */
const MAX_FAULTS = 10;

/** After so many lines with another number of values a file is no table; each costs the parser time. */
const MAX_RAGGED = 1000;

/** A table may have more columns than are asked for, but each value of a line costs the parser memory. */
const MAX_COLUMNS = 1000;

const COLUMNS = ["label", ...PLANES] as const;

/** A number as CSV files have it; JavaScript would also take `0x1f` and the empty text. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Parses the text of a table.
 *
 * @param path the file, for messages
 * @throws {DataError} if a column is missing, or a value is no label or no probability, naming the
 * first ten lines at fault, or if all labels are the same
 *
 * @example
 * ```ts
 * import { parsePredictions } from "./predictions.ts";
 * const [first] = parsePredictions("label,axial,coronal,sagittal\n1,0.8,0.6,0.9\n0,0,0,0.1\n", "t.csv");
 * console.assert(first.label === 1 && first.probabilities.coronal === 0.6);
 * ```
 */
export function parsePredictions(text: string, path: string): PlanePredictions[] {
  if (text.includes("\0")) {
    throw _refusal(path, "it holds zero bytes, so it is not text", "save it as CSV in UTF-8");
  }
  const columns = _columns(text, path);
  let names: string[] | undefined;
  let at: Record<string, number> = {};
  let last = 1;
  let [faulty, ragged] = [0, 0];
  const rows: PlanePredictions[] = [];
  const faults: string[] = [];
  // Of each line no more is kept than what is asked for.
  const use = ({ values, line }: CsvLine) => {
    if (names === undefined) {
      const all = names = values.map((name) => name.toLowerCase());
      _checkHeader(all, path);
      at = Object.fromEntries(COLUMNS.map((column) => [column, all.indexOf(column)]));
      return;
    }
    last = line;
    if (values.length !== columns && ++ragged > MAX_RAGGED) {
      const found = `more than ${MAX_RAGGED} lines have not the header's ${columns} values`;
      throw _refusal(path, found, HINT_LARGE);
    }
    const value = (column: string) => values[at[column]];
    const fault = values.length === names.length
      ? _faultOf(value)
      : `${values.length} values where the header names ${names.length} columns`;
    if (fault === undefined) {
      rows.push({
        label: value("label") === "1" ? 1 : 0,
        probabilities: byPlane((plane) => Number(value(plane))),
      });
    } else if (faulty++ < MAX_FAULTS) {
      faults.push(`line ${line}: ${fault}`);
    }
  };
  const refuse = (found: string) => _refusal(path, found, "write numbers without quotes");
  eachCsvLine(text, use, { columns, refuse });
  if (names === undefined) _checkHeader([], path);
  if (faulty > 0) {
    const more = faulty > MAX_FAULTS ? `; and ${faulty - MAX_FAULTS} more` : "";
    const hint = "labels are 0 or 1, probabilities numbers in 0–1";
    throw _refusal(path, faults.join("; ") + more, hint);
  }
  _checkClasses(rows, last, path);
  return rows;
}

/**
 * Reads such a table.
 *
 * @throws {DataError} if it is missing, not UTF-8, too large, or as {@linkcode parsePredictions}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readPredictions(path: string): Promise<PlanePredictions[]> {
  const [what, hint] = ["read the predictions", "check the path"];
  const action: FileAction = { what, path, access: "read", error: DataError, hint };
  const limit = { most: MAX_TABLE_BYTES, hint: HINT_LARGE };
  return decodePredictions(await readBytes(action, limit), path);
}

/** The same from the bytes of a whole file; what may be wrong with them is wrong with the file. */
export function decodePredictions(bytes: Uint8Array, path: string): PlanePredictions[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw _refusal(path, "it is not UTF-8 text", "save it as CSV in UTF-8");
  }
  return parsePredictions(text, path);
}

/** How many columns the first line that is not blank names. */
function _columns(text: string, path: string): number {
  const { width } = csvShape(text);
  if (width <= MAX_COLUMNS) return width;
  const found = `line 1: it names ${width} columns, allowed are ${MAX_COLUMNS}`;
  throw _refusal(path, found, `leave out all but ${COLUMNS.join(", ")}`);
}

function _refusal(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the predictions '${path}': ${found}: ${hint}`);
}

function _checkHeader(names: readonly string[], path: string): void {
  const hint = `let the first line be the columns' names, ${COLUMNS.join(",")} among them`;
  const missing = COLUMNS.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    throw _refusal(path, `line 1: there is no column ${missing.join(" and no column ")}`, hint);
  }
  const twice = COLUMNS.find((column) => names.indexOf(column) !== names.lastIndexOf(column));
  if (twice === undefined) return;
  throw _refusal(path, `line 1: there are several columns '${twice}'`, hint);
}

function _faultOf(value: (column: string) => string): string | undefined {
  const label = value("label");
  if (label !== "0" && label !== "1") return `the label '${asciiOf(label)}' is not 0 or 1`;
  for (const plane of PLANES) {
    const text = value(plane);
    const probability = Number(text);
    if (DECIMAL.test(text) && probability >= 0 && probability <= 1) continue;
    return `the ${plane} probability '${asciiOf(text)}' is not a number in 0–1`;
  }
  return undefined;
}

function _checkClasses(rows: readonly PlanePredictions[], last: number, path: string): void {
  if (rows.length === 0) {
    throw _refusal(path, "it holds no predictions", "put a line for each patient");
  }
  if (rows.some(({ label }) => label !== rows[0].label)) return;
  const found = `all ${rows.length} labels, lines 2 to ${last}, are ${rows[0].label}`;
  throw _refusal(path, found, "patients with the finding and patients without it are needed");
}
