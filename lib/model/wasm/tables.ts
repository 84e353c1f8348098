/** Where a convolution's pixels are read and written: the tables of the kernel `convolve`. */
import type { Size } from "../../network/sizes.ts";
import type { LayerLayout } from "./parameters.ts";
import type { LayerShape } from "./shapes.ts";
import { pixelClasses } from "./strided.ts";

/** How many pixels the kernel computes at once. */
export const PIXELS_AT_ONCE = 6;

/** Where a table lies, and how many tiles it has. */
export interface Table {
  /** Byte address. */
  at: number;
  /** How many tiles. */
  tiles: number;
}

/** The tables in memory, first layer to last. */
export interface Tables {
  /** Of each layer that Winograd's algorithm does not compute. */
  forward: (Table | undefined)[];
  /** Of the input gradients of those in panels: one of each class of pixels. */
  classes: Table[][];
}

/** Bytes between rows and between columns. */
export interface Strides {
  /** From a row to the next. */
  pitch: number;
  /** From a column to the next. */
  step: number;
}

/**
 * Byte offsets of each output pixel, into the input and into the output.
 *
 * @param size the output's
 * @param from strides of what two neighbouring output pixels see of the input
 * @param to strides of the output
 */
export function pixelTable({ height, width }: Size, from: Strides, to: Strides): Int32Array {
  const count = height * width;
  const table = new Int32Array(Math.ceil(count / PIXELS_AT_ONCE) * PIXELS_AT_ONCE * 2);
  for (let index = 0; index < table.length / 2; index++) {
    const pixel = Math.min(index, count - 1);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    table[2 * index] = row * from.pitch + column * from.step;
    table[2 * index + 1] = row * to.pitch + column * to.step;
  }
  return table;
}

/** How many tiles a table has. */
export function tilesOf(table: Int32Array): number {
  return table.length / 2 / PIXELS_AT_ONCE;
}

/**
 * Makes the tables of all layers.
 *
 * @param lay finds memory for a table
 */
export function layTables(
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
  lay: (table: Int32Array) => Table,
): Tables {
  const strided = (stride: number, { pitch, step }: Strides) => ({
    pitch: stride * pitch,
    step: stride * step,
  });
  return {
    forward: layers.map(({ stride, pool, tiling }, index) => {
      if (tiling) return undefined;
      const { input, convolved, output } = shapes[index];
      return lay(pixelTable(convolved, strided(stride, input), pool ? convolved : output));
    }),
    classes: layers.map((layer, index) => {
      const { order, tiling, source, stride } = layer;
      if (order !== "panels" || tiling) return [];
      const { input, output } = shapes[index];
      const to = strided(stride, shapes[source].gradient);
      return pixelClasses(layer, input).map(({ rows, columns }) =>
        lay(pixelTable({ height: rows.count, width: columns.count }, output, to))
      );
    }),
  };
}
