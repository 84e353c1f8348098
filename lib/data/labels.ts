/**
 * Label files, and where a dataset keeps its files.
 *
 * A label file is CSV without a header, a line an exam: `id,label`, where the label is 0 or 1. What
 * spreadsheets make of such a file is read too: see `csv.ts`.
 */
import { DataError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { type FileAction, join, readBytes } from "../files.ts";
import { asciiOf } from "../quoted.ts";
import type { Label, Plane, Split, Task } from "../terms.ts";
import { type CsvLine, eachCsvLine } from "./csv.ts";

/** An exam's name and whether it shows the finding. */
export interface LabelledId {
  /** The exam's name, numbers padded with zeros to four digits: `0012`. */
  id: string;
  /** 1 if the finding is present, 0 if it is not. */
  label: Label;
}

/** The largest label file, in bytes: about a hundred thousand exams. */
export const MAX_LABEL_BYTES = 1024 * 1024;

const HINT_TOO_LARGE = "give a file of lines 'id,label'";

/** How many faults of a file are named. */
const MAX_FAULTS_NAMED = 10;
/** How many are counted before reading stops: each costs the CSV parser an error with a stack. */
const MAX_FAULTS_COUNTED = 1000;
const MAX_ID_LENGTH = 64;

/** The label file of a task: `data/train-acl.csv`. */
export function labelFile(data: string, split: Split, task: Task): string {
  return join(data, `${split}-${task}.csv`);
}

/**
 * The file of an exam: `data/train/sagittal/0012.npy`.
 *
 * @throws {DataError} if the id is not one, so that no id leads out of the data folder
 */
export function examFile(data: string, split: Split, plane: Plane, id: string): string {
  return join(data, split, plane, `${examId(id)}.npy`);
}

/**
 * An exam's name in its one form: numbers are padded with zeros to four digits, so `12` and `0012`
 * name the same exam.
 *
 * @param text 1 to 64 letters a–z of either case, digits, `_` and `-`; not one of the names that
 *   Windows gives to devices whatever the ending, such as `con` or `COM1`
 * @throws {DataError} if it is anything else
 */
export function examId(text: string): string {
  if (!_isId(text)) {
    const rule = `give letters, digits, '_' and '-', at most ${MAX_ID_LENGTH}`;
    throw new DataError(`Cannot find an exam: '${asciiOf(text)}' is not the name of one: ${rule}`);
  }
  return _padded(text);
}

/** Whether an exam can have this name, in the form that {@linkcode examId} gives it. */
export function isExamId(text: string): boolean {
  return _isId(text) && _padded(text) === text;
}

/**
 * Parses the text of a label file.
 *
 * A label is exactly `0` or `1`, blanks around it aside: `1.0`, `true` and the like are refused, for
 * MRNet's files have none and a guess here would go unseen.
 *
 * @param text the file's text
 * @param path the file, for messages
 * @returns the exams in the order of the file
 * @throws {DataError} if any line is at fault, naming the first ten by number and counting the
 *   others, or if there is no line at all
 */
export function parseLabels(text: string, path: string): LabelledId[] {
  if (text.length > MAX_LABEL_BYTES) throw _tooLarge(path, text.length);
  if (text.includes("\0")) {
    throw _refusal(path, "it holds zero bytes, so it is not text", "save it as CSV in UTF-8");
  }
  const rows: LabelledId[] = [];
  const firstLine = new Map<string, number>();
  const faults: string[] = [];
  let faulty = 0;
  const refuse = (): never => {
    const more = faulty > MAX_FAULTS_NAMED ? `; and ${faulty - MAX_FAULTS_NAMED} more` : "";
    const stopped = faulty === MAX_FAULTS_COUNTED ? ", where counting stopped" : "";
    const found = faults.join("; ") + more + stopped;
    throw _refusal(path, found, "each line must be 'id,label' with the label 0 or 1");
  };
  const fails = (line: number, fault: string) => {
    if (faulty++ < MAX_FAULTS_NAMED) faults.push(`line ${line}: ${fault}`);
    if (faulty === MAX_FAULTS_COUNTED) refuse();
  };
  const use = ({ values, line }: CsvLine) => {
    const fault = _faultOf(values);
    if (fault !== undefined) return fails(line, fault);
    const id = _padded(values[0]);
    const earlier = firstLine.get(id);
    if (earlier === undefined) {
      firstLine.set(id, line);
      rows.push({ id, label: values[1] === "1" ? 1 : 0 });
    } else {
      fails(line, `the id '${id}' was already in line ${earlier}`);
    }
  };
  const refusal = (found: string) =>
    _refusal(path, found, "write each line as 'id,label', without quotes");
  eachCsvLine(text, use, { columns: 2, refuse: refusal });
  if (faulty > 0) refuse();
  if (rows.length === 0) {
    throw _refusal(path, "it holds no labels", "put a line 'id,label' for each exam");
  }
  return rows;
}

/**
 * Reads a label file.
 *
 * @throws {DataError} if it is missing, larger than {@linkcode MAX_LABEL_BYTES}, not UTF-8, or as
 *   {@linkcode parseLabels}
 * @throws {PermissionError} if Deno may not read it
 */
export async function readLabels(path: string): Promise<LabelledId[]> {
  const [what, hint] = ["read the labels", "check that the label file is there and can be read"];
  const action: FileAction = { what, path, access: "read", error: DataError, hint };
  const limit = { most: MAX_LABEL_BYTES, hint: HINT_TOO_LARGE };
  return decodeLabels(await readBytes(action, limit), path);
}

/**
 * Decodes the bytes of a whole label file.
 *
 * @throws {DataError} as {@linkcode readLabels}
 */
export function decodeLabels(bytes: Uint8Array, path: string): LabelledId[] {
  if (bytes.length > MAX_LABEL_BYTES) throw _tooLarge(path, bytes.length);
  return parseLabels(_decode(bytes, path), path);
}

/** The text of a label file, a line an exam, that {@linkcode parseLabels} reads back. */
export function formatLabels(rows: readonly LabelledId[]): string {
  return rows.map(({ id, label }) => `${examId(id)},${label}\n`).join("");
}

function _refusal(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the labels '${path}': ${found}: ${hint}`);
}

function _tooLarge(path: string, size: number): DataError {
  const found = `it is ${size} bytes long, allowed are ${MAX_LABEL_BYTES}`;
  return _refusal(path, found, HINT_TOO_LARGE);
}

function _decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw _refusal(path, "it is not UTF-8 text", "save it as CSV in UTF-8");
  }
}

function _faultOf(values: readonly string[]): string | undefined {
  if (values.length !== 2) {
    return `${values.length} ${values.length === 1 ? "value" : "values"} instead of 2`;
  }
  const [id, label] = values;
  if (!_isId(id)) return `'${asciiOf(id)}' is not an exam's id`;
  if (label !== "0" && label !== "1") return `the label '${asciiOf(label)}' is not 0 or 1`;
  return undefined;
}

function _isId(text: string): boolean {
  return text.length <= MAX_ID_LENGTH && /^[A-Za-z0-9_-]+$/.test(text) && isFileName(text);
}

function _padded(id: string): string {
  return /^\d+$/.test(id) ? id.padStart(4, "0") : id;
}
