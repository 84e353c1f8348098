/**
 * Brings the tensors of a PyTorch file into memory: each storage is read once, windows are cut out
 * of it in the order of their strides, and the values become float32.
 */
import { isFloatType, toFloat32 } from "../floats.ts";
import { PickleFault } from "../../../pickle/values.ts";
import type { NamedTensor, ReadOptions, Weights } from "../tensors.ts";
import type { TensorIndex } from "./modules.ts";
import type { TensorRecord } from "./records.ts";
import type { TorchFile } from "./stream.ts";

/**
 * How many bytes the tensors may take. A file of float16 doubles as float32, and doubles again because
 * two names may share one tensor. A small file may take a fixed amount more.
 */
const KEPT = { times: 4, spare: 32 * 1024 * 1024 };
/** How many bytes may be copied on the way to them, one storage at a time. */
const MOVED = { times: 16, spare: 64 * 1024 * 1024 };

/**
 * Reads the wanted tensors. Those that are not floating point are named in `skipped`.
 *
 * @param index the tensors of the network
 * @param file where their bytes are
 * @param size the file's size: memory is bounded by a multiple of it, since a small file may
 * describe a huge tensor by repeating one element, or the same elements many times
 */
export function readTensors(
  index: TensorIndex,
  file: TorchFile,
  size: number,
  options: ReadOptions = {},
): Weights {
  const skipped = new Map<string, string>();
  const wanted: string[] = [];
  const byStorage = new Map<string, string[]>();
  let [kept, moved] = [0, 0];
  for (const [name, record] of index) {
    if (options.want !== undefined && !options.want(name, record.shape, record.type)) continue;
    if (!isFloatType(record.type)) {
      skipped.set(name, record.type);
      continue;
    }
    kept += 4 * record.count;
    moved += 4 * reach(record);
    if (kept > KEPT.times * size + KEPT.spare || moved > MOVED.times * size + MOVED.spare) {
      throw new PickleFault("its tensors repeat the same values until they need too much memory");
    }
    wanted.push(name);
    const sharing = byStorage.get(record.storage.key);
    if (sharing === undefined) byStorage.set(record.storage.key, [name]);
    else sharing.push(name);
  }
  const read = new Map<string, NamedTensor>();
  for (const names of byStorage.values()) {
    const [first] = names.map((name) => index.get(name)!);
    const storage = file.load(first.storage);
    for (const name of names) {
      const record = index.get(name)!;
      const data = window(record, storage, names.length > 1);
      if (record.negated) { for (let at = 0; at < data.length; at++) data[at] = -data[at]; }
      read.set(name, { shape: [...record.shape], data });
    }
  }
  // In the order of the network, whatever the order of the storages.
  const tensors = new Map(wanted.map((name) => [name, read.get(name)!]));
  return { tensors, metadata: {}, skipped };
}

/** How many elements lie between a tensor's first and last, both included. */
function reach({ count, shape, stride }: TensorRecord): number {
  if (count === 0) return 0;
  return shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis], 1);
}

/** The array type that holds stored values of this size without a change. */
const STORED = { 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const;

/**
 * The values of a tensor as they are stored, in memory of their own; `shared` if other tensors need the
 * storage's bytes too.
 */
function window(
  record: TensorRecord,
  storage: Uint8Array<ArrayBuffer>,
  shared: boolean,
): Float32Array {
  const { type, elementBytes, offset, shape, stride, count } = record;
  if (!isFloatType(type)) throw new TypeError(`'${type}' is no floating-point type`);
  const start = record.storage.first * record.storage.elementBytes + offset * elementBytes;
  const end = start + reach(record) * elementBytes;
  const whole = start === 0 && end === storage.length && !shared;
  if (record.contiguous) return toFloat32(whole ? storage : storage.slice(start, end), type);
  // Gathered before they are widened: the bytes between them may be most of the file.
  const Stored = STORED[elementBytes as keyof typeof STORED];
  const lies = storage.byteOffset + start;
  const values = lies % elementBytes === 0
    ? new Stored(storage.buffer, lies, reach(record))
    : new Stored(storage.slice(start, end).buffer);
  const gathered = new Stored(count);
  const at = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    gathered[to] = values[from];
    // Counts up like an odometer: the last axis turns first.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis];
      if (++at[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return toFloat32(new Uint8Array(gathered.buffer), type);
}
