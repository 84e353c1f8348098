/** An exam: one series of knee MRI slices in one plane, as it is in its file. */
import { DataError } from "../errors.ts";
import { ALEXNET } from "../network/alexnet.ts";
import { leastSide } from "../network/sizes.ts";
import { readNpyHeader, readNpyPieces } from "./npy.ts";
import type { NpyArray, NpyData, NpyHeader } from "./npy.ts";

/**
 * The least height and width of a slice, in pixels: 64. AlexNet itself needs 63; the toolkit promises the
 * next power of two.
 */
export const MIN_SIDE: number = 2 ** Math.ceil(Math.log2(leastSide(ALEXNET)));

/** The most slices of an exam; MRNet's have 17 to 61. More is a mistake, such as swapped axes. */
export const MAX_SLICES = 4096;

/** The most voxels of an exam: 1 GB as float32, where MRNet's have 4 MB as uint8. */
export const MAX_VOXELS = 2 ** 28;

/** The least normal number of float32. Processors compute many times more slowly with smaller ones. */
const MIN_NORMAL = 2 ** -126;

/** The fewest and the most slices of MRNet's exams. */
export const MRNET_SLICES = [17, 61] as const;

/** Rows and columns of MRNet's exams. */
export const MRNET_SIDE = 256;

/** The size of an exam. */
export interface ExamSize {
  /** How many slices there are, 1 to {@linkcode MAX_SLICES}. */
  slices: number;
  /** Height of a slice in pixels, at least {@linkcode MIN_SIDE}. */
  height: number;
  /** Width of a slice in pixels, at least {@linkcode MIN_SIDE}. */
  width: number;
}

/** An exam in memory. */
export interface Exam extends ExamSize {
  /** Its name in the label files, such as `0012`. */
  id: string;
  /**
   * `[slices, height, width]` in C order: the values of the file, all finite. Only values that are
   * denormal as float32 (below 1.2e-38 in magnitude) are changed, to 0. MRNet's are 0 to 255.
   */
  voxels: Uint8Array | Float32Array;
  /**
   * True if it was made of a scanner's files and not read from its own: its grey values are cut off at
   * two percentiles, whatever those of a model's training exams are. A model that knows the landmarks of
   * these maps it to them.
   * @default false
   */
  isScanned?: boolean;
}

/**
 * Checks that an array can be an exam.
 *
 * @param header the header of its file
 * @param path the file, for messages
 * @returns its size
 * @throws {DataError} unless it is numbers of the shape `[slices, height, width]`, with 1 to
 *   {@linkcode MAX_SLICES} slices of at least {@linkcode MIN_SIDE} pixels each way, and no more
 *   than {@linkcode MAX_VOXELS}
 */
export function checkExamHeader(
  header: Pick<NpyHeader, "shape" | "dtype">,
  path: string,
): ExamSize {
  if (header.dtype === "bool") {
    throw _refusal(path, "its values are True and False", "save the grey values as uint8");
  }
  return _checkShape(header.shape, path);
}

/**
 * Reads the header of an exam's file and checks it; the voxels are not loaded.
 *
 * @throws {DataError} if the file is missing, is not `.npy`, or cannot be an exam
 * @throws {PermissionError} if Deno may not read it
 */
export async function readExamHeader(path: string): Promise<NpyHeader & ExamSize> {
  const header = await readNpyHeader(path);
  return { ...header, ...checkExamHeader(header, path) };
}

/**
 * Makes an exam of an array. Voxels of uint8 are shared with the array; other types become float32.
 *
 * @param array what the file held
 * @param id the exam's name
 * @param path the file, for messages
 * @throws {DataError} if the shape is not an exam's, or a value is not a finite float32
 */
export function examFromNpy(array: NpyArray, id: string, path: string): Exam {
  const size = _checkShape(array.shape, path);
  const { data } = array;
  if (data instanceof Uint8Array) return { id, ...size, voxels: data };
  const voxels = data instanceof Float32Array ? data : new Float32Array(data);
  _checkFinite(voxels, size, path);
  // The array is the caller's.
  const own = voxels.some(_isDenormal) ? _flushed(voxels.slice()) : voxels;
  return { id, ...size, voxels: own };
}

