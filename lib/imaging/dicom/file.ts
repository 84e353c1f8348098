/**
 * A DICOM file: its header first, for all files of a folder, and its pixels when they are needed. What
 * is parsed is the header alone; it says where the pixels lie.
 */
import { inflateDicom, parseDicom, type ParseOptions, refused } from "./dataset.ts";
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
 * @param bytes the file, or its beginning with all of the header
 * @param file its name, for messages
 * @throws {DataError} if it is no DICOM file with grey pixels, or is damaged
 */
export async function readDicomHeader(
  bytes: Uint8Array,
  file: string,
  { maxInflated }: ReadDicomOptions = {},
): Promise<InstanceHeader> {
  return readHeader(await parseDicom(bytes, { file, maxInflated }), file);
}

/**
 * Reads the stored values of a file's frames.
 *
 * @param bytes the whole file, from which the header was read
 * @param decoder for what is compressed
 * @returns the values of each frame, at its number
 * @throws {DataError} if they are cut off, or cannot be decoded, or the file is another by now
 */
export async function readDicomPixels(
  bytes: Uint8Array,
  header: InstanceHeader,
  decoder: FrameDecoder,
  { maxInflated, wanted }: ReadDicomOptions = {},
): Promise<StoredPixels[]> {
  const source = { ...header, bytes: pixelFile(bytes, header, { maxInflated }), wanted };
  return await readPixels(source, decoder);
}

/**
 * The file in which the header says where the pixels lie: the inflated one if it is deflated.
 *
 * @throws {DataError} if its pixels do not begin there, since the file is another by now
 */
export function pixelFile(
  bytes: Uint8Array,
  { file, pixels: { offset, deflatedFrom } }: InstanceHeader,
  { maxInflated }: Pick<ParseOptions, "maxInflated"> = {},
): Uint8Array {
  const whole = deflatedFrom === undefined
    ? bytes
    : inflateDicom(bytes, deflatedFrom, { file, maxInflated });
  // The element's tag, in either order of bytes, before a length of 4 bytes, or of 8 with the kind.
  const begins = [8, 12].some((before) =>
    /^(224,127,16,0|127,224,0,16)$/.test(
      whole.subarray(offset - before, offset - before + 4).join(),
    )
  );
  if (begins) return whole;
  throw refused(file, "it changed while it was read", "try again");
}
