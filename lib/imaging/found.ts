/**
 * The series in any number of files of any supported format: what is known of each without its pixels,
 * and how to read the pixels.
 */
import { DataError, messageOf } from "../errors.ts";
import { baseName, folderOf } from "../files.ts";
import { withoutPlane } from "../data/plane_name.js";
import type { Plane } from "../terms.ts";
import { isDicom } from "./dicom/dataset.ts";
import type { FrameDecoder } from "./dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "./dicom/file.ts";
import type { InstanceHeader } from "./dicom/header.ts";
import type { StoredPixels } from "./dicom/pixels.ts";
import { type ImagingFile, type ImagingFiles, stemOf } from "./files.ts";
import { orientationOf, type Vector } from "./geometry.ts";
import type { GreySlice } from "./grey_values.ts";
import { isNifti, type NiftiVolume, readNifti } from "./nifti.ts";
import { seriesRemarks, sliceCountRemark, tiltRemark } from "./remarks.ts";
import { type Series, sortIntoSeries } from "./series.ts";

/** What is known of a series. Lengths are in millimetres, times in milliseconds. */
export interface SeriesFacts {
  /** The study's unique identifier; of a NIfTI file its folder and name, without the plane's. */
  study: string;
  /** The series' unique identifier; of a NIfTI file its name. */
  series: string;
  /** What tells it from other exams of the same series; empty if nothing. */
  part: string;
  /** What the scanner's operator called it. */
  description: string;
  /** `undefined` if the files do not say where their slices lie. */
  plane?: Plane;
  /** How far it is tilted out of the plane, in degrees. */
  tilt: number;
  /** How many slices there are. */
  slices: number;
  /** Pixels down a slice. */
  rows: number;
  /** Pixels across a slice. */
  columns: number;
  /** Distance of rows and of columns. */
  spacing?: readonly [number, number];
  /** The usual distance of slices. */
  sliceDistance?: number;
  /** `R`, `L`, `B` or `U`; empty if nothing is said. */
  side: string;
  /** The echo time. */
  echoTime?: number;
  /** The repetition time. */
  repetitionTime?: number;
  /** The kind of sequence, as in `SE`, and its options, as in `FS`; empty if nothing is said. */
  sequence: string;
  /** How its pixels are stored. */
  syntax: string;
  /** What is odd about it, a sentence each. */
  remarks: string[];
}

/** A series that was found. */
export interface FoundSeries {
  readonly facts: SeriesFacts;
  /** The name that its files give the exam; none if they have no name of their own. */
  readonly name?: string;
  /** The folders that its first file lies in, the innermost first, and the archive. */
  readonly folders: readonly string[];
  /** The directions in which columns and rows run, if known. */
  readonly orientation?: readonly [Vector, Vector];
  /** True if it only shows where the others lie. */
  readonly isLocalizer: boolean;
  /** Why no exam can be made of it, whatever is asked for. */
  readonly useless?: string;
  /** How many files it has. */
  readonly files: number;
  /**
   * Reads its slices, in the order of the series.
   *
   * @param onFile called after each file
   * @throws {DataError} if pixels are damaged or cut off
   */
  read(decoder: FrameDecoder, onFile?: () => void): Promise<GreySlice[]>;
}

/** A file that should hold images and is of no use. */
export interface SkippedFile {
  /** The file. */
  file: string;
  /** Why, as one line that names the file. */
  reason: string;
}

/** What was found. */
export interface Found {
  /** The series, those of one study and series after each other. */
  series: FoundSeries[];
  /** The files that are of no use. */
  skipped: SkippedFile[];
  /** How many files hold no images. */
  others: number;
}

/** How many bytes tell what a file is. */
export const BEGIN_BYTES = 352;

/**
 * Looks at the headers of files.
 *
 * @param onFile called after each
 * @throws {PermissionError} if Deno may not read one
 */
export async function findSeries(
  { files }: ImagingFiles,
  onFile?: (done: number, total: number) => void,
): Promise<Found> {
  const headers: InstanceHeader[] = [];
  const byName = new Map<string, ImagingFile>();
  const volumes: FoundSeries[] = [];
  const skipped: SkippedFile[] = [];
  let others = 0;
  for (const [index, file] of files.entries()) {
    try {
      const begin = await file.begin(BEGIN_BYTES);
      if (/(^|[\\/])DICOMDIR$/i.test(file.name)) others++;
      else if (isDicom(begin)) {
        headers.push(await readDicomHeader(await file.read(), file.name));
        byName.set(file.name, file);
      } else if (isNifti(begin, file.name)) volumes.push(await _niftiSeries(file));
      else others++;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      skipped.push({ file: file.name, reason: messageOf(error) });
    }
    onFile?.(index + 1, files.length);
  }
  const dicom = sortIntoSeries(headers).map((series) => _dicomSeries(series, byName));
  return { series: [...dicom, ...volumes], skipped, others };
}

