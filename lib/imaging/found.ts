/**
 * The series in any number of files of any supported format: what is known of each without its pixels,
 * and how to read the pixels.
 */
import { DataError, messageOf } from "../errors.ts";
import { tellCopiesApart } from "./copies.ts";
import { isDicom, parseDicom } from "./dicom/dataset.ts";
import type { FrameDecoder } from "./dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "./dicom/file.ts";
import type { InstanceHeader } from "./dicom/header.ts";
import { foldersOf, type ImagingFile, type ImagingFiles } from "./files.ts";
import type { DicomSeries, FoundSeries, SeriesFacts } from "./found_series.ts";
import type { GreySlice } from "./grey_values.ts";
import { decodeKneeMRITable, isKneeMRITableName, MAX_TABLE_BYTES } from "./kneemri.ts";
import type { KneeMRIVolume } from "./kneemri.ts";
import { checkSlice, type ImagingLimits } from "./limits.ts";
import { isNifti } from "./nifti.ts";
import { isPickledVolume } from "./pickled_volume.ts";
import { seriesRemarks } from "./remarks.ts";
import { frameOfReferenceOf, positionsOf, type Series, sortIntoSeries } from "./series.ts";
import { niftiSeries, pickledSeries } from "./volume_series.ts";

export type { FoundSeries, SeriesFacts };

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

/** How many bytes a DICOM file's header has at most, nearly always; else all of the file is read. */
const HEADER_BYTES = 64 * 1024;

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
  { files, limits }: Pick<ImagingFiles, "files" | "limits">,
  onFile?: (done: number, total: number) => void | Promise<void>,
): Promise<Found> {
  const headers: InstanceHeader[] = [];
  const byName = new Map<string, ImagingFile>();
  const volumes: FoundSeries[] = [];
  const skipped: SkippedFile[] = [];
  const tables = await _kneeMRITables(files, skipped);
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
      } else if (isNifti(begin, file.name)) volumes.push(...await niftiSeries(file, limits));
      else if (isPickledVolume(file.name)) {
        volumes.push(await pickledSeries(file, { table: tables.volumes, limits }));
      } else if (!tables.files.has(file)) others++;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      skipped.push({ file: file.name, reason: messageOf(error) });
    }
    await onFile?.(index + 1, files.length);
  }
  const instances = await tellCopiesApart(headers, byName, {
    maxInflated: limits.inflatedBytes,
    onFile: () => onFile?.(files.length, files.length),
  });
  const dicom = sortIntoSeries(instances).map((series) => _dicomSeries(series, byName, limits));
  return { series: [...dicom, ...volumes], skipped, others };
}

/** So many tables are read; the data set has one. */
const MAX_TABLES = 8;

/** KneeMRI's tables beside its volumes: which files they are, and what they list together. */
async function _kneeMRITables(files: readonly ImagingFile[], skipped: SkippedFile[]) {
  const volumes = new Map<string, KneeMRIVolume>();
  const tables = new Set<ImagingFile>();
  const named = files.some(({ name }) => isPickledVolume(name))
    ? files.filter(({ name }) => isKneeMRITableName(name))
    : [];
  for (const file of named.slice(0, MAX_TABLES)) {
    try {
      const table = decodeKneeMRITable(await file.begin(MAX_TABLE_BYTES + 1), file.name);
      if (table === undefined) continue;
      tables.add(file);
      for (const [name, volume] of table) volumes.set(name, volume);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      tables.add(file);
      skipped.push({ file: file.name, reason: messageOf(error) });
    }
  }
  return { files: tables, volumes };
}

async function _dicomHeader(file: ImagingFile, limits: ImagingLimits): Promise<InstanceHeader> {
  const options = { maxInflated: limits.inflatedBytes };
  const begin = await file.begin(HEADER_BYTES);
  const header = await readDicomHeader(begin, file.name, options).catch(async (error) => {
    if (!(error instanceof DataError) || begin.length < HEADER_BYTES) throw error;
    return await readDicomHeader(await file.read(), file.name, options);
  });
  const { rows, columns } = header.layout;
  checkSlice(file.name, { rows, columns }, limits);
  return header;
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
    scanner: instance.scanner,
    syntax: syntax.name,
    remarks: seriesRemarks(series),
  };
  return {
    facts,
    folders: foldersOf(files.get(instance.file)!),
    orientation: series.plane === undefined ? undefined : frame.orientation,
    positions: positionsOf(series),
    frameOfReference: frameOfReferenceOf(series),
    isLocalizer: /\bLOCALIZER\b/.test(instance.imageType),
    useless: _uselessness(series),
    files: new Set(series.slices.map((slice) => slice.instance.file)).size,
    dicom: _references(series, files, limits),
    read: (decoder, onFile) => _dicomSlices(series, files, { decoder, onFile, limits }),
  };
}

/** What the files of a series are, for what refers to them. */
function _references(
  { slices }: Series,
  files: ReadonlyMap<string, ImagingFile>,
  limits: ImagingLimits,
): DicomSeries {
  const [{ instance: { file } }] = slices;
  return {
    images: slices.map(({ instance: { sopClass, instance, frames }, frame: { index } }) => ({
      sopClass,
      // What tells it from another file of the same identifier is no word of the file's.
      instance: instance.replace(/ .*/s, ""),
      ...(frames.length > 1 && { frame: index + 1 }),
    })),
    header: async () => {
      const bytes = await files.get(file)!.read();
      return await parseDicom(bytes, { file, maxInflated: limits.inflatedBytes });
    },
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

/** The folders in which all series lie, the innermost first. */
export function commonFolders([first, ...others]: readonly FoundSeries[]): string[] {
  return first.folders.filter((folder) => others.every(({ folders }) => folders.includes(folder)));
}
