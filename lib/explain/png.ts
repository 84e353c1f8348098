/** PNG files. */
import { encode } from "npm:fast-png@8.0.0";

/** A picture in memory. */
export interface Picture {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** `[height, width, 3]`: red, green and blue of sRGB. */
  data: Uint8Array;
}

/**
 * The bytes of a PNG file, 8 bits a channel.
 *
 * @param text what the file says about itself, under PNG's keywords such as `Title`; Latin letters
 */
export function encodePng(
  { width, height, data }: Picture,
  text: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encode({ width, height, data, channels: 3, depth: 8, text: { ...text } });
}
