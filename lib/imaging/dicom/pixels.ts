/** The stored values of a DICOM file's frames, whatever way they are coded. */
import { messageOf } from "../../errors.ts";
import { refused } from "./dataset.ts";
import type { CompressedCoding, FrameDecoder } from "./decoder.ts";
import { encapsulatedFrames } from "./encapsulated.ts";
import type { PixelLayout, PixelLocation } from "./header.ts";
import { unpackRle } from "./rle.ts";
import { streamSize } from "./stream_size.ts";
import type { PixelCoding } from "./transfer_syntax.ts";

/** The values of a frame as they are stored, rows one after the other. */
export type StoredPixels = Int8Array | Uint8Array | Int16Array | Uint16Array;

/** Whose pixels are read. */
export interface PixelSource {
  /** The file, inflated if it was deflated. */
  bytes: Uint8Array;
  layout: PixelLayout;
  pixels: PixelLocation;
  /** The file's name, for messages. */
  file: string;
  /**
   * The frames to read, counted from 0.
   * @default all
   */
  wanted?: ReadonlySet<number>;
}

/**
 * Reads frames.
 *
 * @returns the values of each frame, at its number
 * @throws {DataError} if there are fewer pixels than the header says, or they cannot be decoded
 */
export async function readPixels(
  { bytes, layout, pixels, file, wanted }: PixelSource,
  decoder: FrameDecoder,
): Promise<StoredPixels[]> {
  const { coding } = layout.syntax;
  const frames: StoredPixels[] = [];
  try {
    const stored = coding === "native"
      ? _nativeFrames(bytes, pixels, layout)
      : encapsulatedFrames(bytes, pixels, layout.frames);
    for (const [index, frame] of stored.entries()) {
      if (wanted !== undefined && !wanted.has(index)) continue;
      frames[index] = _values(await _unpacked(coding, frame, layout, decoder), layout);
    }
    return frames;
  } catch (error) {
    throw refused(file, messageOf(error), "send the file again from where it came, or convert it");
  }
}

/** A frame's bytes as bytes of their own, which may be changed and are aligned. */
async function _unpacked(
  coding: PixelCoding,
  frame: Uint8Array,
  layout: PixelLayout,
  decoder: FrameDecoder,
): Promise<Uint8Array<ArrayBuffer>> {
  if (coding === "native") return new Uint8Array(frame);
  if (coding !== "rle") return await _decode(coding, frame, layout, decoder);
  return unpackRle(frame, layout.rows * layout.columns, layout.bitsAllocated / 8);
}

/** The frames of pixels that are not compressed. */
function _nativeFrames(
  bytes: Uint8Array,
  { offset, length, isEncapsulated }: PixelLocation,
  layout: PixelLayout,
): Uint8Array[] {
  if (isEncapsulated) throw new Error("its pixels are compressed, its header says not");
  const size = layout.rows * layout.columns * layout.bitsAllocated / 8;
  const there = Math.min(length, bytes.length - offset);
  if (there < size * layout.frames) {
    throw new Error(`its pixels are cut off: ${there} bytes of ${size * layout.frames}`);
  }
  return Array.from({ length: layout.frames }, (_, index) => {
    const begin = offset + index * size;
    return bytes.subarray(begin, begin + size);
  });
}

async function _decode(
  coding: CompressedCoding,
  frame: Uint8Array,
  layout: PixelLayout,
  decoder: FrameDecoder,
): Promise<Uint8Array<ArrayBuffer>> {
  const { rows, columns } = layout;
  const said = streamSize(coding, frame);
  _mustFit(said, layout);
  const decoded = await decoder.decode(coding, new Uint8Array(frame), rows * columns);
  _mustFit(decoded, layout);
  const bytesPerValue = decoded.bits <= 8 ? 1 : 2;
  if (decoded.bytes.length !== rows * columns * bytesPerValue) {
    throw new Error(`it decodes to ${decoded.bytes.length} bytes for ${rows}×${columns} pixels`);
  }
  if (bytesPerValue * 8 === layout.bitsAllocated) return decoded.bytes;
  return new Uint8Array(Uint16Array.from(decoded.bytes).buffer);
}

/** What the frame says of itself must be what the file's header says of it. */
function _mustFit(
  said: { rows: number; columns: number; samples: number; bits: number },
  { rows, columns, bitsAllocated }: PixelLayout,
): void {
  if (said.rows !== rows || said.columns !== columns || said.samples !== 1) {
    throw new Error(
      `the compressed frame is ${said.rows}×${said.columns} with ${said.samples} values a pixel, ` +
        `the header says ${rows}×${columns} with 1`,
    );
  }
  if (said.bits > bitsAllocated) {
    throw new Error(
      `the compressed frame has ${said.bits} bits a pixel, the header ${bitsAllocated}`,
    );
  }
}

/**
 * Bytes as values: turned round if the file is big endian, and without the bits that are not part of
 * the value, which may hold anything.
 */
function _values(bytes: Uint8Array<ArrayBuffer>, layout: PixelLayout): StoredPixels {
  const { bitsAllocated, bitsStored, signed } = layout;
  const unused = bitsAllocated - bitsStored;
  if (bitsAllocated === 8) {
    if (unused > 0) { for (let i = 0; i < bytes.length; i++) bytes[i] <<= unused; }
    const values = signed ? new Int8Array(bytes.buffer) : bytes;
    return unused > 0 ? values.map((value) => value >> unused) : values;
  }
  const words = new Uint16Array(bytes.buffer);
  if (layout.syntax.bigEndian) {
    for (let i = 0; i < words.length; i++) words[i] = (words[i] << 8) | (words[i] >> 8);
  }
  if (unused > 0) { for (let i = 0; i < words.length; i++) words[i] <<= unused; }
  const values = signed ? new Int16Array(bytes.buffer) : words;
  if (unused > 0) { for (let i = 0; i < values.length; i++) values[i] >>= unused; }
  return values;
}
