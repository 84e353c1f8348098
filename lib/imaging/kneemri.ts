/**
 * KneeMRI's table of its exams, `metadata.csv` (Štajduhar et al. 2017, Computer Methods and Programs in
 * Biomedicine 140, 151–164). The volumes lie beside it as `vol01/329637-8.pck` and so on: sagittal,
 * proton density with fat suppression.
 */
import { eachCsvLine } from "../data/csv.ts";
import { DataError } from "../errors.ts";
import { baseName } from "../files.ts";
import { quoted } from "../quoted.ts";
import type { Label } from "../terms.ts";

/** What the table says of a volume. */
export interface KneeMRIVolume {
  /** The exam that it is a series of; one exam may have several. */
  readonly exam: string;
  /**
   * Whether the anterior cruciate ligament is injured. The table grades it 0 (healthy), 1 (partially
   * torn) and 2 (completely torn); both tears count, as in MRNet's own code for this data set.
   */
  readonly acl: Label;
}

/** Volumes by the names of their files. */
export type KneeMRITable = ReadonlyMap<string, KneeMRIVolume>;

/** The columns that are needed; where the region of interest lies, and the side, are passed over. */
const COLUMNS = ["examId", "aclDiagnosis", "volumeFilename"] as const;

/** The largest table that is read, in bytes; KneeMRI's 917 lines have some 60 kB. */
export const MAX_TABLE_BYTES = 1024 * 1024;

const HINT = "give KneeMRI's metadata.csv as it was published";

/** True for the name that the table has; another data set may have one of that name too. */
export function isKneeMRITableName(name: string): boolean {
  return baseName(name).toLowerCase() === "metadata.csv";
}

/**
 * Decodes the bytes of a table.
 *
 * @returns `undefined` if it is a table of something else
 * @throws {DataError} if it is larger than {@linkcode MAX_TABLE_BYTES}, or a line lacks a value or says
 * something else of a volume than another line
 */
export function decodeKneeMRITable(bytes: Uint8Array, path: string): KneeMRITable | undefined {
  const refuse = (found: string) => {
    return new DataError(`Cannot read the table '${path}': ${found}: ${HINT}`);
  };
  const text = new TextDecoder().decode(bytes);
  const [head] = text.split(/[\r\n]/, 1);
  if (!COLUMNS.every((column) => head.includes(column))) return undefined;
  if (bytes.length > MAX_TABLE_BYTES) throw refuse(`it is longer than ${MAX_TABLE_BYTES} bytes`);
  const table = new Map<string, KneeMRIVolume>();
  let at: number[] | undefined;
  eachCsvLine(text, ({ values, line }) => {
    if (at === undefined) {
      at = COLUMNS.map((column) => values.indexOf(column));
      return;
    }
    const [exam, grade, file] = at.map((column) => values[column]?.trim() ?? "");
    if (exam === "" || file === "") throw refuse(`line ${line} names no exam or no volume`);
    if (!/^[012]$/.test(grade)) {
      throw refuse(`line ${line}: aclDiagnosis is ${quoted(grade)}, not 0, 1 or 2`);
    }
    const row: KneeMRIVolume = { exam, acl: grade === "0" ? 0 : 1 };
    const before = table.get(file) ?? row;
    if (before.exam !== exam || before.acl !== row.acl) {
      throw refuse(`line ${line} says of ${quoted(file)} what another line does not`);
    }
    table.set(file, row);
  }, { refuse });
  return table;
}

/** The other volumes of an exam. */
export function otherVolumes(table: KneeMRITable, file: string): string[] {
  const exam = table.get(file)?.exam;
  return [...table].filter(([name, each]) => each.exam === exam && name !== file)
    .map(([name]) => name);
}
