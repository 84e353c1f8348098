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
  type Found,
  type FoundSeries,
  type SkippedFile,
} from "./found.ts";
import type { ImagingLimits } from "./limits.ts";
import { isNifti } from "./nifti.ts";
import { isPickledVolume } from "./pickled_volume.ts";
import { examOfSeries } from "./volume.ts";

/** A study of one patient. */
export interface Study {
  /** What it is called: the folder or archive it lies in. */
  readonly name: string;
  /** The exam of each plane for which one series is there or was chosen. */
  readonly exams: Partial<Record<Plane, ExamSource>>;
  /** Every plane for which there is a series. */
  readonly choices: readonly PlaneChoice[];
  /** All its series. */
  readonly series: readonly FoundSeries[];
}

/** How studies are found and read. */
export interface StudiesOptions extends ChooseOptions {
  /**
   * How much is read.
   * @default as much as there is
   */
  limits?: ImagingLimits;
  /** Called after each file, and each slice of an exam, and awaited; it may end the reading. */
  between?: () => void | Promise<void>;
  /** Ends the decoding of a frame. */
  signal?: AbortSignal;
  /**
   * Everything is of one patient: NIfTI files belong together, whatever they are called.
   * @default false
   */
  isOnePatient?: boolean;
}

/** Studies that can be read until they are disposed of. */
export class Studies implements Disposable {
  readonly studies: Study[];
  /** Files that should hold images and are of no use. */
  readonly skipped: readonly SkippedFile[];
  readonly #files: ImagingFiles;
  readonly #decoder: FrameDecoder;
  readonly #options: StudiesOptions;

  private constructor(
    files: ImagingFiles,
    { series, skipped }: Found,
    options: StudiesOptions,
  ) {
    this.#files = files;
    this.#decoder = new FrameDecoder(options.signal);
    this.#options = options;
    this.skipped = skipped;
    const names = new Set<string>();
    const isNamed = ({ name }: FoundSeries) => options.isOnePatient && name !== undefined;
    const groups = Map.groupBy(series, (each) => isNamed(each) ? "" : each.facts.study);
    this.studies = [...groups.values()].map((group) => this.#study(group, names));
  }

  /**
   * Finds the studies in files, folders and archives; only headers are read.
   *
   * @throws {DataError} if a path is not there, an archive is damaged, or there is more than allowed
   * @throws {PermissionError} if Deno may not read one
   * @throws what `between` throws
   */
  static async open(
    paths: readonly (string | GivenFile)[],
    options: StudiesOptions = {},
  ): Promise<Studies> {
    const files = await ImagingFiles.find(paths, options.limits);
    try {
      return new Studies(files, await findSeries(files, options.between), options);
    } catch (error) {
      files[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
    this.#files[Symbol.dispose]();
  }

  #study(series: readonly FoundSeries[], names: Set<string>): Study {
    const choices = choosePlanes(series, this.#options);
    const name = _freeName(series[0].name ?? commonFolders(series)[0], names);
    const exams: Partial<Record<Plane, ExamSource>> = {};
    for (const { plane, series: chosen } of choices) {
      if (chosen === undefined) continue;
      exams[plane] = { id: name, path: name, read: () => this.#read(chosen, name, plane) };
    }
    return { name, exams, choices, series };
  }

  async #read(series: FoundSeries, id: string, plane: Plane) {
    const { shape: [slices, height, width], data } = await examOfSeries(series, this.#decoder, {
      plane,
      between: this.#options.between,
    });
    return { id, slices, height, width, voxels: data, isScanned: true };
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

/** True for a folder, an archive, a pickled volume, and a file that begins as DICOM or NIfTI files do. */
export async function isImagingPath(path: string): Promise<boolean> {
  if (/\.npy$/i.test(path)) return false;
  if (isArchiveName(path) || isPickledVolume(path)) return true;
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
