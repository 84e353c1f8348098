/** Files from a scanner, for scripts: each function loads its code when it is first called. */
import type { ImportOptions, ImportResult } from "./import.ts";
import type { GivenFile, Inspection, InspectOptions } from "./inspect.ts";

/**
 * Imports exams: `{out}/{split}/{plane}/{id}.npy` of `[slices, 256, 256]` uint8, `{out}/exams.csv`, and
 * label files if a table is given or the data set brings labels. What was imported before is not read again, so an import that was
 * stopped goes on where it was, and new studies are added.
 *
 * Nothing that names a patient is written. Exams of NIfTI files and pickled volumes keep the names of
 * their files, others are numbered.
 *
 * @example
 * ```ts
 * import { importExams } from "../../mod.ts";
 * import { niftiFile } from "../../tests/support/nifti.ts";
 * const size = [64, 64, 20];
 * const values = Array.from({ length: 64 * 64 * 20 }, (_, i) => i % 97);
 * const affine = [[0, 0, 4, 0], [1, 0, 0, 0], [0, 1, 0, 0]];
 * const bytes = niftiFile({ size, values, affine });
 * const out = await Deno.makeTempDir();
 * const { exams } = await importExams({ paths: [{ name: "knee7.nii", bytes }], out });
 * console.assert(exams[0].id === "knee7" && exams[0].plane === "sagittal");
 * ```
 *
 * @throws {OptionError} if an option does not exist, or landmarks are none
 * @throws {DataError} if a path is not there, or the table of labels or `exams.csv` cannot be read
 * @throws {OutputError} if the folder cannot be written
 * @throws {PermissionError} if Deno may not read or write there
 */
export async function importExams(options: ImportOptions): Promise<ImportResult> {
  const work = await import("./import.ts");
  return await work.importExams(options);
}

/**
 * Looks at files, at folders with all that lies below them, and into zip archives.
 *
 * @param paths DICOM and NIfTI files, folders, archives, or their bytes
 * @throws {OptionError} if an option does not exist
 * @throws {DataError} if a path is not there
 * @throws {PermissionError} if Deno may not read one
 */
export async function inspectPaths(
  paths: readonly (string | GivenFile)[],
  options?: InspectOptions,
): Promise<Inspection> {
  const work = await import("./inspect.ts");
  return await work.inspectPaths(paths, options);
}
