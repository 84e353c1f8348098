/**
 * Zip archives: a reader that checks everything the archive says against the file, and a writer of
 * stored, uncompressed files whose bytes depend on their content alone.
 *
 * The format is described in PKWARE's APPNOTE.TXT, https://support.pkware.com/pkzip/appnote.
 */
import { constants, crc32, inflateRawSync } from "node:zlib";
import { plainBytes } from "./bytes.ts";
import { messageOf } from "./errors.ts";
import { quoted } from "./quoted.ts";
import type { Source } from "./source.ts";

/** A file inside an archive. */
export interface ZipEntry {
  /** Its path inside the archive. */
  name: string;
  /** Its length in bytes. */
  length: number;
  /** The CRC-32 of its bytes; 0 where the writer computed none. */
  crc: number;
  /** Where its local header begins. */
  header: number;
  /** Its length in the archive, in bytes. */
  packed: number;
  /** How it is packed: 0 is stored, 8 deflated. */
  method: number;
  /** True if only a password opens it. */
  encrypted: boolean;
}

/** The directory of an archive. */
export interface ZipDirectory {
  /** The archive's files by name. */
  entries: Map<string, ZipEntry>;
  /** Where the directory begins; every file ends before it. */
  start: number;
}

/** The largest directory that is read: ten thousand files with names of a hundred letters. */
const MAX_DIRECTORY_BYTES = 2 * 1024 * 1024;
const AGAIN = "it is cut short or damaged, copy or download it again";

/**
 * Reads the directory of an archive, with or without the 64-bit extension.
 *
 * @param maxFiles how many files it may list
 * @throws the source's failure if it is damaged, split, or lists more files
 */
export function readZip(source: Source, maxFiles = Infinity): ZipDirectory {
  const { start, size, count } = findDirectory(source);
  if (count > maxFiles) {
    throw fail(source, `it has ${count} files, at most ${maxFiles} are read`, "give fewer of them");
  }
  const bytes = source.read(start, size);
  const view = new DataView(bytes.buffer);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50) {
      throw fail(source, `its directory breaks off after ${index} of ${count} files`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32]
      .map((field) => view.getUint16(at + field, true));
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > size) throw fail(source, `its directory breaks off in file ${index + 1}`);
    const name = decodeName(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = new DataView(bytes.buffer, at + 46 + nameLength, extraLength);
    const entry = readEntry(source, name, new DataView(bytes.buffer, at, 46), extra);
    if (entries.has(name)) throw fail(source, `its directory lists ${quoted(name)} twice`);
    entries.set(name, entry);
    at = next;
  }
  return { entries, start };
}

/**
 * The bytes of a file inside an archive, checked against its CRC-32 if it has one.
 *
 * @throws the source's failure if they do not lie within the archive, are damaged or encrypted, or are
 * packed in a way that is not read
 */
export function readZipEntry(
  source: Source,
  directory: ZipDirectory,
  entry: ZipEntry,
  { maxInflated = 0, hint = "save it with torch.save, which does neither compress nor encrypt" }:
    ReadEntryOptions = {},
): Uint8Array<ArrayBuffer> {
  const { header, name, length, packed, crc, method, encrypted } = entry;
  const isStored = method === 0 && packed === length;
  const isInflatable = method === 8 && maxInflated > 0;
  if (encrypted || !(isStored || isInflatable)) {
    const how = encrypted ? "encrypted" : "compressed";
    throw fail(source, `${quoted(name)} is ${how} inside the archive`, hint);
  }
  if (!isStored && length > maxInflated) {
    const found = `${quoted(name)} has ${length} bytes, at most ${maxInflated} are read`;
    throw fail(source, found, "leave it out");
  }
  if (header + 30 > directory.start) throw fail(source, `${quoted(name)} lies past its files`);
  const local = new DataView(source.read(header, 30).buffer);
  if (local.getUint32(0, true) !== 0x04034b50) throw fail(source, `${quoted(name)} is not there`);
  const nameLength = local.getUint16(26, true);
  const begin = header + 30 + nameLength + local.getUint16(28, true);
  if (begin + packed > directory.start) {
    throw fail(source, `${quoted(name)} runs past the end of the archive's files`);
  }
  if (decodeName(source.read(header + 30, nameLength)) !== name) {
    throw fail(source, `${quoted(name)} has another name where its bytes are`);
  }
  const read = source.read(begin, packed);
  const bytes = isStored ? read : _inflated(source, read, entry);
  // PyTorch leaves it at 0 after `set_crc32_options(False)`.
  if (crc !== 0 && crc32(bytes) !== crc) {
    throw fail(source, `the checksum of ${quoted(name)} does not match`);
  }
  return bytes;
}

/** What {@linkcode readZipEntry} reads. */
export interface ReadEntryOptions {
  /**
   * How large a deflated file may become, in bytes.
   * @default 0, only stored files are read
   */
  maxInflated?: number;
  /** What to do about a file that is packed in a way that cannot be read. */
  hint?: string;
}

/** A deflated file's bytes, which never get longer than its directory says. */
function _inflated(
  source: Source,
  packed: Uint8Array,
  { name, length }: ZipEntry,
): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = plainBytes(inflateRawSync(packed, {
      maxOutputLength: Math.max(1, length),
      // In one piece: what zlib holds in many small ones is not given back to the system.
      chunkSize: Math.max(constants.Z_MIN_CHUNK, length),
    }));
  } catch (error) {
    throw fail(source, `${quoted(name)} cannot be inflated (${messageOf(error)})`);
  }
  if (bytes.length === length) return bytes;
  throw fail(source, `${quoted(name)} has ${bytes.length} bytes, its directory says ${length}`);
}

