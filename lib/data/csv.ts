/**
 * Tables as text: the values of each line, with the number it has in the file.
 *
 * Values are separated by commas, or by semicolons or tabs if the first line has no comma, as Excel
 * writes them where the comma belongs to numbers. Lines may end in any of the usual ways, values may
 * be quoted. What spreadsheets leave behind is skipped: a byte order mark, a first line `sep=;`,
 * blank lines, lines of nothing but separators, empty values at a line's end, and the Ctrl-Z that
 * ended files of DOS. How many values a line should have is the caller's to say.
 */
// Its modules run with the first table: most scripts that import the toolkit read none at once.
import defer * as csv from "npm:csv-parse@7.0.3/sync";

/** A line's values and its number, counted from 1. */
export interface CsvLine {
  values: string[];
  line: number;
}

/** How many empty lines with an unexpected number of separators are skipped. */
const MAX_ODD = 1000;

/** How {@linkcode eachCsvLine} reads. */
export interface CsvOptions {
  /** How many values a good line has, if that is known: the parser is slow on lines that differ. */
  columns?: number;
  /** Makes the error for a wrong quote; nothing else is refused. */
  refuse: (found: string) => Error;
}

/**
 * Hands over one line of a table after the other; none is kept.
 *
 * @param use may throw, which ends the reading
 *
 * @example
 * ```ts
 * import { eachCsvLine } from "./csv.ts";
 * const lines: string[] = [];
 * eachCsvLine("id,label\r\n12,1\r\n", ({ values, line }) => lines.push(`${line}: ${values}`), {
 *   refuse: (found) => new Error(found),
 * });
 * console.assert(lines.join() === "1: id,label,2: 12,1");
 * ```
 */
export function eachCsvLine(
  text: string,
  use: (line: CsvLine) => void,
  { columns, refuse }: CsvOptions,
): void {
  const { delimiter, width, isPadded } = csvShape(text);
  // The first line tells the parser how many values to expect; every line with another number costs
  // it an error with a stack. So that good lines never do, it is given a good one to begin with.
  const expected = isPadded ? width : columns;
  const before = expected === undefined ? 0 : 1;
  let odd = 0;
  const begin = expected === undefined ? "" : `${Array(expected).fill("0").join(delimiter)}\n`;
  try {
    csv.parse(begin + _withoutMarks(text), {
      trim: true,
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      on_record(values: string[], { lines }) {
        if (lines <= before) return null;
        const isNothing = values.every((value) => value.trim() === "");
        if (isNothing && (values.length === expected || ++odd <= MAX_ODD)) return null;
        use({ values: _withoutPadding(values, columns), line: lines - before });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof csv.CsvError)) throw error;
    // Quotes are all that the parser itself stops at.
    throw refuse(
      error.code === "CSV_QUOTE_NOT_CLOSED"
        ? "a quote is opened and never closed"
        : `line ${Number(error.lines) - before}: a quote is out of place`,
    );
  }
}

/**
 * A value as it stands in a table: in quotes where it would otherwise be read as something else.
 *
 * @example
 * ```ts
 * import { csvValue } from "./csv.ts";
 * console.assert(csvValue("0012") === "0012" && csvValue('a, "b"') === '"a, ""b"""');
 * ```
 */
export function csvValue(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What the first line that is not blank tells of a table. */
export interface CsvShape {
  /** What separates values. */
  delimiter: "," | ";" | "\t";
  /** How many values the line has, an empty one behind a last separator included. */
  width: number;
  /** True if the line ends with a separator. */
  isPadded: boolean;
}

/** Looks at a table's first line; quotes are not understood, so it is a guess that errs on strange names. */
export function csvShape(text: string): CsvShape {
  const line = /[^\s][^\r\n]*/.exec(_withoutMarks(text))?.[0] ?? "";
  const delimiter = line.includes(",")
    ? ","
    : line.includes(";")
    ? ";"
    : line.includes("\t")
    ? "\t"
    : ",";
  let width = 1;
  for (let at = line.indexOf(delimiter); at >= 0; at = line.indexOf(delimiter, at + 1)) width++;
  return { delimiter, width, isPadded: line.trimEnd().endsWith(delimiter) };
}

/** The text without what programs write around a table; lines keep their numbers. */
function _withoutMarks(text: string): string {
  // deno-lint-ignore no-control-regex -- Ctrl-Z is what is looked for
  return text.replace(/^\ufeff?(sep=.(?=[\r\n]))?/i, "").replace(/\x1a\s*$/, "");
}

/** A line's values without the empty ones behind those that it should have. */
function _withoutPadding(values: string[], columns = values.length): string[] {
  let end = values.length;
  while (end > columns && values[end - 1] === "") end--;
  return values.slice(0, end);
}
