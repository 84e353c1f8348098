/**
 * Where a convolution's pixels are read and written: the tables of the kernel `convolve`.
 */
import type { Size } from "./memory_map.ts";

/** How many pixels the kernel computes at once. */
const TILE = 6;

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
  const table = new Int32Array(Math.ceil(count / TILE) * TILE * 2);
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
  return table.length / 2 / TILE;
}
