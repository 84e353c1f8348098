/**
 * Studies from a scanner as exams that are ready to be predicted, each read when its turn comes.
 */
import type { ExamSource } from "../data/exam_files.ts";
import { DataError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { readBeginning } from "../files.ts";
import type { Plane } from "../terms.ts";
import { type ChooseOptions, choosePlanes, type PlaneChoice } from "./choose.ts";
import { isDicom } from "./dicom/dataset.ts";
import { FrameDecoder } from "./dicom/decoder.ts";
import { type GivenFile, ImagingFiles, isArchiveName } from "./files.ts";
import {
  BEGIN_BYTES,
  commonFolders,
  findSeries,
  type FoundSeries,
  type SkippedFile,
} from "./found.ts";
import { isNifti } from "./nifti.ts";
import { examOfSeries } from "./volume.ts";

/** A study of one patient. */
export interface Study {
  /** What it is called: the folder or archive it lies in. */
  readonly name: string;
  /** The exam of each plane for which one series is there or was chosen. */
  readonly exams: Partial<Record<Plane, ExamSource>>;
  /** Every plane for which there is a series. */
  readonly choices: readonly PlaneChoice[];
}

/** Studies that can be read until they are disposed of. */
export class Studies implements Disposable {
  readonly studies: Study[];
  /** Files that should hold images and are of no use. */
  readonly skipped: readonly SkippedFile[];
  readonly #files: ImagingFiles;
  readonly #decoder = new FrameDecoder();

  private constructor(
    files: ImagingFiles,
    series: readonly FoundSeries[],
    options: ChooseOptions & { skipped: readonly SkippedFile[] },
  ) {
    this.#files = files;
    this.skipped = options.skipped;
    const names = new Set<string>();
    const groups = [...Map.groupBy(series, ({ facts }) => facts.study).values()];
    this.studies = groups.map((group) => this.#study(group, options, names));
  }

  /**
   * Finds the studies in files, folders and archives; only headers are read.
   *
   * @throws {DataError} if a path is not there, or an archive is damaged
   * @throws {PermissionError} if Deno may not read one
   */
  static async open(
    paths: readonly (string | GivenFile)[],
    options: ChooseOptions = {},
  ): Promise<Studies> {
    const files = await ImagingFiles.find(paths);
    try {
      const { series, skipped } = await findSeries(files);
      return new Studies(files, series, { ...options, skipped });
    } catch (error) {
      files[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
    this.#files[Symbol.dispose]();
  }

  #study(series: readonly FoundSeries[], options: ChooseOptions, names: Set<string>): Study {
    const choices = choosePlanes(series, options);
    const name = _freeName(series[0].name ?? commonFolders(series)[0], names);
    const exams: Partial<Record<Plane, ExamSource>> = {};
    for (const { plane, series: chosen } of choices) {
      if (chosen === undefined) continue;
      exams[plane] = { id: name, path: name, read: () => this.#read(chosen, name, plane) };
    }
    return { name, exams, choices };
  }

  async #read(series: FoundSeries, id: string, plane: Plane) {
    const { shape: [slices, height, width], data } = await examOfSeries(
      series,
      this.#decoder,
      plane,
    );
    return { id, slices, height, width, voxels: data };
  }
}

/** A name that pictures can have and no other study has. */
function _freeName(wanted: string | undefined, taken: Set<string>): string {
  const own = wanted !== undefined && isFileName(wanted) ? wanted : "study";
  let name = own;
  for (let number = 2; taken.has(name); number++) name = `${own}-${number}`;
  taken.add(name);
  return name;
}

/** True for a folder, an archive, and a file that begins as DICOM or NIfTI files do. */
export async function isImagingPath(path: string): Promise<boolean> {
  if (/\.npy$/i.test(path)) return false;
  if (isArchiveName(path)) return true;
  try {
    if ((await Deno.stat(path)).isDirectory) return true;
    const action = { what: "read", path, access: "read", error: DataError } as const;
    const begin = await readBeginning(action, BEGIN_BYTES);
    return isDicom(begin) || isNifti(begin, path);
  } catch {
    // Whoever reads it as an exam says what is wrong with it.
    return false;
  }
}
