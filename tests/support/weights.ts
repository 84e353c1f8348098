/** Files of weights as a whole, by their bytes or their path; the toolkit reads only what it needs. */
import { readWeightsFrom } from "../../lib/model/weights/read.ts";
import { readSafetensorsFrom } from "../../lib/model/weights/safetensors.ts";
import { bytesSource, openSource, type Source } from "../../lib/model/weights/source.ts";
import type { ReadOptions } from "../../lib/model/weights/tensors.ts";
import { readPytorchFrom } from "../../lib/model/weights/torch/read.ts";
import { readRunStateFrom, type RunState } from "../../lib/train/run_state.ts";

type Read<T> = (source: Source, options?: ReadOptions) => T;

const decodes = <T>(read: Read<T>) => (bytes: Uint8Array, name: string, options?: ReadOptions): T =>
  read(bytesSource(bytes, name), options);

const reads =
  <T>(read: Read<T | Promise<T>>) => async (path: string, options?: ReadOptions): Promise<T> => {
    using source = await openSource(path);
    return await read(source, options);
  };

export const decodeSafetensors = decodes(readSafetensorsFrom);
export const readSafetensors = reads(readSafetensorsFrom);
export const decodePytorch = decodes(readPytorchFrom);
export const readPytorch = reads(readPytorchFrom);
export const readWeights = reads(readWeightsFrom);

/** The state of a run from the bytes of its file. */
export function decodeRunState(bytes: Uint8Array, name: string): RunState {
  return readRunStateFrom(bytesSource(bytes, name));
}
