/**
 * safetensors files: the toolkit's own form of a checkpoint, which Python's `safetensors` package
 * reads and writes too.
 *
 * Reading checks every claim of a file before it takes memory; writing gives equal bytes for equal
 * tensors.
 */
import { isFloatType, toFloat32 } from "./floats.ts";
import { readHeader } from "./safetensors_header.ts";
import { openSource, type Source } from "./source.ts";
import { elementCount, type ReadOptions, type StateDict, type Weights } from "./tensors.ts";

/** What a safetensors file holds, without its values. */
export interface SafetensorsSummary {
  /** The free text pairs of the header. */
  metadata: Record<string, string>;
  /** Type (`F32`, `I64`, …) and shape of each tensor by name, in the order of the file. */
  tensors: Map<string, { type: string; shape: number[] }>;
}

/** Reads only the header of a safetensors file: what it holds and what it says about itself. */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsSummary> {
  using source = await openSource(path);
  const { entries, metadata } = readHeader(source);
  return {
    metadata,
    tensors: new Map(entries.map(({ name, type, shape }) => [name, { type, shape }])),
  };
}

/**
 * Reads safetensors from a source. F16, BF16 and F64 become float32; tensors of other types are named in
 * `skipped`. Only the wanted tensors come into memory.
 *
 * @throws {WeightsError} if the bytes are damaged, or claim what they do not hold
 */
export function readSafetensorsFrom(source: Source, options: ReadOptions = {}): Weights {
  const { entries, metadata } = readHeader(source);
  const tensors: StateDict = new Map();
  const skipped = new Map<string, string>();
  for (const { name, type, shape, offset, length } of entries) {
    if (options.want !== undefined && !options.want(name, shape, type)) continue;
    if (isFloatType(type)) {
      tensors.set(name, { shape, data: toFloat32(source.read(offset, length), type) });
    } else {
      skipped.set(name, type);
    }
  }
  return { tensors, metadata, skipped };
}

/**
 * The bytes of a safetensors file, as chunks in order. The tensors are not copied: their memory is among
 * the chunks.
 *
 * @param tensors float32 tensors; they keep their order
 * @param metadata free text, such as how the weights were made
 */
export function encodeSafetensors(
  tensors: StateDict,
  metadata: Record<string, string> = {},
): Uint8Array[] {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", metadata]);
  const values: Uint8Array[] = [];
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    if (name === "__metadata__" || elementCount(shape) !== data.length) {
      throw new RangeError(`'${name}' has ${data.length} values and the shape [${shape}]`);
    }
    const begin = end;
    end += data.byteLength;
    header.push([name, { dtype: "F32", shape, data_offsets: [begin, end] }]);
    values.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return [_encodeHeader(header), ...values];
}

/**
 * The bytes of a safetensors file with other metadata; every byte of the tensors stays.
 *
 * @throws {WeightsError} if the file is damaged
 */
export function withMetadata(source: Source, metadata: Record<string, string>): Uint8Array[] {
  const { entries } = readHeader(source);
  // The tensors cover the end of the file without a gap.
  const begin = entries[0]?.offset ?? source.size;
  const header: [string, unknown][] = [["__metadata__", metadata]];
  for (const { name, type, shape, offset, length } of entries) {
    const at = offset - begin;
    header.push([name, { dtype: type, shape, data_offsets: [at, at + length] }]);
  }
  return [_encodeHeader(header), source.read(begin, source.size - begin)];
}

/** The header, with its length before it. */
function _encodeHeader(header: readonly [string, unknown][]): Uint8Array {
  // Written pair by pair: an object would move names that look like numbers to the front.
  const pairs = header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const text = new TextEncoder().encode(`{${pairs.join(",")}}`);
  // Padded with spaces so that the values begin at a multiple of eight, as the format asks.
  const first = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(first.buffer).setBigUint64(0, BigInt(first.length - 8), true);
  first.set(text, 8);
  return first;
}
