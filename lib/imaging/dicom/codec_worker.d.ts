import type { PixelCoding } from "./transfer_syntax.ts";

/** The ways of coding that need a decoder of somebody else's. */
export type CompressedCoding = Exclude<PixelCoding, "native" | "rle">;

/** A frame as its decoder gives it. */
export interface DecodedFrame {
  /** Values of 1 byte each up to 8 bits, else of 2, least significant first. */
  bytes: Uint8Array<ArrayBuffer>;
  rows: number;
  columns: number;
  bits: number;
  samples: number;
}

/**
 * Decodes a frame in this thread.
 *
 * @throws {Error} if the decoder does; it may also never return
 */
export function decodeFrame(
  coding: CompressedCoding,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<DecodedFrame>;
