/**
 * Convolution, forward and with respect to its input: both are a convolution of an image that has its
 * border of zeros in memory.
 *
 * The numbers under a row of the filter, columns times channels, lie one after the other in the image. So
 * the convolution is a matrix product without any rearranging: for each output pixel, runs of
 * `columns · channels` numbers against as many rows of the filter.
 */
import type { Tiles } from "../gpu.ts";
import type { KernelLaunch } from "../kernel.ts";
import type { Convolution } from "./convolution_base.ts";
import { convolutionInRegisters } from "./convolution_registers.ts";
import { convolutionInSharedMemory } from "./convolution_shared.ts";

/**
 * The kernel of a convolution.
 *
 * Bindings: `step`; `selected` if it runs over those; `x`, of the input's grid; `filters`,
 * `[size, filterRow, output channels]`; `bias`, a number an output channel, or `activation`, of its
 * own grid and numbered by slice, as `epilogue` wants; `y`, of the output's grid; with `partialSums` also
 * `partials`, `[partial sums, items, height, width, output channels]`.
 */
export function convolution(conv: Convolution, tiles: Tiles): KernelLaunch {
  return tiles === "registers" ? convolutionInRegisters(conv) : convolutionInSharedMemory(conv);
}
