/** Files that hold whole volumes, NIfTI and pickled ones, as series. */
import { withoutPlane } from "../data/plane_name.js";
import { baseName, folderOf } from "../files.ts";
import { contrastDifference } from "./contrast.ts";
import { foldersOf, type ImagingFile, stemOf } from "./files.ts";
import type { FoundSeries, SeriesFacts } from "./found_series.ts";
import { orientationOf } from "./geometry.ts";
import { type KneeMRITable, otherVolumes } from "./kneemri.ts";
import { checkSlice, type ImagingLimits } from "./limits.ts";
import { NIFTI_BEGIN_BYTES, readNiftiHeader, readNiftiSlices } from "./nifti.ts";
import { readPickledVolume } from "./pickled_volume.ts";
import { sliceCountRemark, tiltRemark } from "./remarks.ts";

/**
 * The volumes of a NIfTI file, of which only the beginning is read: one, or several echoes or points in
 * time.
 *
 * @throws {DataError} as {@linkcode readNiftiHeader}, and if its slices are larger than allowed
 */
export async function niftiSeries(
  file: ImagingFile,
  limits: ImagingLimits,
): Promise<FoundSeries[]> {
  const header = await readNiftiHeader(await file.begin(NIFTI_BEGIN_BYTES), file.name, limits);
  const { rows, columns, slices, volumes, spacing, distance, orientation, format } = header;
  const { positions, isOfScanner } = header;
  checkSlice(file.name, { rows, columns }, limits);
  const lies = orientation && orientationOf(...orientation);
  const stem = stemOf(file.name);
  const folders = foldersOf(file);
  const name = withoutPlane(stem) || folders[0];
  const remarks = [tiltRemark(lies), sliceCountRemark(slices)];
  return Array.from({ length: volumes }, (_, volume): FoundSeries => ({
    facts: {
      study: `${folderOf(file.name)}/${withoutPlane(stem)}`,
      series: baseName(file.name),
      part: volumes === 1 ? "" : `volume ${volume + 1} of ${volumes}`,
      ...{ description: stem, plane: lies?.plane, tilt: lies?.tilt ?? 0 },
      ...{ slices, rows, columns, spacing, sliceDistance: distance },
      ...{ side: "", sequence: "", scanner: "", syntax: format },
      remarks: remarks.filter((each) => each !== undefined),
    },
    ...{ name, folders, orientation, positions, isLocalizer: false, files: 1 },
    // One study's files, if the scanner's coordinates were kept: the patient lay still between them.
    frameOfReference: isOfScanner ? "scanner" : undefined,
    // Volumes are not kept: a folder may hold hundreds.
    async read(_decoder, onFile) {
      const { inflatedBytes } = limits;
      const slices = readNiftiSlices(await file.read(), file.name, header, {
        ...{ volume, inflatedBytes },
      });
      await onFile?.();
      return slices;
    },
  }));
}

/**
 * The volume of a pickled array. If KneeMRI's table lists it, it is known to be sagittal, and how the
 * ligament was graded.
 *
 * @param options the tables that lie among the files, as one, and how much may be read
 * @throws {DataError} as {@linkcode readPickledVolume}, and if its slices are larger than allowed
 */
export async function pickledSeries(
  file: ImagingFile,
  { table, limits }: { table: KneeMRITable; limits: ImagingLimits },
): Promise<FoundSeries> {
  const read = async () => readPickledVolume(await file.read(), file.name, limits);
  const { slices, rows, columns, dtype } = await read();
  checkSlice(file.name, { rows, columns }, limits);
  const name = stemOf(file.name);
  const series = baseName(file.name);
  const listed = table.get(series);
  const plane = listed && "sagittal";
  const remarks = [
    sliceCountRemark(slices.length),
    plane && contrastDifference(
      plane,
      { weighting: "proton density", fatSuppressed: true },
      "as all of KneeMRI",
    ),
    plane === undefined ? tiltRemark(undefined) : undefined,
  ];
  const facts: SeriesFacts = {
    study: `${folderOf(file.name)}/${name}`,
    ...{ series, part: "", description: name, plane, tilt: 0 },
    ...{ slices: slices.length, rows, columns },
    ...{ side: "", sequence: "", scanner: "", syntax: `pickled ${dtype}` },
    remarks: remarks.filter((each) => each !== undefined),
  };
  return {
    ...{ facts, name, folders: foldersOf(file), isLocalizer: false, files: 1 },
    labels: listed && { acl: listed.acl },
    related: new Set(otherVolumes(table, series).map(stemOf)),
    async read(_decoder, onFile) {
      const volume = await read();
      await onFile?.();
      return [...volume.slices];
    },
  };
}
