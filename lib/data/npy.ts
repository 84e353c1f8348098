/**
 * NumPy's `.npy` files: arrays of numbers, read and written without NumPy.
 *
 * The header is checked against the size of the file before the numbers are read. So a broken or hostile
 * file costs no more memory than it has bytes, times the widening listed at {@linkcode decodeNpy}.
 * Whatever cannot be read ends in a {@linkcode DataError} of one line.
 *
 * The format is that of NumPy's NEP 1, versions 1.0, 2.0 and 3.0.
 */
import { DataError } from "../errors.ts";
import { fill, withPlainFile } from "../files.ts";
import { npyError, npyHeaderEnd, parseNpyHeader } from "./npy_header.ts";
import type { NpyDtype, NpyHeader, NumberLayout, Refuse } from "./npy_header.ts";

export { type NpyDtype, type NpyHeader, type NumberLayout, parseNpyHeader };

/** The numbers of an array, in C order. */
export type NpyData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array of numbers. */
export interface NpyArray {
  /** The numbers in C order: the last axis varies fastest. */
  data: NpyData;
  /** The length of each axis; empty for a single number. */
  shape: number[];
}

/** What is read first: NumPy's own headers have 128 bytes unless there are very many axes. */
const FIRST_READ = 4096;

/**
 * Reads the header of a file and no more of it than that needs.
 *
 * @throws {DataError} if the file is missing, is not `.npy`, or its size is not what the header says
 * @throws {PermissionError} if Deno may not read it
 */
export function readNpyHeader(path: string): Promise<NpyHeader> {
  return _withFile(path, (file, size) => _readHeader(file, size, path));
}

/**
 * Reads a whole file. The header is checked before the rest is loaded.
 *
 * @throws {DataError} as {@linkcode readNpyHeader} and {@linkcode decodeNpy}
 * @throws {PermissionError} if Deno may not read it
 */
export function readNpy(path: string): Promise<NpyArray> {
  return _withFile(path, async (file, size) => {
    await _readHeader(file, size, path);
    await file.seek(0, Deno.SeekMode.Start);
    return decodeNpy(await fill(file, new Uint8Array(size)), path);
  });
}

/** How much of a file {@linkcode readNpyPieces} decodes at a time, in bytes: whole numbers of any type. */
const PIECE = 2 * 1024 * 1024;

/**
 * Reads a whole file a piece at a time, so that what is made of the numbers, and little else, is in
 * memory.
 *
 * @param begin is told the header and gives what is told each piece: its numbers as
 *   {@linkcode decodeNpy} has them, but in the order of the file, and how many came before. The numbers
 *   are good until it returns
 * @throws {DataError} as {@linkcode readNpyHeader} and {@linkcode decodeNpy}, and whatever the two throw
 * @throws {PermissionError} if Deno may not read it
 */
export function readNpyPieces(
  path: string,
  begin: (header: NpyHeader) => (numbers: NpyData, before: number) => void,
): Promise<void> {
  return _withFile(path, async (file, size) => {
    const header = await _readHeader(file, size, path);
    const use = begin(header);
    const { itemBytes, dataOffset, dataBytes } = header;
    await file.seek(dataOffset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.min(PIECE, dataBytes));
    for (let done = 0; done < dataBytes; done += PIECE) {
      const wanted = bytes.subarray(0, dataBytes - done);
      const piece = await fill(file, wanted);
      if (piece.length < wanted.length) {
        throw npyError(path, "it became shorter while it was read", "copy it again");
      }
      const before = done / itemBytes;
      use(_numbers(piece, header, before, _refusing(path)), before);
    }
  });
}

