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
import { type ImagingFile, type ImagingFiles, stemOf } from "./files.ts";
import { orientationOf, type Vector } from "./geometry.ts";
import type { GreySlice } from "./grey_values.ts";
import type { ImagingLimits } from "./limits.ts";
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
   * @param onFile called after each file, and awaited
   * @throws {DataError} if pixels are damaged or cut off, or there are more than allowed
   * @throws what `onFile` throws
   */
  read(decoder: FrameDecoder, onFile?: () => void | Promise<void>): Promise<GreySlice[]>;
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
 * @param onFile called after each, and awaited
 * @throws {PermissionError} if Deno may not read one
 * @throws {DataError} if there are more images than allowed
 * @throws what `onFile` throws
 */
export async function findSeries(
  { files, limits }: ImagingFiles,
  onFile?: (done: number, total: number) => void | Promise<void>,
): Promise<Found> {
  const headers: InstanceHeader[] = [];
  const byName = new Map<string, ImagingFile>();
  const volumes: FoundSeries[] = [];
  const skipped: SkippedFile[] = [];
  let [others, images] = [0, 0];
  for (const [index, file] of files.entries()) {
    images++;
    if (images > limits.images) {
      throw new DataError(
        `Cannot read '${file.root}': it has more than ${limits.images} images: give only the series ` +
          "that are needed",
      );
    }
    try {
      const begin = await file.begin(BEGIN_BYTES);
      if (/(^|[\\/])DICOMDIR$/i.test(file.name)) others++;
      else if (isDicom(begin)) {
        const header = await _dicomHeader(file, limits);
        images += header.frames.length - 1;
        headers.push(header);
        byName.set(file.name, file);
      } else if (isNifti(begin, file.name)) volumes.push(await _niftiSeries(file, limits));
      else others++;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      skipped.push({ file: file.name, reason: messageOf(error) });
    }
    await onFile?.(index + 1, files.length);
  }
  const dicom = sortIntoSeries(headers).map((series) => _dicomSeries(series, byName, limits));
  return { series: [...dicom, ...volumes], skipped, others };
}

async function _dicomHeader(file: ImagingFile, limits: ImagingLimits): Promise<InstanceHeader> {
  const maxInflated = limits.inflatedBytes;
  const header = await readDicomHeader(await file.read(), file.name, { maxInflated });
  const { rows, columns } = header.layout;
  _checkSlice(file.name, { rows, columns }, limits);
  return header;
}

function _checkSlice(
  name: string,
  { rows, columns }: Pick<SeriesFacts, "rows" | "columns">,
  { slicePixels }: ImagingLimits,
): void {
  if (rows * columns <= slicePixels) return;
  throw new DataError(
    `Cannot read '${name}': a slice has ${rows}×${columns} pixels, at most ${slicePixels} are read: ` +
      "leave it out",
  );
}

function _dicomSeries(
  series: Series,
  files: ReadonlyMap<string, ImagingFile>,
  limits: ImagingLimits,
): FoundSeries {
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
    read: (decoder, onFile) => _dicomSlices(series, files, { decoder, onFile, limits }),
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
  onFile?: () => void | Promise<void>;
  limits: ImagingLimits;
}

async function _dicomSlices(
  { slices, uid }: Series,
  files: ReadonlyMap<string, ImagingFile>,
  { decoder, onFile, limits }: PixelReading,
): Promise<GreySlice[]> {
  const { rows, columns } = slices[0].instance.layout;
  const pixels = rows * columns * slices.length;
  if (pixels > limits.seriesPixels) {
    throw new DataError(
      `Cannot read the series '${uid}': ${slices.length} slices of ${rows}×${columns} have ${pixels} ` +
        `pixels, at most ${limits.seriesPixels} are read: choose another series`,
    );
  }
  const grey: GreySlice[] = [];
  // Each file is read once, however its frames lie between those of others.
  for (const own of Map.groupBy(slices.entries(), ([, { instance }]) => instance.file).values()) {
    const [, { instance }] = own[0];
    const stored = await readDicomPixels(
      await files.get(instance.file)!.read(),
      instance,
      decoder,
      {
        maxInflated: limits.inflatedBytes,
        wanted: new Set(own.map(([, { frame }]) => frame.index)),
      },
    );
    await onFile?.();
    for (const [index, { frame }] of own) {
      grey[index] = {
        stored: stored[frame.index],
        slope: frame.slope,
        intercept: frame.intercept,
        inverted: instance.layout.photometric === "MONOCHROME1",
        padding: instance.padding,
      };
    }
  }
  return grey;
}

async function _niftiSeries(file: ImagingFile, limits: ImagingLimits): Promise<FoundSeries> {
  const { rows, columns, spacing, distance, orientation, slices, format } = await readNifti(
    await file.read(),
    file.name,
    limits,
  );
  _checkSlice(file.name, { rows, columns }, limits);
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
      const volume: NiftiVolume = await readNifti(await file.read(), file.name, limits);
      await onFile?.();
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
