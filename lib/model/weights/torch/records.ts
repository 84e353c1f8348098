/**
 * A tensor as a PyTorch file describes it: a window of sizes and strides onto a storage, whose
 * bytes lie elsewhere in the file.
 */
import { PickleFault, PickleRecord, type PickleValue } from "../../../pickle/values.ts";
import { quoted } from "../../../quoted.ts";
import { elementCount } from "../tensors.ts";

/** The element types of PyTorch by the name of their storage class, with their size in bytes. */
const STORAGES: Readonly<Record<string, readonly [type: string, bytes: number]>> = {
  FloatStorage: ["F32", 4],
  DoubleStorage: ["F64", 8],
  HalfStorage: ["F16", 2],
  BFloat16Storage: ["BF16", 2],
  LongStorage: ["I64", 8],
  IntStorage: ["I32", 4],
  ShortStorage: ["I16", 2],
  CharStorage: ["I8", 1],
  ByteStorage: ["U8", 1],
  BoolStorage: ["BOOL", 1],
  ComplexFloatStorage: ["C64", 8],
  ComplexDoubleStorage: ["C128", 16],
  UntypedStorage: ["bytes", 1],
};

/** The element types of PyTorch by the name of their dtype. */
export const DTYPES: Readonly<Record<string, readonly [type: string, bytes: number]>> = {
  float32: STORAGES.FloatStorage,
  float64: STORAGES.DoubleStorage,
  float16: STORAGES.HalfStorage,
  bfloat16: STORAGES.BFloat16Storage,
  int64: STORAGES.LongStorage,
  int32: STORAGES.IntStorage,
  int16: STORAGES.ShortStorage,
  int8: STORAGES.CharStorage,
  uint8: STORAGES.ByteStorage,
  bool: STORAGES.BoolStorage,
  complex64: STORAGES.ComplexFloatStorage,
  complex128: STORAGES.ComplexDoubleStorage,
  uint16: ["U16", 2],
  uint32: ["U32", 4],
  uint64: ["U64", 8],
  float8_e4m3fn: ["F8_E4M3", 1],
  float8_e5m2: ["F8_E5M2", 1],
};

/** True for the name of a storage class, such as `FloatStorage`. */
export function isStorageClass(name: string): boolean {
  return Object.hasOwn(STORAGES, name);
}

/** Elements of one type, one after the other, somewhere in the file; maybe a range of a larger storage. */
export class StorageRecord extends PickleRecord {
  /**
   * Describes a storage.
   *
   * @param key where the file keeps the bytes
   * @param type element type, such as `F32`
   * @param elementBytes bytes of an element
   * @param total elements that the file keeps under the key
   * @param first the first of them that belongs to this storage
   * @param count how many belong to it
   */
  constructor(
    readonly key: string,
    readonly type: string,
    readonly elementBytes: number,
    readonly total: number,
    readonly first: number,
    readonly count: number,
  ) {
    super();
  }
}

/** A tensor that has not been read yet; its window is known to lie within its storage. */
export class TensorRecord extends PickleRecord {
  /**
   * Describes a tensor whose window has been checked.
   *
   * @param storage where its elements are
   * @param type element type; that of the storage, where that has one
   * @param elementBytes bytes of an element
   * @param offset the first element, counted in the storage
   * @param shape sizes, outermost first
   * @param stride elements from one to the next, for each size
   * @param count how many elements it has
   * @param negated whether its values are those of the storage with the other sign
   */
  constructor(
    readonly storage: StorageRecord,
    readonly type: string,
    readonly elementBytes: number,
    readonly offset: number,
    readonly shape: number[],
    readonly stride: number[],
    readonly count: number,
    readonly negated: boolean,
  ) {
    super();
  }

  /** True if the elements lie one after the other in the order of the shape. */
  get contiguous(): boolean {
    let step = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.stride[axis] !== step) return false;
      step *= this.shape[axis];
    }
    return true;
  }
}

/** Collects the storages that a pickle refers to; each key has one type and size. */
export class StorageTable {
  private readonly known = new Map<string, StorageRecord>();