/**
 * Decodes the bytes of a whole file.
 *
 * | in the file | in memory |
 * | --- | --- |
 * | uint8, int8, uint16, int16, uint32, int32, float32, float64 | the same |
 * | bool | `Uint8Array` of 0 and 1 |
 * | float16 | `Float32Array`, exact |
 * | int64, uint64 | `Float64Array`, exact: a number beyond ±(2^53 − 1) is refused |
 *
 * The result is a view of `bytes`, not a copy, if the type stays the same, the array is in C order
 * and, for types of several bytes, little-endian and aligned in memory; so it is always for uint8 in
 * C order.
 *
 * @param bytes the whole file
 * @param name the file's path as the user knows it, for messages
 * @param check is told the header before anything is decoded; what it throws ends the decoding
 * @throws {DataError} if these bytes are not an `.npy` file of numbers
 */
export function decodeNpy(
  bytes: Uint8Array,
  name: string,
  check?: (header: NpyHeader) => void,
): NpyArray {
  const header = parseNpyHeader(bytes, bytes.length, name);
  check?.(header);
  const { dataOffset, dataBytes } = header;
  return decodeNumbers(
    bytes.subarray(dataOffset, dataOffset + dataBytes),
    header,
    _refusing(name),
  );
}

/**
 * Decodes the bytes of numbers as {@linkcode decodeNpy} does, wherever they were found.
 *
 * @param bytes the numbers and nothing else: as many as the shape holds
 * @throws what `refuse` makes, if a number of 64 bits cannot be exact
 */
export function decodeNumbers(bytes: Uint8Array, layout: NumberLayout, refuse: Refuse): NpyArray {
  const { shape, fortranOrder } = layout;
  const data = _numbers(bytes, layout, 0, refuse);
  return { data: fortranOrder ? _toRowMajor(data, shape) : data, shape };
}

const _refusing = (name: string): Refuse => (found, hint) => npyError(name, found, hint);

/**
 * Encodes an array as NumPy 2 would save it: version 1.0, little-endian, C order, data aligned to 64
 * bytes.
 *
 * @param data the numbers in C order
 * @param shape the length of each axis
 * @throws {RangeError} if the shape is not one of whole numbers, or holds another number of values
 *
 * @example
 * ```ts
 * import { decodeNpy, encodeNpy } from "./npy.ts";
 * const file = encodeNpy(Uint8Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
 * console.assert(decodeNpy(file, "example.npy").shape[1] === 3);
 * ```
 */
export function encodeNpy(data: NpyData, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, length) => product * length, 1);
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new RangeError(`A shape holds whole numbers from 0: current value is [${shape}]`);
  }
  if (count !== data.length) {
    throw new RangeError(`The shape [${shape}] holds ${count} values but there are ${data.length}`);
  }
  const head = _encodeHeader(DESCR[data[Symbol.toStringTag]], shape);
  const file = new Uint8Array(head.length + data.byteLength);
  file.set(head);
  // Deno runs on little-endian machines only, so memory is as the file wants it.
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  return file;
}

const DESCR: Record<NpyData[typeof Symbol.toStringTag], string> = {
  Uint8Array: "|u1",
  Int8Array: "|i1",
  Uint16Array: "<u2",
  Int16Array: "<i2",
  Uint32Array: "<u4",
  Int32Array: "<i4",
  Float32Array: "<f4",
  Float64Array: "<f8",
};

