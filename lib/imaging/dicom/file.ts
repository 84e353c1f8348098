/**
 * A DICOM file: its header first, for all files of a folder, and its pixels when they are needed.
 */
import { parseDicom, type ParseOptions } from "./dataset.ts";
import type { FrameDecoder } from "./decoder.ts";
import { type InstanceHeader, readHeader } from "./header.ts";
import { readPixels, type StoredPixels } from "./pixels.ts";

/** How a file is read. */
export interface ReadDicomOptions extends Pick<ParseOptions, "maxInflated"> {
  /** The frames whose pixels are read; all by default. */
  wanted?: ReadonlySet<number>;
}

/**
 * Reads a file's header.
 *
 * @param bytes the whole file
 * @param file its name, for messages
 * @throws {DataError} if it is no DICOM file with grey pixels, or is damaged
 */
export async function readDicomHeader(
  bytes: Uint8Array,
  file: string,
  { maxInflated }: ReadDicomOptions = {},
): Promise<InstanceHeader> {
  return readHeader(await parseDicom(bytes, { file, headerOnly: true, maxInflated }), file);
}

/**
 * Reads the stored values of a file's frames.
 *
 * @param bytes the whole file
 * @param decoder for what is compressed
 * @returns the values of each frame, at its number
 * @throws {DataError} if they are cut off, or cannot be decoded
 */
export async function readDicomPixels(
  bytes: Uint8Array,
  { file, layout }: InstanceHeader,
  decoder: FrameDecoder,
  { maxInflated, wanted }: ReadDicomOptions = {},
): Promise<StoredPixels[]> {
  const data = await parseDicom(bytes, { file, maxInflated });
  return await readPixels({ data, layout, file, wanted }, decoder);
}
