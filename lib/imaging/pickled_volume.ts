/**
 * Volumes as pickled NumPy arrays, `.pck`, which is how KneeMRI keeps its exams. Nothing that a pickle
 * asks for is run: it may hold one array of numbers, and whatever else it names ends the reading.
 */
import { Buffer } from "node:buffer";
import { decodeNumbers, type NpyData } from "../data/npy.ts";
import { numberLayout } from "../data/number_types.ts";
import { MAX_SLICES } from "../data/exam.ts";
import { DataError } from "../errors.ts";
import { areFinite } from "../finite.ts";
import { readPickle } from "../pickle/read.ts";
import { PickleFault, PickleGlobal, PickleRecord } from "../pickle/values.ts";
import type { PickleRules, PickleValue } from "../pickle/values.ts";
import { bytesSource, type Source, type SourceUse } from "../source.ts";
import { MAX_SIDE } from "./dicom/header.ts";
import type { GreySlice } from "./grey_values.ts";
import { type ImagingLimits, NO_LIMITS } from "./limits.ts";

/** A volume: `[slices, rows, columns]`, in the order of the file. */
export interface PickledVolume {
  /** NumPy's name for the type of its values, such as `uint16`. */
  readonly dtype: string;
  readonly rows: number;
  readonly columns: number;
  readonly slices: readonly GreySlice[];
}

const USE: SourceUse = { what: "read the volume", error: DataError, hint: "give a .pck file" };
const SAVE_AGAIN = "save it again by pickle.dump(array, file, 4)";

/** True if a file is a pickled volume by its name; what is in it is another question. */
export function isPickledVolume(name: string): boolean {
  return /\.pck$/i.test(name);
}

/**
 * Reads a file.
 *
 * @throws {DataError} if it is damaged, larger than allowed, names anything but an array, or the array is no volume of real
 * numbers
 */
export function readPickledVolume(
  file: Uint8Array,
  name: string,
  { seriesPixels }: Pick<ImagingLimits, "seriesPixels"> = NO_LIMITS,
): PickledVolume {
  const source = bytesSource(file, name, USE);
  if (file[0] !== 0x80) {
    throw source.failure("it does not begin as a pickle of protocol 2 to 5 does", SAVE_AGAIN);
  }
  const { value, end } = readPickle(source, { start: 0, end: file.length }, _rules(file.length));
  if (!(value instanceof ArrayRecord)) throw source.failure("it holds no array", SAVE_AGAIN);
  if (end !== file.length) {
    throw source.failure(`${file.length - end} bytes follow its array`, SAVE_AGAIN);
  }
  return _volumeOf(value, source, seriesPixels);
}

/** NumPy's type of numbers: its code without the order of the bytes, and that order. */
class TypeRecord extends PickleRecord {
  #order = "=";

  constructor(readonly code: string) {
    super();
  }

  /** As NumPy spells it, such as `<u2`. */
  get descr(): string {
    return this.#order + this.code;
  }

  /** `(version, order of the bytes, …)`; what follows belongs to types that are refused. */
  override setState(state: PickleValue): void {
    const order = Array.isArray(state) ? state[1] : undefined;
    if (typeof order !== "string" || !/^[<>=|]$/.test(order)) {
      throw new PickleFault("its pickle gives a type no order of bytes");
    }
    this.#order = order;
  }
}

/** A NumPy array. */
class ArrayRecord extends PickleRecord {
  shape: PickleValue = null;
  type: PickleValue = null;
  isFortran = false;
  data: PickleValue = null;

  /** `(version, shape, type, whether in Fortran's order, bytes)`. */
  override setState(state: PickleValue): void {
    if (!Array.isArray(state) || state.length !== 5) {
      throw new PickleFault("its pickle describes an array in an unknown way");
    }
    this.isFortran = state[3] === true || state[3] === 1;
    [, this.shape, this.type, , this.data] = state;
  }
}

/** What stands for NumPy's functions; NumPy 2 calls its module `_core`. */
const FUNCTIONS: Readonly<Record<string, (args: PickleValue[]) => PickleValue>> = {
  "numpy.core.multiarray._reconstruct": () => new ArrayRecord(),
  "numpy.core.numeric._frombuffer": (args) => _fromBuffer(args),
  "numpy.dtype": ([code]) => {
    if (typeof code === "string") return new TypeRecord(code);
    throw new PickleFault("its pickle names a type by what is no text");
  },
  // How protocol 2 writes bytes.
  "_codecs.encode": ([text]) => {
    const bytes = typeof text === "string" ? _latin1(text) : undefined;
    if (bytes !== undefined) return bytes;
    throw new PickleFault("its pickle takes for bytes what are none");
  },
};