function _encodeHeader(descr: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  // NumPy leaves room for the first axis to grow to 21 digits without moving the data.
  const room = shape.length === 0 ? 0 : Math.max(0, 21 - `${shape[0]}`.length);
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const used = 10 + dict.length + room + 1;
  const length = used + (64 - used % 64) - 10;
  if (length > 0xffff) throw new RangeError(`A shape of ${shape.length} axes is too long to save`);
  const prefix = `\x93NUMPY\x01\x00${String.fromCharCode(length & 0xff, length >> 8)}`;
  const text = `${prefix}${dict.padEnd(length - 1)}\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function _withFile<T>(
  path: string,
  use: (file: Deno.FsFile, size: number) => Promise<T>,
): Promise<T> {
  const hint = "check that the file is there and can be read";
  return withPlainFile({ what: "read", path, access: "read", error: DataError, hint }, use);
}

async function _readHeader(file: Deno.FsFile, size: number, path: string): Promise<NpyHeader> {
  let start = await fill(file, new Uint8Array(Math.min(size, FIRST_READ)));
  const end = npyHeaderEnd(start, size, path);
  if (end > start.length) {
    await file.seek(0, Deno.SeekMode.Start);
    start = await fill(file, new Uint8Array(end));
  }
  return parseNpyHeader(start, size, path);
}

/** The numbers in bytes of the file, in its order; `before` says how many came before them. */
function _numbers(
  bytes: Uint8Array,
  { dtype, itemBytes, littleEndian }: NumberLayout,
  before: number,
  refuse: Refuse,
): NpyData {
  if (!littleEndian) return _typed(_swapped(bytes, itemBytes), dtype, before, refuse);
  // A copy by constructor, for `slice` of Node's Buffer gives a view.
  const aligned = bytes.byteOffset % itemBytes === 0 ? bytes : new Uint8Array(bytes);
  return _typed(aligned, dtype, before, refuse);
}

function _swapped(raw: Uint8Array, itemBytes: number): Uint8Array {
  const swapped = new Uint8Array(raw.length);
  for (let item = 0; item < raw.length; item += itemBytes) {
    for (let byte = 0; byte < itemBytes; byte++) {
      swapped[item + byte] = raw[item + itemBytes - 1 - byte];
    }
  }
  return swapped;
}

/** Makes a view of bytes. */
interface View {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, at: number, length: number): NpyData;
}

/** The types that are in memory as they are in the file. */
const ARRAYS: Readonly<Record<Exclude<NpyDtype, "bool" | "float16" | "int64" | "uint64">, View>> = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The numbers in aligned, little-endian bytes. */
function _typed(raw: Uint8Array, dtype: NpyDtype, before: number, refuse: Refuse): NpyData {
  const { buffer, byteOffset: at, byteLength: bytes } = raw;
  switch (dtype) {
    case "bool":
      return Uint8Array.from(raw, (byte) => byte === 0 ? 0 : 1);
    case "float16":
      return new Float32Array(new Float16Array(buffer, at, bytes / 2));
    case "int64":
    case "uint64":
      return _fromInt64(new Uint32Array(buffer, at, bytes / 4), dtype === "int64", before, refuse);
    default:
      return new ARRAYS[dtype](buffer, at, bytes / ARRAYS[dtype].BYTES_PER_ELEMENT);
  }
}

/** 64-bit integers as float64, from pairs of 32-bit words, low word first. */
function _fromInt64(
  words: Uint32Array,
  signed: boolean,
  before: number,
  refuse: Refuse,
): Float64Array {
  const values = new Float64Array(words.length / 2);
  for (let i = 0; i < values.length; i++) {
    const low = words[2 * i];
    const high = signed ? words[2 * i + 1] | 0 : words[2 * i + 1];
    values[i] = high * 2 ** 32 + low;
    if (!Number.isSafeInteger(values[i])) {
      const exact = (BigInt(high) << 32n) + BigInt(low);
      const found = `value ${
        before + i
      } is ${exact}, which is beyond ±(2^53 - 1) and would be rounded`;
      throw refuse(found, "save the array as float64 or as smaller integers");
    }
  }
  return values;
}

/** Values in Fortran order (the first axis varies fastest), put into C order. */
function _toRowMajor<T extends NpyData>(data: T, axes: readonly number[]): NpyData {
  // An axis of length 1 moves nothing, but a header may have sixty of them to pass at each value.
  const shape = axes.filter((length) => length !== 1);
  if (shape.length < 2 || data.length === 0) return data;
  const strides: number[] = [];
  shape.reduce((stride, length, axis) => (strides[axis] = stride) * length, 1);
  const last = shape.length - 1;
  const [run, runStride] = [shape[last], strides[last]];
  const index = new Array<number>(last).fill(0);
  const ordered = data.slice();
  for (let to = 0, from = 0; to < ordered.length; to += run) {
    for (let i = 0; i < run; i++) ordered[to + i] = data[from + i * runStride];
    for (let axis = last - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}
