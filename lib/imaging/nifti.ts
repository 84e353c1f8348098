/**
 * NIfTI-1 and NIfTI-2 files, plain or gzipped: their volumes, with how these lie in the patient.
 *
 * The header is read by nifti-reader-js, which neither swaps bytes nor looks whether the data are
 * whole; both are done here. The format: https://nifti.nimh.nih.gov/nifti-1.
 */
import { Buffer } from "node:buffer";
import { constants, gunzipSync } from "node:zlib";
import { LARGE_PIECES, plainBytes } from "../bytes.ts";
import { DataError, messageOf } from "../errors.ts";
import { areFinite } from "../finite.ts";
import { alongThrough, type Axes, orientationOf, unit, type Vector } from "./geometry.ts";
import { MAX_FILE_BYTES } from "./files.ts";
import type { GreySlice, StoredValues } from "./grey_values.ts";
import { type ImagingLimits, NO_LIMITS } from "./limits.ts";
import { MAX_SIDE } from "./dicom/header.ts";

/** What a file says of its volumes, all of one size. */
export interface NiftiHeader {
  /** `NIfTI-1` or `NIfTI-2`. */
  readonly format: string;
  readonly rows: number;
  readonly columns: number;
  /** The slices of each volume. */
  readonly slices: number;
  /** How many volumes there are: echoes, or points in time. */
  readonly volumes: number;
  /** Distance of rows and of columns, in millimetres; none if the file does not say both. */
  readonly spacing?: readonly [number, number];
  /** Distance of slices, in millimetres. */
  readonly distance: number;
  /** The directions in which columns and rows run; none if the file does not say. */
  readonly orientation?: readonly [Vector, Vector];
  /** Where the centre of each slice's first pixel lies, in the order in which slices are read. */
  readonly positions?: readonly Vector[];
  /** True if positions are the scanner's, and not those of an atlas or of another file. */
  readonly isOfScanner: boolean;
  readonly voxels: VoxelLayout;
}

/** How the voxels lie in a file. */
interface VoxelLayout {
  /** The header's bytes, by which the file is known again. */
  readonly header: Uint8Array;
  /** Voxels along each axis of the file, the first varying fastest. */
  readonly size: readonly number[];
  /** Which of these axes are columns, rows and slices. */
  readonly axes: Readonly<Record<keyof Axes, number>>;
  /** True if the file's slices follow each other against MRNet's direction. */
  readonly isReversed: boolean;
  /** Where the first volume begins. */
  readonly start: number;
  /** The format's number for how values are stored. */
  readonly type: number;
  readonly littleEndian: boolean;
  readonly slope: number;
  readonly intercept: number;
}

/** How values are stored, by the format's number for it. */
const TYPES: Readonly<
  Record<number, readonly [bytes: number, make: (buffer: ArrayBuffer) => StoredValues]>
> = {
  2: [1, (buffer) => new Uint8Array(buffer)],
  4: [2, (buffer) => new Int16Array(buffer)],
  8: [4, (buffer) => new Int32Array(buffer)],
  16: [4, (buffer) => new Float32Array(buffer)],
  64: [8, (buffer) => new Float64Array(buffer)],
  256: [1, (buffer) => new Int8Array(buffer)],
  512: [2, (buffer) => new Uint16Array(buffer)],
  768: [4, (buffer) => new Uint32Array(buffer)],
};

/** The most slices of a volume. */
const MAX_SLICES = 4096;
/** The most volumes of a file: a knee has a few echoes, a brain hundreds of points in time. */
const MAX_VOLUMES = 64;

/** Units of lengths by the format's number for them; a file that says nothing means millimetres. */
const MILLIMETRES: Readonly<Record<number, number>> = { 1: 1000, 3: 0.001 };

/** The format's number for positions as the scanner measured them. */
const OF_SCANNER = 1;

/** An axis is taken for that of the slices if its voxels are so many times as long as the others'. */
const THICK = 1.5;

const NIFTI1_BYTES = 352;
const NIFTI2_BYTES = 544;
/** So many bytes of a file hold its header, even if it is gzipped under a long name. */
export const NIFTI_BEGIN_BYTES = 4096;