  /**
   * The storage of a persistent id, `("storage", class, key, device, elements)`; in files of the
   * legacy form with a sixth item, a view's `(key, first, elements)`.
   *
   * @returns `undefined` if the id is none of a storage
   */
  refer(id: PickleValue[], className: string): StorageRecord | undefined {
    const [kind, , key, , count, view] = id;
    if (kind !== "storage" || typeof key !== "string" || !isStorageClass(className)) {
      return undefined;
    }
    const total = wholeNumber(count);
    if (total === undefined) throw new PickleFault("a storage has no sound size");
    const [type, bytes] = STORAGES[className];
    const earlier = this.known.get(key);
    const root = earlier ?? new StorageRecord(key, type, bytes, total, 0, total);
    if (root.type !== type || root.total !== total) {
      throw new PickleFault(`the storage '${key.slice(0, 40)}' is described in two ways`);
    }
    this.known.set(key, root);
    if (!Array.isArray(view)) return root;
    const [first, within] = [wholeNumber(view[1]), wholeNumber(view[2])];
    if (first === undefined || within === undefined || first + within > total) {
      throw new PickleFault("a view runs past the end of its storage");
    }
    return new StorageRecord(key, type, bytes, total, first, within);
  }

  /** The storage of a key that was referred to. */
  get(key: string): StorageRecord | undefined {
    return this.known.get(key);
  }
}

/** A size from a pickle, or `undefined` if it is none. */
function wholeNumber(value: PickleValue | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/**
 * Whether a tensor's metadata says that its values are those of the storage with the other sign, as
 * PyTorch's lazy negation leaves them. PyTorch goes by which names are there (`setTensorMetadata` in
 * `torch/csrc/jit/serialization/pickler.h`) and writes true for each.
 *
 * @throws {PickleFault} if it says anything that is not understood
 */
function isNegated(metadata: PickleValue, type: string): boolean {
  if (metadata === null) return false;
  const refuse = (what: string) => new PickleFault(`a tensor has ${what}, which is not understood`);
  if (!(metadata instanceof Map)) throw refuse("metadata that is no dictionary");
  for (const [name, value] of metadata) {
    // Conjugation is for complex numbers, which are not read.
    if (value === true && (name === "neg" || name === "conj" && type.startsWith("C"))) continue;
    throw refuse(typeof name === "string" ? `the metadata ${quoted(name)}` : "metadata");
  }
  return metadata.has("neg");
}

/**
 * A window onto a storage, checked: it must lie within.
 *
 * @param dtype the element type if the storage has none of its own
 * @param metadata what the file says about the tensor besides
 * @throws {PickleFault} if the window is no window or runs past the end, or the metadata is not
 * understood
 */
export function makeTensor(
  storage: PickleValue | undefined,
  window: { offset: PickleValue; shape: PickleValue; stride: PickleValue },
  dtype?: string,
  metadata: PickleValue = null,
): TensorRecord {
  if (!(storage instanceof StorageRecord)) throw new PickleFault("a tensor has no storage");
  const [type, bytes] = dtype === undefined
    ? [storage.type, storage.elementBytes]
    : Object.hasOwn(DTYPES, dtype)
    ? DTYPES[dtype]
    : ["unknown", 1];
  const offset = wholeNumber(window.offset);
  const { shape, stride } = window;
  // A shape of more sizes than PyTorch allows is refused before anything counts them.
  if (
    offset === undefined || !Array.isArray(shape) || !Array.isArray(stride) ||
    shape.length > 64 || stride.length !== shape.length
  ) {
    throw new PickleFault("a tensor has no sound shape");
  }
  const count = elementCount(shape);
  if (count === undefined || stride.some((step) => wholeNumber(step) === undefined)) {
    throw new PickleFault("a tensor has no sound shape");
  }
  const [sizes, steps] = [shape as number[], stride as number[]];
  const last = sizes.reduce((sum, size, axis) => sum + (size - 1) * steps[axis], offset);
  const room = Math.floor(storage.count * storage.elementBytes / bytes);
  if (count > 0 && !(last < room)) {
    throw new PickleFault(`a tensor of the shape [${sizes}] runs past the end of its storage`);
  }
  const negated = isNegated(metadata, type);
  return new TensorRecord(storage, type, bytes, offset, sizes, steps, count, negated);
}
