/**
 * TensorFlow's record files: a row of byte strings, each with its length and two checksums.
 *
 * A record is the length (uint64), the checksum of the length, the data and the checksum of the data,
 * all little-endian; see tensorflow/core/lib/io/record_writer.h.
 */

const HEAD_BYTES = 12;
const TAIL_BYTES = 4;

/** The record that holds these bytes. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEAD_BYTES + data.length + TAIL_BYTES);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, HEAD_BYTES);
  view.setUint32(HEAD_BYTES + data.length, maskedCrc(data), true);
  return record;
}

/** The checksum of a record: the mask keeps that of data that holds checksums from degenerating. */
export function maskedCrc(bytes: Uint8Array): number {
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