/** True if a file is NIfTI by its first 352 bytes, or gzipped and so named. */
export function isNifti(begin: Uint8Array, name: string): boolean {
  if (_isGzip(begin)) return /\.nii\.gz$/i.test(name);
  return _text(begin, 344, 3) === "n+1" || _text(begin, 4, 3) === "n+2";
}

/**
 * Reads a file's header.
 *
 * @param begin the file, or its first {@linkcode NIFTI_BEGIN_BYTES}
 * @throws {DataError} if it is damaged, larger than allowed, or holds no volume of single numbers
 */
export async function readNiftiHeader(
  begin: Uint8Array,
  name: string,
  limits: NiftiLimits = NO_LIMITS,
): Promise<NiftiHeader> {
  const bytes = _beginning(begin, name);
  const isFirst = _text(bytes, 344, 3) === "n+1";
  const headerBytes = isFirst ? NIFTI1_BYTES : NIFTI2_BYTES;
  const raw = new Uint8Array(bytes.subarray(0, headerBytes));
  const header = await _parsed(raw.slice(), name);
  const { dims, pixDims, datatypeCode, affine, littleEndian } = header;
  const { size, volumes } = _sizes(dims, name);
  if (TYPES[datatypeCode] === undefined) {
    const found = `its values are of type ${datatypeCode}, not single whole or real numbers`;
    throw refusedNifti(name, found, "convert it to int16 or float32");
  }
  const { sform_code: sform, qform_code: qform } = header;
  const placed = sform > 0 || qform > 0;
  const mm = MILLIMETRES[header.xyzt_units & 7] ?? 1;
  // NIfTI's x grows to the right and its y to the front, DICOM's the other way.
  const [first, ...axes] = [3, 0, 1, 2].map((axis): Vector => [
    -affine[0][axis] * mm,
    -affine[1][axis] * mm,
    affine[2][axis] * mm,
  ]);
  const said = [1, 2, 3].map((axis) => mm * Math.abs(pixDims[axis]) || undefined);
  const lengths = placed
    ? axes.map((axis) => Math.hypot(...axis))
    : said.map((length) => length ?? 1);
  if (!lengths.every((length) => length > 0 && Number.isFinite(length))) {
    throw refusedNifti(name, `its voxels measure ${lengths.join("×")} mm`, "repair its header");
  }
  const through = _sliceAxis(lengths);
  const [across, down] = [0, 1, 2].filter((axis) => axis !== through);
  const orientation = placed ? [axes[across], axes[down]] as const : undefined;
  const slope = Number.isFinite(header.scl_slope) && header.scl_slope !== 0 ? header.scl_slope : 1;
  const isMeasured = placed || (said[across] !== undefined && said[down] !== undefined);
  const voxels: VoxelLayout = {
    ...{
      header: raw,
      size,
      axes: { across, down, through },
      type: datatypeCode,
      littleEndian,
      slope,
    },
    isReversed: orientation !== undefined && _runsBackwards(orientation, axes[through]),
    start: Math.max(header.vox_offset, headerBytes),
    intercept: slope === 1 && header.scl_slope === 0 ? 0 : header.scl_inter || 0,
  };
  _checkLimits({ ...voxels, volumes, isGzip: _isGzip(begin) }, name, limits);
  return {
    format: isFirst ? "NIfTI-1" : "NIfTI-2",
    ...{ rows: size[down], columns: size[across], slices: size[through], volumes, orientation },
    spacing: isMeasured ? [lengths[down], lengths[across]] : undefined,
    positions: placed ? _positions(first, axes[through], voxels) : undefined,
    // The library takes the qform, which NIfTI-2 files are not read by, if its code is the larger one.
    isOfScanner: (isFirst ? Math.max(sform, qform) : sform) === OF_SCANNER,
    ...{ distance: lengths[through], voxels },
  };
}

/** Where the centre of each slice's first pixel lies, in the order in which they are read. */
function _positions(
  first: Vector,
  step: Vector,
  { size, axes, isReversed }: Pick<VoxelLayout, "size" | "axes" | "isReversed">,
): Vector[] {
  const positions = Array.from({ length: size[axes.through] }, (_, slice): Vector => [
    first[0] + slice * step[0],
    first[1] + slice * step[1],
    first[2] + slice * step[2],
  ]);
  return isReversed ? positions.reverse() : positions;
}

