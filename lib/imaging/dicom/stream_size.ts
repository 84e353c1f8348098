/**
 * What a compressed frame says of itself, read before it is decoded: a decoder believes it, and makes
 * room for 65,535 rows where the file's header has 256.
 */
import type { CompressedCoding } from "./decoder.ts";

/** A frame's size as its own header has it. */
export interface StreamSize {
  rows: number;
  columns: number;
  samples: number;
  /** Bits of a value. */
  bits: number;
}

/**
 * Reads a frame's own size, and whether its end is there: some decoders take a frame that is cut off
 * for a whole one, with zeros for what is missing.
 *
 * @throws {Error} if the frame is not of this coding or is cut off; the message says what was found
 */
export function streamSize(coding: CompressedCoding, frame: Uint8Array): StreamSize {
  // All end with the same two bytes. Writers let zeros or ones follow, so that the length is even.
  let end = frame.length;
  while (end > 0 && (frame[end - 1] === 0 || frame[end - 1] === 0xff)) end--;
  if (end < 4 || frame[end - 2] !== 0xff || frame[end - 1] !== 0xd9) {
    throw new Error("the compressed frame is cut off: its end marker is missing");
  }
  const size = coding === "jpeg-2000" ? _jpeg2000(frame) : _jpeg(frame);
  if (coding === "jpeg" && size.bits > 8) {
    throw new Error(`JPEG with loss and ${size.bits} bits a pixel is not read`);
  }
  return size;
}

/** ISO 15444-1, annex A.5.1: the codestream begins with SOC and SIZ. */
function _jpeg2000(frame: Uint8Array): StreamSize {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 46 || view.getUint32(0) !== 0xff4fff51) {
    throw new Error("the frame does not begin as a JPEG 2000 codestream does");
  }
  return {
    columns: view.getUint32(8) - view.getUint32(16),
    rows: view.getUint32(12) - view.getUint32(20),
    samples: view.getUint16(40),
    bits: (frame[42] & 0x7f) + 1,
  };
}

/** ITU T.81, annex B: markers with a length each, up to the one that begins a frame, SOF. */
function _jpeg(frame: Uint8Array): StreamSize {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(0) !== 0xffd8) throw new Error("the frame does not begin as a JPEG does");
  let at = 2;
  while (at + 10 <= frame.length && frame[at] === 0xff) {
    const marker = frame[at + 1];
    if (marker === 0xff) at++;
    else if (_startsFrame(marker)) {
      return {
        bits: frame[at + 4],
        rows: view.getUint16(at + 5),
        columns: view.getUint16(at + 7),
        samples: frame[at + 9],
      };
    } else at += 2 + view.getUint16(at + 2);
  }
  throw new Error("the JPEG frame does not say how large it is");
}

/** SOF of T.81, all but DHT, JPG and DAC which lie among them, and that of JPEG-LS (T.87). */
function _startsFrame(marker: number): boolean {
  if (marker === 0xf7) return true;
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
