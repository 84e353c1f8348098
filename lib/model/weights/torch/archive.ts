/**
 * The zip form of a PyTorch file, which `torch.save` has written since version 1.6: a pickle named
 * `data.pkl` and the storages it refers to as `data/0`, `data/1`, …, in one folder.
 */
import { readPickle } from "../../../pickle/read.ts";
import { PickleFault } from "../../../pickle/values.ts";
import { bytesSource, type Source } from "../source.ts";
import { quoted } from "../../../quoted.ts";
import { weightsError } from "../tensors.ts";
import { makeTorchRules } from "./rules.ts";
import type { TorchFile } from "./stream.ts";
import { readZip, readZipEntry } from "../../../zip.ts";

/**
 * Opens a file of the zip form.
 *
 * @throws {WeightsError} or {PickleFault} if it is damaged or not such a file
 */
export function openArchive(source: Source): TorchFile {
  const directory = readZip(source);
  const names = [...directory.entries.keys()];
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw new PickleFault(`it is a zip archive with ${pickles.length} 'data.pkl', not with one`);
  }
  const folder = pickles[0].slice(0, -"data.pkl".length);
  const read = (name: string): Uint8Array<ArrayBuffer> | undefined => {
    const entry = directory.entries.get(folder + name);
    return entry && readZipEntry(source, directory, entry);
  };
  if (
    names.some((name) => name === `${folder}constants.pkl` || name.startsWith(`${folder}code/`))
  ) {
    const hint = "load it in Python and save its state_dict() with torch.save";
    throw weightsError(source.name, "it is a TorchScript program, not a file of weights", hint);
  }
  const order = read("byteorder");
  if (order !== undefined && new TextDecoder().decode(order).trim() !== "little") {
    throw new PickleFault("it was written on a big-endian machine, which is not read here");
  }
  const pickle = bytesSource(read("data.pkl") ?? new Uint8Array(0), source.name);
  const rules = makeTorchRules();
  let loaded = 0;
  const { value } = readPickle(pickle, { start: 0, end: pickle.size }, rules);
  return {
    value,
    load({ key, total, elementBytes }) {
      const entry = directory.entries.get(`${folder}data/${key}`);
      if (entry === undefined) throw new PickleFault(`the storage ${quoted(key)} is missing`);
      const described = total * elementBytes;
      if (entry.length !== described) {
        const found = `the storage ${quoted(key)} has ${entry.length} bytes`;
        throw new PickleFault(`${found} where ${described} are described`);
      }
      // Each storage is loaded once; only where files lie inside one another can this be exceeded.
      loaded += entry.length;
      if (loaded > source.size) throw new PickleFault("its storages overlap");
      return readZipEntry(source, directory, entry);
    },
  };
}
