/**
 * The legacy form of a PyTorch file: five pickles (a mark, a version, the machine, the object, the
 * keys of its storages), then the storages' bytes one after the other, each after its length.
 */
import { readPickle } from "../../../pickle/read.ts";
import { PickleFault, type PickleValue } from "../../../pickle/values.ts";
import type { Source } from "../source.ts";
import { quoted } from "../../../quoted.ts";
import type { StorageRecord } from "./records.ts";
import { makeTorchRules } from "./rules.ts";

/** An unpickled file of PyTorch, and a reader of the storages that it refers to. */
export interface TorchFile {
  /** What was saved. */
  value: PickleValue;
  /** All the bytes of a storage that the value refers to, as a copy of their own. */
  load(storage: StorageRecord): Uint8Array<ArrayBuffer>;
}

/** The number at the start of every file of the legacy form. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/**
 * Opens a file of the legacy form.
 *
 * @throws {WeightsError} or {PickleFault} if it is damaged or not such a file
 */
export function openStream(source: Source): TorchFile {
  const rules = makeTorchRules();
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle(source, { start: at, end: source.size }, rules);
    at = end;
    return value;
  };
  if (next() !== MAGIC) throw new PickleFault("it is a pickle, but none that torch.save wrote");
  const version = next();
  if (version !== 1001) throw new PickleFault(`it has the unknown version ${shown(version)}`);
  const machine = next();
  if (!(machine instanceof Map) || machine.get("little_endian") !== true) {
    throw new PickleFault("it was written on a big-endian machine, which is not read here");
  }
  const value = next();
  const keys = next();
  if (!Array.isArray(keys)) throw new PickleFault("the list of its storages is missing");
  const offsets = new Map<string, number>();
  for (const key of keys) {
    const storage = typeof key === "string" ? rules.storages.get(key) : undefined;
    if (storage === undefined || offsets.has(storage.key)) {
      throw new PickleFault(`its list of storages names ${shown(key)} without need`);
    }
    const count = Number(new DataView(source.read(at, 8).buffer).getBigInt64(0, true));
    if (count !== storage.total) {
      throw new PickleFault(`a storage has ${count} elements where ${storage.total} are described`);
    }
    offsets.set(storage.key, at + 8);
    at += 8 + storage.total * storage.elementBytes;
    // One byte past the end is enough to know that the file breaks off here.
    if (at > source.size) source.read(at - 1, 1);
  }
  return {
    value,
    load({ key, total, elementBytes }) {
      const offset = offsets.get(key);
      if (offset === undefined) throw new PickleFault(`the storage ${quoted(key)} is missing`);
      return source.read(offset, total * elementBytes);
    },
  };
}

/** A value for a message. Of a collection it says only the kind, because a collection may hold itself. */
function shown(value: PickleValue): string {
  return typeof value === "object" ? "something that is no text" : quoted(String(value));
}
