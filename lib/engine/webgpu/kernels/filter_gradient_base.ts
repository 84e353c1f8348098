/**
 * What every form of a filter gradient has in common: its description, its bindings and its size.
 */
import type { Grid } from "../grid.ts";
import { type Kernel, vectors } from "../kernel.ts";
import { imageVectors } from "../precision.ts";
import { SELECTED_LIST } from "../selected_slices.ts";

/** The filter gradient of a convolution. */
export interface FilterGradient {
  label: string;
  /** The convolution's input, border included; numbered by slice. */
  input: Grid;
  /** The gradient of its output; numbered by selected slice. */
  output: Grid;
  /** Rows of the filter. */
  size: number;
  /** Numbers in a row of the filter, whole vectors. */
  filterRow: number;
  stride: number;
  /**
   * By how much the input's border is wider than the convolution's padding.
   * @default 0
   */
  inset?: number;
  /** Into how many partial sums the sum is split. */
  partialSums: number;
}

/** Numbers in a partial sum: the filter's gradient, then the bias's. */
export function partialSumSize({ size, filterRow, output }: FilterGradient): number {
  return (size * filterRow + 1) * output.channels;
}

/** The multiply-adds of a filter gradient, by the number of slices, if all of them are selected. */
export function filterGradientMultiplyAdds({ size, filterRow, output }: FilterGradient) {
  const { height, width, channels } = output;
  return (slices: number) => slices * height * width * channels * size * filterRow;
}

/** The bindings of a filter gradient, in either form. */
export function filterGradientBindings({ input }: FilterGradient): Kernel["bindings"] {
  return [
    SELECTED_LIST,
    imageVectors("x", "read", input),
    vectors("dy", "read"),
    vectors("partials", "write"),
  ];
}