/** As protocol 5 writes an array: `(bytes, type, shape, "C" or "F")`. */
function _fromBuffer([data, type, shape, order]: PickleValue[]): ArrayRecord {
  const made = new ArrayRecord();
  made.setState([null, shape ?? null, type ?? null, order === "F", data ?? null]);
  return made;
}

/** Makes the rules for a file of so many bytes. */
function _rules(fileBytes: number): PickleRules {
  // Text and bytes are copied once, by protocol 2; beyond the file's size they are copied again.
  const limits = { bytes: fileBytes, characters: fileBytes };
  return {
    file: "a volume",
    hints: { unlisted: "save the array alone by pickle.dump", damaged: SAVE_AGAIN },
    latin1: true,
    limits,
    find(module, name) {
      const full = `${module.replace(/^numpy\._core\./, "numpy.core.")}.${name}`;
      if (full === "numpy.ndarray") return new PickleGlobal(full);
      return Object.hasOwn(FUNCTIONS, full) ? new PickleGlobal(full, FUNCTIONS[full]) : undefined;
    },
    persistent: () => undefined,
  };
}

function _volumeOf(
  { shape, type, isFortran, data }: ArrayRecord,
  source: Source,
  seriesPixels: number,
): PickledVolume {
  const refuse = (found: string, hint: string) => source.failure(found, hint);
  if (!Array.isArray(shape) || !(type instanceof TypeRecord)) {
    throw refuse("its array has no shape or no type", SAVE_AGAIN);
  }
  const [slices, rows, columns] = _sizes(shape, source);
  const layout = numberLayout(
    { descr: type.descr, fortranOrder: isFortran, shape: [slices, rows, columns] },
    refuse,
  );
  if (layout.dtype === "bool") {
    throw refuse("its values are True and False", "save the grey values");
  }
  const bytes = typeof data === "string" ? _latin1(data) : data;
  const voxels = slices * rows * columns;
  if (voxels > seriesPixels) {
    throw refuse(`it has ${voxels} voxels, at most ${seriesPixels} are read`, "leave it out");
  }
  const wanted = voxels * layout.itemBytes;
  if (!(bytes instanceof Uint8Array) || bytes.length !== wanted) {
    const held = bytes instanceof Uint8Array ? `${bytes.length} bytes` : "no bytes";
    const found = `its array of ${slices}×${rows}×${columns} ${layout.dtype} holds ${held}, ` +
      `not ${wanted}`;
    throw refuse(found, SAVE_AGAIN);
  }
  const values = decodeNumbers(bytes, layout, refuse).data;
  if (_isReal(values) && !areFinite(values)) {
    throw refuse("some of its values are not finite", "repair the export");
  }
  const size = rows * columns;
  return {
    dtype: layout.dtype,
    ...{ rows, columns },
    slices: Array.from({ length: slices }, (_, slice): GreySlice => ({
      stored: values.subarray(slice * size, (slice + 1) * size),
      ...{ slope: 1, intercept: 0, inverted: false },
    })),
  };
}

/** The three sizes of a volume. */
function _sizes(shape: readonly PickleValue[], source: Source): number[] {
  const sizes = shape.map((size) => typeof size === "number" ? size : NaN);
  const isVolume = sizes.length === 3 && sizes.every((size) => Number.isInteger(size)) &&
    Math.min(...sizes) >= 1 && sizes[0] <= MAX_SLICES && Math.max(...sizes.slice(1)) <= MAX_SIDE;
  if (isVolume) return sizes;
  const shown = sizes.slice(0, 8).join("×") || "no axes";
  throw source.failure(
    `its array is ${shown}, not slices × rows × columns (at most ${MAX_SLICES}, ${MAX_SIDE}, ` +
      `${MAX_SIDE})`,
    "save the volume alone",
  );
}

function _isReal(values: NpyData): values is Float32Array | Float64Array {
  return values instanceof Float32Array || values instanceof Float64Array;
}

/** Bytes that were written as characters; `undefined` if a character is none of Latin-1's. */
function _latin1(text: string): Uint8Array | undefined {
  return /[^\0-\xff]/.test(text) ? undefined : Buffer.from(text, "latin1");
}