/** What of a file's size is limited. */
type NiftiLimits = Pick<ImagingLimits, "inflatedBytes" | "seriesPixels">;

/**
 * Reads the slices of a volume, in MRNet's order if the file says how it lies.
 *
 * @param file the whole file, from which the header was read
 * @param volume which volume, counted from 0
 * @throws {DataError} if it is damaged, cut off, inflates to more than allowed, or is another by now
 */
export function readNiftiSlices(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  { voxels, volumes }: Pick<NiftiHeader, "voxels" | "volumes">,
  { volume = 0, inflatedBytes }: { volume?: number } & Pick<NiftiLimits, "inflatedBytes">,
): GreySlice[] {
  const bytes = _inflated(file, name, Math.min(inflatedBytes, MAX_FILE_BYTES));
  if (voxels.header.some((byte, at) => bytes[at] !== byte)) {
    throw refusedNifti(name, "it changed while it was read", "try again");
  }
  const [width, make] = TYPES[voxels.type];
  const { size, start, littleEndian, slope, intercept } = voxels;
  const wanted = size[0] * size[1] * size[2] * width;
  if (!Number.isInteger(start) || start + wanted * volumes > bytes.length) {
    const found = `${wanted * volumes} bytes of voxels should begin at byte ${start}, it has ` +
      `${bytes.length} bytes in all`;
    throw refusedNifti(name, found, "it is cut short: copy it again");
  }
  const begin = start + wanted * volume;
  const data = bytes.slice(begin, begin + wanted);
  if (!littleEndian) _swap(data, width);
  const values = make(data.buffer);
  if (!areFinite(values)) {
    throw refusedNifti(name, "some of its values are not finite", "repair the export");
  }
  const slices = _slices(values, size, voxels.axes).map((stored): GreySlice => ({
    ...{ stored, slope, intercept, inverted: false },
  }));
  return voxels.isReversed ? slices.reverse() : slices;
}

