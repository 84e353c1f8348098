/**
 * A manifest: a table of exams and their files, CSV with the header `id,axial,coronal,sagittal`. Columns
 * of planes that a classifier does not read may be missing; other columns are passed over. Paths are
 * relative to the folder of the manifest.
 */
import { eachCsvLine } from "../data/csv.ts";
import type { ExamInput } from "../data/exam_files.ts";
import { DataError } from "../errors.ts";
import { type FileAction, folderOf, join, readBytes, sha256Of } from "../files.ts";
import { listed, quoted } from "../quoted.ts";
import type { Plane } from "../terms.ts";
import type { ClassifierPatient } from "./predict_patients.ts";

/** The largest manifest, in bytes: about a million exams. */
export const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

/** The longest id, in characters. */
const MAX_ID = 200;

const MAX_FAULTS = 10;
const MAX_COLUMNS = 100;

const WHAT = "read the manifest";
const HINT = "give a table with the columns id,axial,coronal,sagittal and a line for each exam";

/** A manifest that was read. */
export interface Manifest {
  /** The exams in the order of the table. */
  exams: ClassifierPatient[];
  /** The SHA-256 of the table. */
  sha256: string;
}

/**
 * Reads a manifest.
 *
 * @param planes the planes that are needed
 * @throws {DataError} if it is missing, or as {@linkcode parseManifest}
 * @throws {PermissionError} if Deno may not read it
 *
 * @example
 * ```ts
 * import { readManifest } from "./manifest.ts";
 * const path = `${await Deno.makeTempDir()}/exams.csv`;
 * await Deno.writeTextFile(path, "id,axial\nknee 1,axial/0001.npy\n");
 * const { exams } = await readManifest(path, ["axial"]);
 * console.assert(exams[0].id === "knee 1");
 * ```
 */
export async function readManifest(path: string, planes: readonly Plane[]): Promise<Manifest> {
  const action: FileAction = { what: WHAT, path, access: "read", error: DataError, hint: HINT };
  const bytes = await readBytes(action, { most: MAX_MANIFEST_BYTES });
  const exams = parseManifest(new TextDecoder().decode(bytes), path, planes);
  return { exams, sha256: await sha256Of(bytes) };
}

/**
 * Parses the text of a manifest. An exam without a file of a plane that is needed stays in the list; it
 * fails with that reason when it is read.
 *
 * @param path the file, for messages and for the folder that paths are relative to
 * @throws {DataError} if a column is missing, a line has another number of values, or an id is empty, too
 * long or there twice
 */
export function parseManifest(
  text: string,
  path: string,
  planes: readonly Plane[],
): ClassifierPatient[] {
  const refuse = (found: string) => new DataError(`Cannot ${WHAT} '${path}': ${found}: ${HINT}`);
  const folder = folderOf(path);
  let columns: string[] | undefined;
  const lineOf = new Map<string, number>();
  const exams: ClassifierPatient[] = [];
  const faults: string[] = [];
  eachCsvLine(text, ({ values, line }) => {
    if (columns === undefined) {
      columns = values.map((name) => name.toLowerCase());
      const missing = ["id", ...planes].filter((name) => !columns!.includes(name));
      if (missing.length > 0) {
        throw refuse(`line ${line}: there is no column ${missing.join(" and no column ")}`);
      }
      if (columns.length > MAX_COLUMNS) throw refuse(`it has ${columns.length} columns`);
      return;
    }
    const id = values[columns.indexOf("id")] ?? "";
    const fault = values.length !== columns.length
      ? `${values.length} values instead of ${columns.length}`
      : id === "" || id.length > MAX_ID
      ? `the id ${quoted(id)} is empty or too long`
      : lineOf.has(id)
      ? `the id ${quoted(id)} was already in line ${lineOf.get(id)}`
      : undefined;
    if (fault !== undefined) {
      faults.push(`line ${line}: ${fault}`);
      if (faults.length > MAX_FAULTS) throw refuse(listed(faults, MAX_FAULTS));
      return;
    }
    lineOf.set(id, line);
    const fileOf = (plane: Plane) => _input(id, plane, values[columns!.indexOf(plane)], folder);
    exams.push({ id, files: Object.fromEntries(planes.map((plane) => [plane, fileOf(plane)])) });
  }, { refuse });
  if (faults.length > 0) throw refuse(faults.join("; "));
  if (exams.length === 0) throw refuse("it has no exams");
  return exams;
}

/** The file of a plane; one that is not named fails when it is read. */
function _input(id: string, plane: Plane, path: string, folder: string): ExamInput {
  const isWhole = folder === "." || /^([\\/]|[A-Za-z]:[\\/])/.test(path);
  if (path !== "") return isWhole ? path : join(folder, path);
  const missing = () =>
    Promise.reject(
      new DataError(`Cannot predict ${quoted(id)}: the manifest names no ${plane} exam`),
    );
  return { path: "", id, read: missing };
}
