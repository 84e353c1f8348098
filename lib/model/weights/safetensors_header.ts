/**
 * The header of a safetensors file: which tensors it holds, where, and what it says about itself.
 *
 * Everything the header claims is checked against the file before anybody uses it: the tensors
 * cover the data exactly, in bounds, without overlap or gap, and sizes match shapes and types, as
 * the format's specification demands (https://github.com/huggingface/safetensors#format).
 */
import { messageOf } from "../../errors.ts";
import type { Source } from "./source.ts";
import { quoted } from "../../quoted.ts";
import { elementCount, weightsError } from "./tensors.ts";
import { isRecord } from "../../record.ts";

/** Where a tensor lies. */
export interface SafetensorsEntry {
  /** Its name. */
  name: string;
  /** Its type in the format's words, such as `F32`. */
  type: string;
  /** Its sizes. */
  shape: number[];
  /** Its first byte in the file. */
  offset: number;
  /** Its length in bytes. */
  length: number;
}

/** A checked header. */
export interface SafetensorsHeader {
  /** The tensors, in the order of their bytes. */
  entries: SafetensorsEntry[];
  /** The free text pairs of `__metadata__`. */
  metadata: Record<string, string>;
}

/** The largest header that is read, for ten thousand tensors. Parsed JSON may take twenty times its size. */
export const MAX_HEADER_BYTES = 1024 * 1024;

/** Bytes per value; types smaller than a byte are newer than what this toolkit needs. */
const TYPE_BYTES: Readonly<Record<string, number>> = Object.fromEntries(
  ([
    [1, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0"],
    [2, "I16 U16 F16 BF16"],
    [4, "I32 U32 F32"],
    [8, "C64 F64 I64 U64"],
  ] as const).flatMap(([bytes, types]) => types.split(" ").map((type) => [type, bytes])),
);

const HINT = "it is damaged or no safetensors file, make or copy it again";

/** True if the first bytes can be a safetensors file: a length, then the brace of its JSON. */
export function looksLikeSafetensors(source: Source): boolean {
  if (source.size < 10) return false;
  const start = source.read(0, 9);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  return start[8] === 0x7b && length <= BigInt(source.size - 8);
}

/**
 * Reads and checks the header of a safetensors file.
 *
 * @throws {WeightsError} if it is damaged, or claims what the file does not hold
 */
export function readHeader(source: Source): SafetensorsHeader {
  const fail = (found: string) => weightsError(source.name, found, HINT);
  if (source.size < 8) throw fail(`it has ${source.size} bytes, too few for a safetensors file`);
  const length = new DataView(source.read(0, 8).buffer).getBigUint64(0, true);
  if (length > BigInt(source.size - 8)) {
    throw fail(`its header claims ${length} bytes, but the file has ${source.size}`);
  }
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw fail(`its header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed`);
  }
  const header = parseHeader(source.read(8, Number(length)), fail);
  const start = 8 + Number(length);
  const metadata: Record<string, string> = {};
  const entries: SafetensorsEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") readMetadata(value, metadata, fail);
    else entries.push(readEntry(name, value, start, fail));
  }
  checkCover(entries, start, source.size, fail);
  return { entries, metadata };
}

type Fail = (found: string) => Error;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw fail("its header does not start with '{'");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail("its header is not UTF-8 text");
  }
  const pairs = countPairs(text, fail);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    throw fail(`its header is not JSON (${quoted(messageOf(error)).slice(1, -1)})`);
  }
  if (!isRecord(header)) throw fail("its header is not a JSON object");
  // JSON.parse keeps the last of two equal names and says nothing; the format forbids them.
  if (pairs !== countKeys(header)) throw fail("its header holds the same name twice");
  return header;
}

/** Counts the `name: value` pairs of a JSON text, and refuses one that is nested without need. */
function countPairs(text: string, fail: Fail): number {
  let [pairs, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) {
        if (text.charCodeAt(at) === 0x5c) at++;
      }
    } else if (code === 0x3a) {
      pairs++;
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > 8) throw fail("its header is nested deeper than any safetensors header");
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
  }
  return pairs;
}

/** Counts the names of a parsed JSON value, whose depth is known to be small. */
function countKeys(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0);
  if (!isRecord(value)) return 0;
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + countKeys(item), 0);
}

function readMetadata(value: unknown, into: Record<string, string>, fail: Fail): void {
  if (!isRecord(value)) throw fail("its '__metadata__' is not a JSON object");
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") throw fail(`its metadata ${quoted(name)} is not text`);
    // Defined, not assigned: '__proto__' would set the prototype.
    const own = { value: text, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(into, name, own);
  }
}

function readEntry(name: string, value: unknown, start: number, fail: Fail): SafetensorsEntry {
  const tensor = `tensor ${quoted(name)}`;
  if (!isRecord(value)) throw fail(`${tensor} is described by something that is no JSON object`);
  const { dtype: type, shape, data_offsets: offsets } = value;
  if (typeof type !== "string") throw fail(`${tensor} has no type`);
  if (!Object.hasOwn(TYPE_BYTES, type)) {
    throw fail(`${tensor} has the unknown type ${quoted(type)}`);
  }
  const count = Array.isArray(shape) ? elementCount(shape) : undefined;
  if (count === undefined) throw fail(`${tensor} has no sound shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || elementCount(offsets) === undefined) {
    throw fail(`${tensor} has no sound offsets`);
  }
  const [begin, end] = offsets as number[];
  const length = count * TYPE_BYTES[type];
  if (end - begin !== length) {
    throw fail(`${tensor} has ${end - begin} bytes where its shape and type need ${length}`);
  }
  return { name, type, shape: shape as number[], offset: start + begin, length };
}

/** Holds the tensors against the data: from first byte to last, without overlap or gap. */
function checkCover(entries: SafetensorsEntry[], start: number, size: number, fail: Fail): void {
  entries.sort((a, b) => a.offset - b.offset || a.length - b.length);
  let at = start;
  for (const { name, offset, length } of entries) {
    if (offset < at) throw fail(`tensor ${quoted(name)} overlaps the one before it`);
    if (offset > at) throw fail(`there is a gap of ${offset - at} bytes before ${quoted(name)}`);
    at = offset + length;
    if (at > size) throw fail(`tensor ${quoted(name)} ends ${at - size} bytes past the file's end`);
  }
  if (at < size) throw fail(`${size - at} bytes follow the last tensor`);
}
