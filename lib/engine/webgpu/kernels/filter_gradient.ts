/**
 * The gradient of a convolution with respect to its filter: for each place of the filter, the image
 * under it times the gradient of the output, summed over all pixels of all winning slices.
 *
 * As a matrix product it has few outputs and very many terms, so the terms are split into parts that
 * are summed in a second pass (`sum_parts.ts`), always in the same order: the same bits every time,
 * which atomic additions would not give.
 *
 * @module
 */
import type { Grid } from "../grid.ts";
import type { Tiles } from "../gpu.ts";
import { type Kernel, type Sized, vectors } from "../kernel.ts";
import { imageVectors } from "../precision.ts";
import { winnersBinding } from "../winners.ts";
import { filterGradientInRegisters } from "./filter_gradient_registers.ts";
import { filterGradientInSharedMemory } from "./filter_gradient_shared.ts";

/** The filter gradient of a convolution. */
export interface FilterGradient {
  label: string;
  /** The convolution's input, border included; numbered by slice. */
  input: Grid;
  /** The gradient of its output; numbered by winner. */
  output: Grid;
  /** Rows of the filter. */
  size: number;
  /** Numbers in a row of the filter, whole vectors. */
  filterRow: number;
  stride: number;
  /** Into how many parts the sum is split. */
  parts: number;
}

/** Numbers in a part: the filter's gradient, then the bias's. */
export function partSize({ size, filterRow, output }: FilterGradient): number {
  return (size * filterRow + 1) * output.channels;
}

/**
 * Into how many parts to split, so that every core has work: a GPU has hundreds, each of which wants
 * several workgroups; a processor has a few.
 */
export function chooseParts(
  tiles: Tiles,
  size: number,
  filterRow: number,
  channels: number,
): number {
  const outputs = size * filterRow * channels;
  const groups = tiles === "registers" ? outputs / (8 * 256) : outputs / (64 * 64);
  const [wanted, most] = tiles === "registers" ? [32, 64] : [1024, 256];
  return Math.max(1, Math.min(most, Math.ceil(wanted / groups)));
}

/**
 * The kernel of a filter gradient.
 *
 * Bindings: `winners`; `x`, of the input's grid; `dy`, of the output's grid; `parts`,
 * `[parts, (size · filterRow + 1) · output channels]`, whose last row it leaves alone.
 */
export function filterGradient(gradient: FilterGradient, tiles: Tiles): Sized {
  return tiles === "registers"
    ? filterGradientInRegisters(gradient)
    : filterGradientInSharedMemory(gradient);
}

/** The multiply-adds of a filter gradient, by the number of slices, if all of them win. */
export function filterGradientWork({ size, filterRow, output }: FilterGradient) {
  const { height, width, channels } = output;
  return (slices: number) => slices * height * width * channels * size * filterRow;
}

/** The bindings of a filter gradient, in either form. */
export function filterGradientBindings({ input }: FilterGradient): Kernel["bindings"] {
  return [
    winnersBinding("read"),
    imageVectors("x", "read", input),
    vectors("dy", "read"),
    vectors("parts", "write"),
  ];
}
