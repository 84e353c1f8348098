/** Exams from their files, wherever these lie. */
import { MRNetError } from "../errors.ts";
import { baseName, folderOf } from "../files.ts";
import type { Plane } from "../terms.ts";
import { type Exam, readExam } from "./exam.ts";
import { planeOfName } from "./plane_name.js";

/** Which file. */
export interface ExamFile {
  /** Where it is. */
  path: string;
  /** The exam's name: the file's without `.npy`. */
  id: string;
}

/** An exam that is read in a way of its own, such as one that is made of DICOM files. */
export interface ExamSource extends ExamFile {
  /**
   * Reads it.
   *
   * @throws {DataError} if it cannot be read
   */
  read(): Promise<Exam>;
}

/** The path of an `.npy` file, or an exam that is read in a way of its own. */
export type ExamInput = string | ExamSource;

/** A file that was read, or why it was not. */
export type ReadExamFile = ExamFile & ({ exam: Exam } | { error: MRNetError });

/**
 * The plane that a file's name speaks of, otherwise its folder's; see {@linkcode planeOfName}.
 *
 * @returns `undefined` if neither speaks of one
 *
 * @example
 * ```ts
 * import { planeOfPath } from "./exam_files.ts";
 * console.assert(planeOfPath("data/valid/axial/0012.npy") === "axial");
 * console.assert(planeOfPath("knees/12_cor.npy") === "coronal");
 * console.assert(planeOfPath("0012.npy") === undefined);
 * ```
 */
export function planeOfPath(path: string): Plane | undefined {
  return planeOfName(baseName(path)) ?? planeOfName(baseName(folderOf(path)));
}

/** The file of an exam. */
export function examFileOf(input: ExamInput): ExamFile {
  if (typeof input !== "string") return { path: input.path, id: input.id };
  const path = input;
  return { path, id: baseName(path).replace(/\.npy$/i, "") };
}

/**
 * Reads exams in order. The next one is read while the caller works on the current one, and no more
 * than these two are held. One that cannot be read is given as its error, and the others go on.
 *
 * @param inputs `.npy` files of any slice count and size that an exam can have, or other sources
 *
 * @example
 * ```ts
 * import { npy, readExamFiles } from "../../mod.ts";
 * const path = `${await Deno.makeTempDir()}/0001.npy`;
 * await Deno.writeFile(path, npy.encodeNpy(new Uint8Array(2 * 64 * 64), [2, 64, 64]));
 * for await (const file of readExamFiles([path, "missing.npy"])) {
 *   console.assert("exam" in file ? file.exam.slices === 2 : file.path === "missing.npy");
 * }
 * ```
 */
export async function* readExamFiles(inputs: readonly ExamInput[]): AsyncGenerator<ReadExamFile> {
  const start = (input: ExamInput) => {
    const reading = _read(input);
    // Its failure is reported when its turn comes, or not at all if the caller stops before.
    reading.catch(() => {});
    return reading;
  };
  let ahead = inputs.length > 0 ? start(inputs[0]) : undefined;
  for (let position = 0; position < inputs.length; position++) {
    const file = await ahead!;
    ahead = position + 1 < inputs.length ? start(inputs[position + 1]) : undefined;
    yield file;
  }
}

async function _read(input: ExamInput): Promise<ReadExamFile> {
  const file = examFileOf(input);
  try {
    const exam = typeof input === "string" ? await readExam(input, file.id) : await input.read();
    return { ...file, exam };
  } catch (error) {
    if (error instanceof MRNetError) return { ...file, error };
    throw error;
  }
}