/**
 * Reads an exam.
 *
 * @param path its `.npy` file
 * @param id its name in the label files
 * @param check is told its size before its voxels are read; what it throws ends the reading
 * @throws {DataError} if the file is missing, is not `.npy`, or is not an exam
 * @throws {PermissionError} if Deno may not read it
 */
export async function readExam(
  path: string,
  id: string,
  check?: (size: ExamSize) => void,
): Promise<Exam> {
  let exam: Exam | undefined;
  // The header first: an array that is no exam is refused before it is loaded.
  await readNpyPieces(path, (header) => {
    const size = checkExamHeader(header, path);
    check?.(size);
    const count = size.slices * size.height * size.width;
    const voxels = header.dtype === "uint8" ? new Uint8Array(count) : new Float32Array(count);
    exam = { id, ...size, voxels };
    if (header.fortranOrder) return _scatter(voxels, size);
    return (numbers, before) => voxels.set(numbers, before);
  });
  const { voxels } = exam!;
  if (voxels instanceof Float32Array) _flushed(_checkFinite(voxels, exam!, path));
  return exam!;
}

/** Puts numbers of Fortran order, in which the first axis varies fastest, where C order has them. */
function _scatter(into: Exam["voxels"], { slices, height, width }: ExamSize) {
  return (numbers: NpyData, before: number) => {
    for (let at = 0; at < numbers.length; at++) {
      const index = before + at;
      const column = Math.floor(index / (slices * height));
      const row = Math.floor(index / slices) % height;
      into[(index % slices * height + row) * width + column] = numbers[at];
    }
  };
}

function _refusal(path: string, found: string, hint: string): DataError {
  return new DataError(`Cannot use '${path}' as an exam: ${found}: ${hint}`);
}

function _checkShape(shape: readonly number[], path: string): ExamSize {
  const shown = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  if (shape.length !== 3) {
    const plural = shape.length === 1 ? "" : "s";
    const found = `its shape is ${shown}, ${shape.length} dimension${plural} instead of 3`;
    throw _refusal(path, found, "save it as [slices, height, width]");
  }
  const [slices, height, width] = shape;
  if (slices < 1) {
    throw _refusal(path, `its shape is ${shown}, without a slice`, "export the exam again");
  }
  if (slices > MAX_SLICES) {
    const found = `its shape is ${shown}, ${slices} slices where at most ${MAX_SLICES} are allowed`;
    throw _refusal(path, found, "check that the first axis is the slices");
  }
  if (height < MIN_SIDE || width < MIN_SIDE) {
    const found = `its slices are ${height}x${width} pixels, ` +
      `at least ${MIN_SIDE}x${MIN_SIDE} are needed`;
    throw _refusal(path, found, "export it at full size with the slices as first axis");
  }
  if (slices * height * width > MAX_VOXELS) {
    const found = `its shape is ${shown}, ${slices * height * width} voxels where at most ` +
      `${MAX_VOXELS} are allowed, 1 GB as float32`;
    throw _refusal(path, found, "export it with smaller slices");
  }
  return { slices, height, width };
}

function _isDenormal(value: number): boolean {
  return value !== 0 && Math.abs(value) < MIN_NORMAL;
}

/** Sets denormal voxels to 0, in the array itself. */
function _flushed(voxels: Float32Array): Float32Array {
  for (let at = 0; at < voxels.length; at++) if (_isDenormal(voxels[at])) voxels[at] = 0;
  return voxels;
}

function _checkFinite(
  voxels: Float32Array,
  { height, width }: ExamSize,
  path: string,
): Float32Array {
  const first = voxels.findIndex((value) => !Number.isFinite(value));
  if (first === -1) return voxels;
  let count = 0;
  for (const value of voxels) if (!Number.isFinite(value)) count++;
  const slice = Math.floor(first / (height * width));
  const row = Math.floor(first / width) % height;
  const found = `${count} of its values ${count === 1 ? "is" : "are"} not finite as float32, ` +
    `the first is ${voxels[first]} in slice ${slice}, row ${row}, column ${first % width}, ` +
    "counted from 0";
  throw _refusal(path, found, "repair the export");
}
