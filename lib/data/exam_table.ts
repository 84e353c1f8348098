/**
 * What else is known about exams, such as patient, scanner or side: a CSV file with a header, the exam's
 * id in the first column.
 */
import { DataError } from "../errors.ts";
import { type FileAction, readBytes } from "../files.ts";
import { listed, quoted, shortened } from "../quoted.ts";
import { type CsvLine, eachCsvLine } from "./csv.ts";
import { examId } from "./labels.ts";

/** What a file says about exams. */
export interface ExamTable {
  /** The file. */
  path: string;
  /** The names of the columns behind the id. */
  columns: readonly string[];
  /** The values of each exam, one for each column; an empty one is not known. */
  rows: ReadonlyMap<string, readonly string[]>;
}

/** The largest file, in bytes. */
export const MAX_EXAM_TABLE_BYTES = 4 * 1024 * 1024;

/** The longest name of a column, and the longest value. */
const MAX_LENGTH = 100;

/** The most columns. */
const MAX_COLUMNS = 50;

/**
 * Reads a table of exams.
 *
 * @throws {DataError} if it is missing, too large or not UTF-8, or a line is not as the header promises
 * @throws {PermissionError} if Deno may not read it
 */
export async function readExamTable(path: string): Promise<ExamTable> {
  const action: FileAction = {
    what: "read the table of exams",
    path,
    access: "read",
    error: DataError,
    hint: "check that the file is there and can be read",
  };
  const bytes = await readBytes(action, {
    most: MAX_EXAM_TABLE_BYTES,
    hint: "give a file of one line an exam",
  });
  return decodeExamTable(bytes, path);
}

/** The same from the bytes of a whole file. */
export function decodeExamTable(bytes: Uint8Array, path: string): ExamTable {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw _refusal(path, "it is not UTF-8 text", "save it as CSV in UTF-8");
  }
  return parseExamTable(text, path);
}

/**
 * Parses the text of a table of exams.
 *
 * @param path the file, for messages
 * @throws {DataError} as {@linkcode readExamTable}
 */
export function parseExamTable(text: string, path: string): ExamTable {
  let columns: string[] | undefined;
  const rows = new Map<string, string[]>();
  const use = ({ values, line }: CsvLine) => {
    const long = values.find((value) => value.length > MAX_LENGTH);
    if (long !== undefined) {
      const found = `line ${line}: a value has ${long.length} characters`;
      throw _refusal(path, found, `write at most ${MAX_LENGTH}`);
    }
    if (columns === undefined) columns = _columns(values, path);
    else _addRow(rows, columns, { values, line }, path);
  };
  const hint = "write each line as 'id,value,…'";
  eachCsvLine(text, use, { refuse: (found) => _refusal(path, found, hint) });
  if (columns === undefined || rows.size === 0) {
    throw _refusal(path, "it holds no exams", "put a line for each exam below the header");
  }
  return { path, columns, rows };
}

/** One column of a table; an exam with an empty value is not in it. */
export function columnOf({ columns, rows, path }: ExamTable, name: string): Map<string, string> {
  const index = columns.indexOf(name);
  if (index < 0) {
    const found = `it has no column '${name}', but ${listed(columns.map(quoted), 10)}`;
    throw _refusal(path, found, `begin it with the line 'id,${name}'`);
  }
  return new Map(
    [...rows].map(([id, values]) => [id, values[index]] as const).filter(([, value]) =>
      value !== ""
    ),
  );
}

function _columns([id, ...columns]: string[], path: string): string[] {
  const isHeader = id?.toLowerCase() === "id" && columns.length > 0 && !columns.includes("");
  if (!isHeader || new Set(columns).size < columns.length || columns.length > MAX_COLUMNS) {
    const found = `its first line is '${shortened([id, ...columns].join(), 60)}'`;
    const hint = `begin it with 'id' and the names of 1 to ${MAX_COLUMNS} columns, as 'id,scanner'`;
    throw _refusal(path, found, hint);
  }
  return columns;
}

function _addRow(
  rows: Map<string, string[]>,
  columns: readonly string[],
  { values: [name, ...values], line }: CsvLine,
  path: string,
): void {
  const refuse = (found: string, hint: string) => _refusal(path, `line ${line}: ${found}`, hint);
  // Empty values at the end of a line may be left out.
  while (values.length < columns.length) values.push("");
  if (values.length > columns.length) {
    throw refuse(`${values.length + 1} values`, `give ${columns.length + 1}, as in the first line`);
  }
  let id: string;
  try {
    id = examId(name);
  } catch {
    throw refuse(`'${shortened(name, 40)}' is not an exam's id`, "give the id of the label file");
  }
  if (rows.has(id)) throw refuse(`the exam '${id}' was there before`, "name each exam once");
  rows.set(id, values);
}

function _refusal(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot use the table of exams '${path}': ${found}: ${hint}`);
}
