/**
 * The gradient of a convolution with respect to its filter: for each tap of the filter, the image
 * under it times the gradient of the output, summed over all pixels of all selected slices.
 *
 * As a matrix product it has few outputs and very many terms, so the terms are split into partial sums.
 * A second pass adds those (`partial_sums.ts`), always in the same order: the same bits every time, which
 * atomic additions would not give.
 */
import type { Tiles } from "../gpu.ts";
import type { KernelLaunch } from "../kernel.ts";
import type { FilterGradient } from "./filter_gradient_base.ts";
import { filterGradientInRegisters } from "./filter_gradient_registers.ts";
import { filterGradientInSharedMemory } from "./filter_gradient_shared.ts";

/**
 * Into how many partial sums to split, so that every core has work. A GPU has hundreds of cores, each of
 * which wants several workgroups; a processor has a few.
 */
export function choosePartialSums(
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
 * Bindings: `selected`; `x`, of the input's grid; `dy`, of the output's grid; `partials`,
 * `[partial sums, (size · filterRow + 1) · output channels]`, whose last row it leaves alone.
 */
export function filterGradient(gradient: FilterGradient, tiles: Tiles): KernelLaunch {
  return tiles === "registers"
    ? filterGradientInRegisters(gradient)
    : filterGradientInSharedMemory(gradient);
}