function _dicomSeries(series: Series, files: ReadonlyMap<string, ImagingFile>): FoundSeries {
  const [{ instance, frame }] = series.slices;
  const { rows, columns, syntax } = instance.layout;
  const facts: SeriesFacts = {
    study: instance.study,
    series: series.uid,
    part: series.part,
    description: instance.description,
    plane: series.plane,
    tilt: series.tilt,
    slices: series.slices.length,
    ...{ rows, columns, spacing: frame.spacing, sliceDistance: series.distance },
    side: instance.laterality,
    echoTime: frame.echoTime,
    repetitionTime: frame.repetitionTime,
    sequence: [frame.sequence, frame.options].filter((text) => text !== "").join(" "),
    syntax: syntax.name,
    remarks: seriesRemarks(series),
  };
  return {
    facts,
    folders: _foldersOf(files.get(instance.file)!),
    orientation: series.plane === undefined ? undefined : frame.orientation,
    isLocalizer: /\bLOCALIZER\b/.test(instance.imageType),
    useless: _uselessness(series),
    files: new Set(series.slices.map((slice) => slice.instance.file)).size,
    read: (decoder, onFile) => _dicomSlices(series, files, { decoder, onFile }),
  };
}

/** Why no exam can be made of a series. */
function _uselessness({ ambiguous, slices: [{ instance }] }: Series): string | undefined {
  if (ambiguous) {
    return "several slices lie at the same position and nothing tells them apart: export the series " +
      "again, one echo or time at a time";
  }
  // Of an X-ray or a CT a classifier of MR knows nothing, and would answer all the same.
  return ["", "MR"].includes(instance.modality) ? undefined : `it is ${instance.modality}, not MR`;
}

/** What reading pixels needs, and who is told of its progress. */
interface PixelReading {
  decoder: FrameDecoder;
  onFile?: () => void;
}

async function _dicomSlices(
  { slices }: Series,
  files: ReadonlyMap<string, ImagingFile>,
  { decoder, onFile }: PixelReading,
): Promise<GreySlice[]> {
  // Of a file with many frames the pixels are read once.
  let read: { file: string; frames: StoredPixels[] } | undefined;
  const grey: GreySlice[] = [];
  for (const { instance, frame } of slices) {
    if (read?.file !== instance.file) {
      const bytes = await files.get(instance.file)!.read();
      read = { file: instance.file, frames: await readDicomPixels(bytes, instance, decoder) };
      onFile?.();
    }
    grey.push({
      stored: read.frames[frame.index],
      slope: frame.slope,
      intercept: frame.intercept,
      inverted: instance.layout.photometric === "MONOCHROME1",
      padding: instance.padding,
    });
  }
  return grey;
}

async function _niftiSeries(file: ImagingFile): Promise<FoundSeries> {
  const { rows, columns, spacing, distance, orientation, slices, format } = await readNifti(
    await file.read(),
    file.name,
  );
  const lies = orientation && orientationOf(...orientation);
  const stem = stemOf(file.name);
  const folders = _foldersOf(file);
  const name = withoutPlane(stem) || folders[0];
  const facts: SeriesFacts = {
    study: `${folderOf(file.name)}/${withoutPlane(stem)}`,
    series: baseName(file.name),
    ...{ part: "", description: stem, plane: lies?.plane, tilt: lies?.tilt ?? 0 },
    ...{ slices: slices.length, rows, columns, spacing, sliceDistance: distance },
    ...{ side: "", sequence: "", syntax: format },
    remarks: [tiltRemark(lies), sliceCountRemark(slices.length)].filter((each) =>
      each !== undefined
    ),
  };
  return {
    ...{ facts, name, folders, orientation, isLocalizer: false, files: 1 },
    // Volumes are not kept: a folder may hold hundreds.
    async read(_decoder, onFile) {
      const volume: NiftiVolume = await readNifti(await file.read(), file.name);
      onFile?.();
      return [...volume.slices];
    },
  };
}

/** The folders from a file up to what was given, which may be a folder itself, or an archive. */
function _foldersOf({ name, root }: ImagingFile): string[] {
  const folders: string[] = [];
  for (let at = folderOf(name); at.length >= root.length && at !== "."; at = folderOf(at)) {
    folders.push(stemOf(at));
    if (at === root || folderOf(at) === at) break;
  }
  return folders;
}

/** The folders in which all series lie, the innermost first. */
export function commonFolders([first, ...others]: readonly FoundSeries[]): string[] {
  return first.folders.filter((folder) => others.every(({ folders }) => folders.includes(folder)));
}
