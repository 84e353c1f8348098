/** Files of weights, and bytes of one, as sources. */
import { WeightsError } from "../../errors.ts";
import { bytesSource as _bytesSource, openSource as _openSource } from "../../source.ts";
import type { FileSource, Source, SourceUse } from "../../source.ts";

export type { FileSource, Source };

const WEIGHTS: SourceUse = {
  what: "read weights",
  error: WeightsError,
  hint: "give the path of a .pth, .pt or .safetensors file",
};

/** Bytes of weights as a source. */
export function bytesSource(bytes: Uint8Array, name: string): Source {
  return _bytesSource(bytes, name, WEIGHTS);
}

/**
 * Opens a file of weights, of which only the bytes that are asked for are read.
 *
 * @throws {WeightsError} if there is no such file
 * @throws {PermissionError} if Deno may not read it
 */
export function openSource(path: string): Promise<FileSource> {
  return _openSource(path, WEIGHTS);
}
