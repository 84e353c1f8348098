/**
 * The table of a chunk while it is scored: each row is written as soon as its exam is predicted, so that a
 * kill loses none, and the next process goes on behind the last whole row.
 *
 * The first line says which plan the rows are of. A row is taken up only if it is the one of the exam that
 * comes next; from the first that is not, everything is cut off. So what a kill, or a loss of power, left
 * half written costs its exam a second prediction, and no exam is in the result twice.
 */
import { csvValue, eachCsvLine } from "../data/csv.ts";
import { OutputError } from "../errors.ts";
import { type FileAction, fileError, fill, ifThere, join } from "../files.ts";
import type { ScoreUnit } from "./plan.ts";
import { unitFolder } from "./plan_file.ts";
import { removeUnitFile } from "./unit_note.ts";

/** The largest file that is gone on with, in bytes; a larger one is begun anew. */
const MAX_PARTIAL_BYTES = 256 * 1024 * 1024;

/** Whose rows they are. */
export interface PartialTableOf {
  /** The SHA-256 of the plan's file. */
  plan: string;
  /** The header of the table, with its end. */
  header: string;
  /** The names of the exams, in their order. */
  ids: readonly string[];
}

/** The name of the file in the unit's folder. */
export function partialName({ index }: Pick<ScoreUnit, "index">): string {
  return `predictions-${index}.partial.csv`;
}

/** A table that grows. It holds a file until it is disposed of (`using`). */
export class PartialTable implements Disposable {
  /** The rows that were there, each a line with its end. */
  readonly rows: readonly string[];
  readonly #file: Deno.FsFile;
  readonly #action: FileAction;

  private constructor(file: Deno.FsFile, action: FileAction, rows: readonly string[]) {
    this.#file = file;
    this.#action = action;
    this.rows = rows;
  }

  /**
   * Opens the table of a unit, or begins it. Only the process that has the unit's lock may do so.
   *
   * @param folder the plan's
   * @throws {OutputError} if it cannot be read and written
   */
  static async open(folder: string, unit: ScoreUnit, of: PartialTableOf): Promise<PartialTable> {
    const path = join(unitFolder(folder, unit), partialName(unit));
    const action: FileAction = {
      ...{ what: "keep the predictions in", path, access: "write", error: OutputError },
    };
    try {
      const there = await ifThere(Deno.lstat(path));
      // Opening follows a link out of the folder, and waits at a pipe.
      if (there !== undefined && !there.isFile) throw new Error("it is not a plain file");
      const file = await Deno.open(path, { read: true, write: true, create: true });
      try {
        return new PartialTable(file, action, await _takeUp(file, of));
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      throw fileError(error, action);
    }
  }

  /**
   * Appends a row.
   *
   * @param row a line with its end
   * @throws {OutputError} if it cannot be written
   */
  async append(row: string): Promise<void> {
    try {
      await _writeAll(this.#file, new TextEncoder().encode(row));
    } catch (error) {
      throw fileError(error, this.#action);
    }
  }

  /** Closes the file, which stays. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** The rows of a partial table that can be gone on with, each a line with its end. */
export function soundRows(text: string, of: PartialTableOf): string[] {
  const head = _head(of);
  if (!text.startsWith(head)) return [];
  const columns = _columns(of.header);
  const rows: string[] = [];
  let at = head.length;
  for (const id of of.ids) {
    const end = text.indexOf("\n", at);
    const row = text.slice(at, end + 1);
    if (end < 0 || !row.startsWith(`${csvValue(id)},`) || _columns(row) !== columns) break;
    rows.push(row);
    at = end + 1;
  }
  return rows;
}

/** Reads the sound rows, and cuts off what is behind them; the sound ones are not written again. */
async function _takeUp(file: Deno.FsFile, of: PartialTableOf): Promise<readonly string[]> {
  const { size } = await file.stat();
  const bytes = await fill(file, new Uint8Array(size > MAX_PARTIAL_BYTES ? 0 : size));
  const rows = soundRows(new TextDecoder().decode(bytes), of);
  const sound = new TextEncoder().encode(_head(of) + rows.join(""));
  if (sound.every((byte, at) => bytes[at] === byte)) {
    await file.truncate(sound.length);
    await file.seek(0, Deno.SeekMode.End);
    return rows;
  }
  await file.truncate(0);
  await file.seek(0, Deno.SeekMode.Start);
  await _writeAll(file, new TextEncoder().encode(_head(of)));
  return [];
}

/** Whether a row has a prediction; one that has none ends with the reason. */
export function isPredicted(row: string): boolean {
  return row.endsWith(",\n");
}

/** Removes the partial table of a unit, which is done. */
export async function removePartial(folder: string, unit: ScoreUnit): Promise<void> {
  await removeUnitFile(folder, unit, partialName(unit));
}

function _head({ plan, header }: PartialTableOf): string {
  return `plan,${plan}\n${header}`;
}

/** How many values a line has; 0 if it is none of a table. */
function _columns(line: string): number {
  // A loss of power may leave zeros.
  if (line.includes("\0")) return 0;
  let columns = 0;
  try {
    // An empty value at the end is not to be taken for what spreadsheets leave behind.
    eachCsvLine(line.replace(/,\n$/, ",x\n"), ({ values }) => columns = values.length, {
      refuse: (found) => new RangeError(found),
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return 0;
  }
  return columns;
}

async function _writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
