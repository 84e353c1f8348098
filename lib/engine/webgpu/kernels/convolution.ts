/**
 * Convolution, forward and with respect to its input: both are a convolution of an image that has its
 * border of zeros in memory.
 *
 * For each row of the filter, the numbers under it lie one after the other in the image (columns times
 * channels), so the convolution is a matrix product without any rearranging: for each output pixel,
 * rows of `kernel · channels` numbers against as many rows of the filter.
 *
 * @module
 */
import type { Tiles } from "../gpu.ts";
import type { KernelLaunch } from "../kernel.ts";
import type { Convolution } from "./convolution_base.ts";
import { convolutionInRegisters } from "./convolution_registers.ts";
import { convolutionInSharedMemory } from "./convolution_shared.ts";

/**
 * The kernel of a convolution.
 *
 * Bindings: `step`; `winners` where it runs over winners; `x`, of the input's grid; `filters`,
 * `[size, filterRow, output channels]`; `bias`, a number an output channel, or `activation`, of its
 * own grid and numbered by slice, as `epilogue` wants; `y`, of the output's grid; with `parts` a buffer of
 * that name, `[parts, items, height, width, output channels]`.
 */
export function convolution(conv: Convolution, tiles: Tiles): KernelLaunch {
  return tiles === "registers" ? convolutionInRegisters(conv) : convolutionInSharedMemory(conv);
}
