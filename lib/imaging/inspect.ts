/** The series in a folder from a scanner, as the exams that could be made of them. */
import { createHash } from "node:crypto";
import { DataError, messageOf } from "../errors.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { FrameDecoder } from "./dicom/decoder.ts";
import { type GivenFile, ImagingFiles } from "./files.ts";
import { findSeries, type FoundSeries, type SeriesFacts, type SkippedFile } from "./found.ts";

export type { GivenFile, SeriesFacts, SkippedFile };

/** A series as it was found. Lengths are in millimetres, times in milliseconds. */
export interface InspectedSeries extends SeriesFacts {
  /** The SHA-256 of the stored pixels in the order of the slices; none if they cannot be read. */
  sha256?: string;
}

/** What was found. */
export interface Inspection {
  /** The series, those of one study and series after each other. */
  series: InspectedSeries[];
  /** The files that are of no use. */
  skipped: SkippedFile[];
  /** How many files hold no images. */
  others: number;
}

/** The options of an inspection. */
export interface InspectOptions {
  /** Called after each file, of those that are looked at twice: for headers and for pixels. */
  onFile?: (progress: { phase: "headers" | "pixels"; done: number; total: number }) => void;
}

/** The options of {@linkcode inspectPaths}. */
const OPTION_NAMES: OptionNames<InspectOptions> = {
  onFile: true,
};

/** As in `verbs.ts`, where it is described. */
export async function inspectPaths(
  paths: readonly (string | GivenFile)[],
  options: InspectOptions = {},
): Promise<Inspection> {
  checkOptionNames("inspect files", options, OPTION_NAMES);
  const { onFile } = options;
  using files = await ImagingFiles.find(paths);
  const found = await findSeries(
    files,
    (done, total) => onFile?.({ phase: "headers", done, total }),
  );
  using decoder = new FrameDecoder();
  const total = found.series.reduce((sum, { files }) => sum + files, 0);
  const series: InspectedSeries[] = [];
  let done = 0;
  for (const each of found.series) {
    const pixels = await _hashPixels(each, decoder, () => {
      onFile?.({ phase: "pixels", done: ++done, total });
    });
    series.push(
      typeof pixels === "string"
        ? { ...each.facts, sha256: pixels }
        : { ...each.facts, remarks: [...each.facts.remarks, messageOf(pixels)] },
    );
  }
  return { ...found, series };
}

/** The hash of a series' pixels, or why they cannot be read. */
async function _hashPixels(
  series: FoundSeries,
  decoder: FrameDecoder,
  onFile: () => void,
): Promise<string | DataError> {
  const hash = createHash("sha256");
  try {
    for (const { stored } of await series.read(decoder, onFile)) {
      hash.update(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    }
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  return hash.digest("hex");
}
