/** Animated GIF files. */
import untyped from "npm:gifenc@1.0.3";
import { concat } from "../bytes.ts";
import type { Picture } from "./png.ts";

/** A colour: red, green, blue. */
type Color = [number, number, number];

/** What is used of gifenc, which comes without types. */
interface Gifenc {
  quantize(rgba: Uint8Array, most: number, options: { format: "rgb565" }): Color[];
  applyPalette(rgba: Uint8Array, palette: Color[], format: "rgb565"): Uint8Array;
  GIFEncoder(): {
    writeFrame(
      indices: Uint8Array,
      width: number,
      height: number,
      options: { palette?: Color[]; delay: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  };
}

// Deno takes the package for CommonJS, whose exports are one value.
const { GIFEncoder, applyPalette, quantize } = untyped as unknown as Gifenc;

/** About how many pixels of all frames together the palette is chosen from. */
const SAMPLED = 200_000;

/**
 * The bytes of a GIF that repeats for ever. All frames share one palette of 256 colours, so that what
 * does not change between frames does not flicker.
 *
 * @param frames of one size
 * @param milliseconds how long each is shown; GIF knows hundredths of a second
 */
export function encodeGif(frames: readonly Picture[], milliseconds: number): Uint8Array {
  const palette = quantize(_sample(frames), 256, { format: "rgb565" });
  const encoder = GIFEncoder();
  frames.forEach(({ width, height, data }, index) => {
    const indices = applyPalette(_withAlpha(data, 1), palette, "rgb565");
    // Only the first takes the palette: a frame that brings one keeps it as its own copy.
    const options = index === 0 ? { palette, delay: milliseconds } : { delay: milliseconds };
    encoder.writeFrame(indices, width, height, options);
  });
  encoder.finish();
  return encoder.bytes();
}

function _sample(frames: readonly Picture[]): Uint8Array {
  const pixels = frames.reduce((sum, { data }) => sum + data.length / 3, 0);
  // A prime step, so that the pixels do not line up with the rows.
  const step = [1, 2, 3, 5, 7, 11, 17, 23, 31, 47, 61, 97].find((step) => pixels / step <= SAMPLED);
  return concat(frames.map(({ data }) => _withAlpha(data, step ?? 127)));
}

/** Every `step`-th pixel, with the fourth byte that gifenc wants. */
function _withAlpha(rgb: Uint8Array, step: number): Uint8Array {
  const count = Math.ceil(rgb.length / 3 / step);
  const rgba = new Uint8Array(count * 4).fill(255);
  for (let pixel = 0; pixel < count; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgba[4 * pixel + channel] = rgb[3 * step * pixel + channel];
    }
  }
  return rgba;
}
