/**
 * Tables as text: the values of each line, with the number it has in the file.
 *
 * Lines may end in any of the usual ways, values may be quoted, blank lines and a byte order mark are
 * passed over. How many values a line should have is the caller's to say.
 *
 * @module
 */
import { CsvError, parse } from "npm:csv-parse@7.0.3/sync";

/** A line's values and its number, counted from 1. */
export interface CsvLine {
  values: string[];
  line: number;
}

/** How {@linkcode eachCsvLine} reads. */
export interface CsvOptions {
  /** How many values a good line has, where that is known: the parser is slow on lines that differ. */
  columns?: number;
  /** Makes the error of what was found where a quote is at fault; nothing else is refused. */
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
  // The first line tells the parser how many values to expect; every line with another number costs
  // it an error with a stack. So that good lines never do, it is given a good one to begin with.
  const before = columns === undefined ? 0 : 1;
  const begin = columns === undefined ? "" : `${Array(columns).fill("0").join()}\n`;
  try {
    parse(begin + text.replace(/^\ufeff/, ""), {
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      on_record(values, { lines }) {
        if (lines > before) use({ values, line: lines - before });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // Quotes are all that the parser itself stops at.
    throw refuse(
      error.code === "CSV_QUOTE_NOT_CLOSED"
        ? "a quote is opened and never closed"
        : `line ${Number(error.lines) - before}: a quote is out of place`,
    );
  }
}
