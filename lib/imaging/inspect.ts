/**
 * What is in a folder from a scanner: its series, as exams that could be made of them.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { DataError, messageOf } from "../errors.ts";
import { fileError, join } from "../files.ts";
import type { Plane } from "../terms.ts";
import { isDicom } from "./dicom/dataset.ts";
import { FrameDecoder } from "./dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "./dicom/file.ts";
import type { InstanceHeader } from "./dicom/header.ts";
import type { StoredPixels } from "./dicom/pixels.ts";
import { seriesRemarks } from "./remarks.ts";
import { type Series, sortIntoSeries } from "./series.ts";

/** A series as it was found. Lengths are in millimetres, times in milliseconds. */
export interface InspectedSeries {
  /** The study's unique identifier. */
  study: string;
  /** The series' unique identifier. */
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
  /** How its pixels are stored. */
  syntax: string;
  /** The SHA-256 of the stored pixels in the order of the slices; none if they cannot be read. */
  sha256?: string;
  /** What is odd about it, a sentence each. */
  remarks: string[];
}

/** A file that is DICOM and of no use. */
export interface SkippedFile {
  /** The file. */
  file: string;
  /** Why, as one line that names the file. */
  reason: string;
}

/** What was found. */
export interface Inspection {
  /** The series, those of one study and series after each other. */
  series: InspectedSeries[];
  /** The files that are of no use. */
  skipped: SkippedFile[];
  /** How many files are no DICOM. */
  others: number;
}

/** What to look at, and whom to tell. */
export interface InspectOptions {
  /** Called after each file, of those that are looked at twice: for headers and for pixels. */
  onFile?: (progress: { phase: "headers" | "pixels"; done: number; total: number }) => void;
}

/**
 * Looks at files, and at folders with all that lies below them.
 *
 * @throws {DataError} if a path is not there
 * @throws {PermissionError} if Deno may not read one
 */
export async function inspectPaths(
  paths: readonly string[],
  { onFile }: InspectOptions = {},
): Promise<Inspection> {
  const files: string[] = [];
  for (const path of paths) files.push(...await _filesBelow(path));
  const headers: InstanceHeader[] = [];
  const skipped: SkippedFile[] = [];
  let others = 0;
  for (const [index, file] of files.entries()) {
    const header = await _header(file);
    if (header === undefined) others++;
    else if (header instanceof DataError) skipped.push({ file, reason: messageOf(header) });
    else headers.push(header);
    onFile?.({ phase: "headers", done: index + 1, total: files.length });
  }
  using decoder = new FrameDecoder();
  const series: InspectedSeries[] = [];
  let done = 0;
  for (const each of sortIntoSeries(headers)) {
    const pixels = await _hashPixels(each, decoder, () => {
      onFile?.({ phase: "pixels", done: ++done, total: headers.length });
    });
    series.push(_described(each, pixels));
  }
  return { series, skipped, others };
}

/** The files at a path, in the order of their names. */
async function _filesBelow(path: string): Promise<string[]> {
  const action = { what: "look at", path, access: "read", error: DataError } as const;
  try {
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) return [path];
    const entries = await Array.fromAsync(Deno.readDir(path));
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    const below: string[] = [];
    for (const { name, isDirectory, isFile } of entries) {
      if (isDirectory) below.push(...await _filesBelow(join(path, name)));
      else if (isFile) below.push(join(path, name));
    }
    return below;
  } catch (error) {
    throw fileError(error, action);
  }
}

/** A file's header, what is wrong with it, or nothing if it is no DICOM or only lists others. */
async function _header(file: string): Promise<InstanceHeader | DataError | undefined> {
  if (/(^|[\\/])DICOMDIR$/i.test(file)) return undefined;
  try {
    const bytes = await Deno.readFile(file);
    return isDicom(bytes) ? await readDicomHeader(bytes, file) : undefined;
  } catch (error) {
    const failure = fileError(error, {
      what: "read",
      path: file,
      access: "read",
      error: DataError,
    });
    if (failure instanceof DataError) return failure;
    throw failure;
  }
}

/** The hash of a series' pixels, or why they cannot be read. */
async function _hashPixels(
  { slices }: Series,
  decoder: FrameDecoder,
  onFile: () => void,
): Promise<string | DataError> {
  const hash = createHash("sha256");
  // Of a file with many frames the pixels are read once.
  let read: { file: string; frames: StoredPixels[] } | undefined;
  try {
    for (const { instance, frame } of slices) {
      if (read?.file !== instance.file) {
        const bytes = await Deno.readFile(instance.file);
        read = { file: instance.file, frames: await readDicomPixels(bytes, instance, decoder) };
        onFile();
      }
      const { buffer, byteOffset, byteLength } = read.frames[frame.index];
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  return hash.digest("hex");
}

function _described(series: Series, pixels: string | DataError): InspectedSeries {
  const [{ instance, frame }] = series.slices;
  const remarks = seriesRemarks(series);
  if (typeof pixels !== "string") remarks.push(messageOf(pixels));
  const { rows, columns, syntax } = instance.layout;
  return {
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
    syntax: syntax.name,
    sha256: typeof pixels === "string" ? pixels : undefined,
    remarks,
  };
}