/** The error of a NIfTI file that cannot be read. */
export function refusedNifti(name: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the NIfTI file '${name}': ${found}: ${hint}`);
}

async function _parsed(bytes: Uint8Array<ArrayBuffer>, name: string) {
  const { readHeader } = await import("npm:nifti-reader-js@0.8.0");
  // Extensions are not wanted, and their lengths not to be believed.
  bytes[bytes.length - 4] = 0;
  try {
    const header = readHeader(bytes.buffer);
    if (header !== null) return header;
  } catch (error) {
    throw refusedNifti(name, `its header is damaged (${messageOf(error)})`, "copy it again");
  }
  throw refusedNifti(name, "its header is damaged", "copy it again");
}

/** The sizes of a volume along the file's axes, and how many volumes there are. */
function _sizes(dims: readonly number[], name: string): { size: number[]; volumes: number } {
  const [dimensions, ...lengths] = dims;
  const shown = lengths.slice(0, Math.max(0, Math.min(7, dimensions))).join("×") || "none";
  const size = lengths.slice(0, 3);
  const isSound = dimensions >= 3 && dimensions <= 7 &&
    size.every((length) => Number.isInteger(length) && length >= 1) &&
    Math.max(...size) <= Math.max(MAX_SIDE, MAX_SLICES);
  if (!isSound) {
    throw refusedNifti(name, `it says that its size is ${shown}`, "give a volume of slices");
  }
  if (lengths.slice(4, dimensions).some((length) => length > 1)) {
    throw refusedNifti(name, `its voxels are vectors (${shown})`, "save one number a voxel");
  }
  const volumes = dimensions < 4 ? 1 : Math.max(1, lengths[3]);
  if (volumes <= MAX_VOLUMES) return { size, volumes };
  const found = `it holds ${volumes} volumes (${shown}), at most ${MAX_VOLUMES} are read`;
  throw refusedNifti(name, found, "split it, a few volumes a file");
}

function _checkLimits(
  { size, volumes, type, start, isGzip }: Pick<VoxelLayout, "size" | "type" | "start"> & {
    volumes: number;
    isGzip: boolean;
  },
  name: string,
  { inflatedBytes, seriesPixels }: NiftiLimits,
): void {
  const count = size[0] * size[1] * size[2];
  if (count > seriesPixels) {
    const found = `it has ${count} voxels, at most ${seriesPixels} are read`;
    throw refusedNifti(name, found, "give a smaller volume");
  }
  const bytes = start + count * volumes * TYPES[type][0];
  if (isGzip && bytes > inflatedBytes) {
    const found = `it inflates to ${bytes} bytes, at most ${inflatedBytes} are read`;
    throw refusedNifti(name, found, "give a smaller volume");
  }
}

/** The beginning of a file, inflated as far as it goes. */
function _beginning(begin: Uint8Array, name: string): Uint8Array {
  if (!_isGzip(begin)) return _niftiBytes(begin, name);
  // Deflate gets at most some 1,000 times as small, so that this takes no more than 4 MB.
  const bytes = begin.subarray(0, NIFTI_BEGIN_BYTES);
  const inflated = _gunzipped(bytes, name, { finishFlush: constants.Z_SYNC_FLUSH });
  return _niftiBytes(inflated, name);
}

function _inflated(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  maxOutputLength: number,
): Uint8Array<ArrayBuffer> {
  return _isGzip(file) ? _gunzipped(file, name, { maxOutputLength }) : file;
}

function _gunzipped(
  bytes: Uint8Array,
  name: string,
  options: Parameters<typeof gunzipSync>[1],
): Uint8Array<ArrayBuffer> {
  try {
    const chunkSize = Math.min(Math.max(_sizeInGzip(bytes), 64 * 1024), LARGE_PIECES.chunkSize);
    return plainBytes(gunzipSync(bytes, { chunkSize, ...options }));
  } catch (error) {
    throw refusedNifti(name, `it cannot be inflated (${messageOf(error)})`, "copy it again");
  }
}

/** What a gzip file says that it inflates to, modulo 2³²; any number if the file is cut off. */
function _sizeInGzip(bytes: Uint8Array): number {
  const { buffer, byteOffset, byteLength } = bytes;
  return byteLength < 4 ? 0 : new DataView(buffer, byteOffset).getUint32(byteLength - 4, true);
}

/** Bytes that are those of a NIfTI file. */
function _niftiBytes(bytes: Uint8Array, name: string): Uint8Array {
  const isFirst = _text(bytes, 344, 3) === "n+1";
  if (isNifti(bytes, name) && bytes.length >= (isFirst ? NIFTI1_BYTES : NIFTI2_BYTES)) return bytes;
  throw refusedNifti(name, "it does not begin as a NIfTI file does", "leave it out");
}

/** The third axis, unless another one's voxels are much the longest: some programs reorder axes. */
function _sliceAxis(lengths: readonly number[]): number {
  const longest = lengths.indexOf(Math.max(...lengths));
  const others = lengths.filter((_, axis) => axis !== longest);
  return lengths[longest] >= THICK * Math.max(...others) ? longest : 2;
}

/** The slices along one axis, each with its rows one after the other. */
function _slices(
  values: StoredValues,
  size: readonly number[],
  { across, down, through }: Record<keyof Axes, number>,
): StoredValues[] {
  const strides = [1, size[0], size[0] * size[1]];
  const [columns, rows] = [size[across], size[down]];
  return Array.from({ length: size[through] }, (_, slice) => {
    const first = slice * strides[through];
    if (through === 2) return values.subarray(first, first + rows * columns);
    const stored = values.slice(0, rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        stored[row * columns + column] =
          values[first + row * strides[down] + column * strides[across]];
      }
    }
    return stored;
  });
}

/** Whether slices follow each other against MRNet's direction. */
function _runsBackwards([across, down]: readonly [Vector, Vector], step: Vector): boolean {
  const orientation = orientationOf(across, down);
  const direction = unit(step);
  if (orientation === undefined || direction === undefined) return false;
  const { normal, plane } = orientation;
  return alongThrough(normal, plane)(direction) < 0;
}

function _swap(bytes: Uint8Array<ArrayBuffer>, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 2) buffer.swap16();
  if (width === 4) buffer.swap32();
  if (width === 8) buffer.swap64();
}

function _isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function _text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
