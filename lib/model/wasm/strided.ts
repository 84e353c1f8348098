/**
 * The input gradient of a convolution that Winograd's algorithm does not compute.
 *
 * With a stride the pixels of the input fall into classes: those of a class are `stride` pixels apart, and
 * see the same taps of the filters. So each class is a convolution of the output's gradient of its own,
 * with some of the taps in reverse order.
 */
import type { Size } from "../../network/sizes.ts";
import type { LayerLayout } from "./parameters.ts";

/** The pixels of the input that see the same taps, along one axis. */
interface Residue {
  /** The first of them. */
  first: number;
  /** How many they are. */
  count: number;
  /** The taps, last to first: as many outputs that follow one another see the pixel through them. */
  taps: number[];
  /** Of the first pixel, which output sees it through the first of these taps; may be in the border. */
  output: number;
}

/** The pixels of the input that see the same taps. */
export interface PixelClass {
  rows: Residue;
  columns: Residue;
  /** How many taps the classes ahead have. */
  tapsAhead: number;
}

/** The classes of a layer's input that see any tap. */
export function pixelClasses(
  { size, stride, padding }: Pick<LayerLayout, "size" | "stride" | "padding">,
  { height, width }: Size,
): PixelClass[] {
  const along = (length: number): Residue[] =>
    Array.from({ length: Math.min(stride, length) }, (_, first) => {
      const all = Array.from({ length: size }, (_, tap) => size - 1 - tap);
      const taps = all.filter((tap) => (first + padding - tap) % stride === 0);
      const output = (first + padding - taps[0]) / stride;
      return { first, count: Math.ceil((length - first) / stride), taps, output };
    }).filter(({ taps }) => taps.length > 0);
  const classes: PixelClass[] = [];
  let tapsAhead = 0;
  for (const rows of along(height)) {
    for (const columns of along(width)) {
      classes.push({ rows, columns, tapsAhead });
      tapsAhead += rows.taps.length * columns.taps.length;
    }
  }
  return classes;
}

/** Whether every pixel of the input sees a tap. */
export function seesAll({ size, stride }: Pick<LayerLayout, "size" | "stride">): boolean {
  return size >= stride;
}