function fail(source: Source, found: string, hint = AGAIN): Error {
  return source.failure(found, hint);
}

function decodeName(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Finds where the central directory lies, and how many files it lists. */
function findDirectory(source: Source): { start: number; size: number; count: number } {
  // The end record is the last thing in the file but for a comment of at most 65535 bytes.
  const tailLength = Math.min(source.size, 22 + 0xffff);
  const tailStart = source.size - tailLength;
  const tail = new DataView(source.read(tailStart, tailLength).buffer);
  let at = tailLength - 22;
  while (at >= 0 && !isEndRecord(tail, at)) at--;
  if (at < 0) throw fail(source, "it starts as a zip archive but has no end record");
  let [disk, count, size, start] = [
    tail.getUint16(at + 4, true),
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  let end = tailStart + at;
  const locator = end >= 20 ? new DataView(source.read(end - 20, 20).buffer) : undefined;
  if (locator?.getUint32(0, true) === 0x07064b50) {
    end = safe(source, locator.getBigUint64(8, true));
    const record = new DataView(source.read(end, 56).buffer);
    if (record.getUint32(0, true) !== 0x06064b50) {
      throw fail(source, "its 64-bit end record is not where it should be");
    }
    disk = record.getUint32(16, true);
    [count, size, start] = [32, 40, 48].map((o) => safe(source, record.getBigUint64(o, true)));
  }
  if (disk !== 0) throw fail(source, "it is one part of a split archive");
  if (start + size > end) throw fail(source, "its directory runs into its end record");
  if (size > MAX_DIRECTORY_BYTES || count * 46 > size) {
    throw fail(source, `its directory claims ${count} files in ${size} bytes`);
  }
  return { start, size, count };
}

/** True where an end record starts whose comment reaches exactly to the end of the file. */
function isEndRecord(tail: DataView, at: number): boolean {
  return tail.getUint32(at, true) === 0x06054b50 &&
    at + 22 + tail.getUint16(at + 20, true) === tail.byteLength;
}

function readEntry(source: Source, name: string, view: DataView, extra: DataView): ZipEntry {
  const sizes = [view.getUint32(20, true), view.getUint32(24, true), view.getUint32(42, true)];
  const [packed, length, header] = widen(source, name, sizes, extra);
  return {
    ...{ name, length, packed, header },
    crc: view.getUint32(16, true),
    method: view.getUint16(10, true),
    encrypted: (view.getUint16(8, true) & 1) !== 0,
  };
}

/** Replaces each size that is all ones by the next 64-bit number of the extra field 1. */
function widen(source: Source, name: string, sizes: number[], extra: DataView): number[] {
  if (!sizes.includes(0xffffffff)) return sizes;
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const [id, length] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)];
    at += 4;
    const end = at + length;
    if (id === 1 && end <= extra.byteLength) {
      const wide = sizes.map((size) => {
        if (size !== 0xffffffff || at + 8 > end) return size;
        at += 8;
        return safe(source, extra.getBigUint64(at - 8, true));
      });
      if (!wide.includes(0xffffffff)) return wide;
    }
    at = end;
  }
  throw fail(source, `the 64-bit sizes of ${quoted(name)} are missing`);
}

function safe(source: Source, value: bigint): number {
  if (value > BigInt(source.size)) throw fail(source, `it claims an offset of byte ${value}`);
  return Number(value);
}

/** PyTorch lets the bytes of each file begin at a multiple of this, so that they can be mapped. */
const ALIGNMENT = 64;

/**
 * The bytes of a zip archive, as chunks in order: stored, without dates, each file's bytes at a
 * multiple of 64.
 *
 * @param files content by name
 * @throws {RangeError} beyond 4 GiB or 65535 files
 */
export function encodeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const nameBytes = new TextEncoder().encode(name);
    const unpadded = at + 30 + nameBytes.length + 4;
    const padding = (ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT;
    const shared = sharedFields(content, nameBytes.length);
    const local = new Uint8Array(unpadded + padding - at);
    const localView = new DataView(local.buffer);
    localView.setUint32(0, 0x04034b50, true);
    local.set(shared, 4);
    localView.setUint16(28, 4 + padding, true);
    local.set(nameBytes, 30);
    // The padding is an extra field of its own, under the mark 'FB' that PyTorch gives it.
    local.set([0x46, 0x42], 30 + nameBytes.length);
    localView.setUint16(32 + nameBytes.length, padding, true);
    const central = new Uint8Array(46 + nameBytes.length);
    const centralView = new DataView(central.buffer);
    centralView.setUint32(0, 0x02014b50, true);
    central.set(shared, 6);
    centralView.setUint32(42, at, true);
    central.set(nameBytes, 46);
    directory.push(central);
    chunks.push(local, content);
    at += local.length + content.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  if (at + size >= 0xffffffff || files.size >= 0xffff) {
    throw new RangeError(`${files.size} files in ${at} bytes are too many for a plain zip archive`);
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  for (const field of [8, 10]) end.setUint16(field, files.size, true);
  end.setUint32(12, size, true);
  end.setUint32(16, at, true);
  return [...chunks, ...directory, new Uint8Array(end.buffer)];
}

/** The 22 bytes that a local header and a directory record have in common, version to name length. */
function sharedFields(content: Uint8Array, nameLength: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint16(0, 20, true);
  view.setUint16(2, 0x0800, true); // names are UTF-8
  view.setUint16(8, 0x0021, true); // 1 January 1980, the first day the format knows
  view.setUint32(10, crc32(content), true);
  view.setUint32(14, content.length, true);
  view.setUint32(18, content.length, true);
  view.setUint16(22, nameLength, true);
  return new Uint8Array(view.buffer);
}
