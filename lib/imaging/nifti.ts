/**
 * NIfTI-1 and NIfTI-2 files, plain or gzipped: one volume each, with how it lies in the patient.
 *
 * The header is read by nifti-reader-js, which neither swaps bytes nor looks whether the data are
 * whole; both are done here. The format: https://nifti.nimh.nih.gov/nifti-1.
 */
import { Buffer } from "node:buffer";
import { gunzipSync } from "node:zlib";
import { plainBytes } from "../bytes.ts";
import { DataError, messageOf } from "../errors.ts";
import { alongThrough, type Axes, orientationOf, unit, type Vector } from "./geometry.ts";
import { MAX_FILE_BYTES } from "./files.ts";
import type { GreySlice, StoredValues } from "./grey_values.ts";
import { type ImagingLimits, NO_LIMITS } from "./limits.ts";
import { MAX_SIDE } from "./dicom/header.ts";

/** A volume's slices, in MRNet's order if it says how it lies. */
export interface NiftiVolume {
  /** `NIfTI-1` or `NIfTI-2`. */
  readonly format: string;
  readonly rows: number;
  readonly columns: number;
  /** Distance of rows and of columns, in millimetres. */
  readonly spacing: readonly [number, number];
  /** Distance of slices, in millimetres. */
  readonly distance: number;
  /** The directions in which columns and rows run; none if the file does not say. */
  readonly orientation?: readonly [Vector, Vector];
  readonly slices: readonly GreySlice[];
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

/** An axis is taken for that of the slices if its voxels are so many times as long as the others'. */
const THICK = 1.5;

const NIFTI1_BYTES = 352;
const NIFTI2_BYTES = 544;

/** True if a file is NIfTI by its first 352 bytes, or gzipped and so named. */
export function isNifti(begin: Uint8Array, name: string): boolean {
  if (_isGzip(begin)) return /\.nii\.gz$/i.test(name);
  return _text(begin, 344, 3) === "n+1" || _text(begin, 4, 3) === "n+2";
}

/**
 * Reads a file.
 *
 * @throws {DataError} if it is damaged, cut off, larger than allowed, or holds no volume of single numbers
 */
export async function readNifti(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  { inflatedBytes, seriesPixels }: Pick<ImagingLimits, "inflatedBytes" | "seriesPixels"> =
    NO_LIMITS,
): Promise<NiftiVolume> {
  const bytes = _inflated(file, name, Math.min(inflatedBytes, MAX_FILE_BYTES));
  const isFirst = _text(bytes, 344, 3) === "n+1";
  const header = await _header(bytes.slice(0, isFirst ? NIFTI1_BYTES : NIFTI2_BYTES), name);
  const { dims, pixDims, datatypeCode, affine, littleEndian } = header;
  const size = dims.slice(1, 4);
  _checkSize(dims, name);
  const type = TYPES[datatypeCode];
  if (type === undefined) {
    const found = `its values are of type ${datatypeCode}, not single whole or real numbers`;
    throw refusedNifti(name, found, "convert it to int16 or float32");
  }
  const [width, make] = type;
  const count = size[0] * size[1] * size[2];
  if (count > seriesPixels) {
    const found = `it has ${count} voxels, at most ${seriesPixels} are read`;
    throw refusedNifti(name, found, "give a smaller volume");
  }
  const start = Math.max(header.vox_offset, isFirst ? NIFTI1_BYTES : NIFTI2_BYTES);
  if (!Number.isInteger(start) || start + count * width > bytes.length) {
    const found = `${count * width} bytes of voxels should begin at byte ${start}, it has ` +
      `${bytes.length} bytes in all`;
    throw refusedNifti(name, found, "it is cut short: copy it again");
  }
  const data = bytes.slice(start, start + count * width);
  if (!littleEndian) _swap(data, width);
  const values = make(data.buffer);
  if (!values.every(Number.isFinite)) {
    throw refusedNifti(name, "some of its values are not finite", "repair the export");
  }
  const placed = header.sform_code > 0 || header.qform_code > 0;
  // NIfTI's x grows to the right and its y to the front, DICOM's the other way.
  const axes = [0, 1, 2].map((axis): Vector => [
    -affine[0][axis],
    -affine[1][axis],
    affine[2][axis],
  ]);
  const lengths = placed
    ? axes.map((axis) => Math.hypot(...axis))
    : [1, 2, 3].map((axis) => Math.abs(pixDims[axis]) || 1);
  if (!lengths.every((length) => length > 0 && Number.isFinite(length))) {
    throw refusedNifti(name, `its voxels measure ${lengths.join("×")} mm`, "repair its header");
  }
  const through = _sliceAxis(lengths);
  const [across, down] = [0, 1, 2].filter((axis) => axis !== through);
  const slope = Number.isFinite(header.scl_slope) && header.scl_slope !== 0 ? header.scl_slope : 1;
  const intercept = slope === 1 && header.scl_slope === 0 ? 0 : header.scl_inter || 0;
  const slices = _slices(values, size, { across, down, through }).map((stored): GreySlice => ({
    ...{ stored, slope, intercept, inverted: false },
  }));
  const orientation = placed ? [axes[across], axes[down]] as const : undefined;
  if (orientation !== undefined && _runsBackwards(orientation, axes[through])) slices.reverse();
  return {
    format: isFirst ? "NIfTI-1" : "NIfTI-2",
    ...{ rows: size[down], columns: size[across], slices, orientation },
    spacing: [lengths[down], lengths[across]],
    distance: lengths[through],
  };
}

/** The error of a NIfTI file that cannot be read. */
export function refusedNifti(name: string, found: string, hint: string): DataError {
  return new DataError(`Cannot read the NIfTI file '${name}': ${found}: ${hint}`);
}

async function _header(bytes: Uint8Array<ArrayBuffer>, name: string) {
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

function _checkSize(dims: readonly number[], name: string): void {
  const [dimensions, columns, rows, slices] = dims;
  const shown = dims.slice(1, Math.max(1, Math.min(7, dimensions)) + 1).join("×");
  if (dims.slice(4, dimensions + 1).some((length) => length > 1)) {
    throw refusedNifti(name, `it holds several volumes (${shown})`, "split it, one volume a file");
  }
  const isSound = dimensions >= 3 && dimensions <= 7 &&
    [columns, rows, slices].every((n) => Number.isInteger(n) && n >= 1) &&
    Math.max(columns, rows, slices) <= Math.max(MAX_SIDE, MAX_SLICES);
  if (isSound) return;
  throw refusedNifti(
    name,
    `it says that its size is ${shown || "none"}`,
    "give a volume of slices",
  );
}

function _inflated(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  maxOutputLength: number,
): Uint8Array<ArrayBuffer> {
  let bytes = file;
  if (_isGzip(file)) {
    try {
      bytes = plainBytes(gunzipSync(file, { maxOutputLength }));
    } catch (error) {
      throw refusedNifti(name, `it cannot be inflated (${messageOf(error)})`, "copy it again");
    }
  }
  if (bytes.length >= NIFTI1_BYTES && isNifti(bytes, name)) return bytes;
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
