/**
 * TensorFlow's record files: a row of byte strings, each with its length and two checksums.
 *
 * A record is the length (uint64), the checksum of the length, the data and the checksum of the data,
 * all little-endian; see tensorflow/core/lib/io/record_writer.h.
 *
 * @module
 */
import { DataError } from "../errors.ts";

const HEAD_BYTES = 12;
const TAIL_BYTES = 4;

/** The record that holds these bytes. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEAD_BYTES + data.length + TAIL_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, _maskedCrc(record.subarray(0, 8)), true);
  record.set(data, HEAD_BYTES);
  view.setUint32(HEAD_BYTES + data.length, _maskedCrc(data), true);
  return record;
}

/**
 * The data of each record of a file, as views of its bytes.
 *
 * A last record that breaks off, as a killed run leaves it, is passed over, as in TensorBoard.
 *
 * @param bytes the whole file
 * @param name the file's path as the user knows it, for messages
 * @throws {DataError} if a checksum does not match
 */
export function* decodeRecords(bytes: Uint8Array, name: string): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    if (view.getUint32(at + 8, true) !== _maskedCrc(bytes.subarray(at, at + 8))) {
      throw _damaged(name, `the length of the record at byte ${at} does not match its checksum`);
    }
    const start = at + HEAD_BYTES;
    const end = start + Number(view.getBigUint64(at, true));
    if (end + TAIL_BYTES > bytes.length) return;
    const data = bytes.subarray(start, end);
    if (view.getUint32(end, true) !== _maskedCrc(data)) {
      throw _damaged(name, `the record at byte ${at} does not match its checksum`);
    }
    yield data;
    at = end + TAIL_BYTES;
  }
}

function _damaged(name: string, found: string): DataError {
  return new DataError(
    `Cannot read the records of '${name}': ${found}: copy it again or remove it`,
  );
}

/** The mask keeps the checksum of data that holds checksums itself from degenerating. */
function _maskedCrc(bytes: Uint8Array): number {
  const crc = _crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** What each byte does to the check. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

/** The cyclic redundancy check of Castagnoli et al. (1993), as in RFC 3720. */
function _crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[at]) & 0xff];
  }
  return (crc ^ 0xffffffff) >>> 0;
}
