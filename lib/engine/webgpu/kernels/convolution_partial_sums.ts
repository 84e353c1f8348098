/**
 * A convolution whose terms are split into partial sums, as in a split-K matrix product. It is for exams
 * with too few tiles to keep a GPU busy: two slices make some forty, and a card has room for hundreds at
 * a time. A second pass adds the partial sums from the first to the last and runs the epilogue.
 *
 * How many there are depends on the number of slices alone, so the same exam gives the same bits.
 */
import { vectorOf } from "../grid.ts";
import { elementKernel, ELEMENTS } from "../element_kernel.ts";
import type { Tiles } from "../gpu.ts";
import { type KernelLaunch, vectors, type Workgroups } from "../kernel.ts";
import { ITEMS } from "../selected_slices.ts";
import { convolution } from "./convolution.ts";
import { convolutionBindings, convolutionFunctions, writeSums } from "./convolution_base.ts";
import type { Convolution } from "./convolution_base.ts";
import { tileDepth } from "./convolution_shared.ts";
import { TILE } from "./shared_product.ts";

/** How many workgroups keep a GPU busy; chosen, not measured. */
const ENOUGH = 512;
/** The least turns of a partial sum: what begins and ends it has to be little beside them. */
const MIN_TURNS = 8;

/** Numbers in the buffer of the partial sums, which are fewer than 2 · {@linkcode ENOUGH} tiles. */
export const PARTIAL_SUM_NUMBERS = 2 * ENOUGH * TILE * TILE;

/**
 * The kernels of a convolution, to be run one after the other. There is one if nothing is split, else
 * there are two: the partial sums and their sum.
 *
 * Bindings as those of {@linkcode convolution}; if there are two kernels, `partials` besides, of
 * {@linkcode PARTIAL_SUM_NUMBERS}.
 */
export function splitConvolution(conv: Convolution, tiles: Tiles): KernelLaunch[] {
  const partialSums = tiles === "shared" ? _partialSums(conv) : undefined;
  if (partialSums === undefined) return [convolution(conv, tiles)];
  return [convolution({ ...conv, partialSums }, tiles), sumConvolution({ ...conv, partialSums })];
}

/** How many partial sums, by the number of slices; `undefined` if there is never more than one. */
function _partialSums({ size, filterRow, output }: Convolution): Convolution["partialSums"] {
  const most = Math.floor(size * filterRow / tileDepth(filterRow) / MIN_TURNS);
  if (most < 2) return undefined;
  return (slices) => {
    const across = Math.ceil(slices * output.height * output.width / TILE);
    return Math.min(most, Math.ceil(ENOUGH / (across * output.channels / TILE)));
  };
}

/**
 * Adds the partial sums and runs the epilogue. It has nothing to do if there is only one: then the
 * products' kernel has run the epilogue.
 *
 * There is a layer of workgroups for each partial sum: so the kernel knows how many there are.
 */
export function sumConvolution(
  conv: Convolution & Required<Pick<Convolution, "partialSums">>,
): KernelLaunch {
  const { label, output, items, partialSums } = conv;
  const channels = output.channels / 4;
  const pixels = output.height * output.width;
  const sum = elementKernel({
    label: `${label}, sum`,
    bindings: convolutionBindings(conv)
      .filter(({ name }) => name !== "x" && name !== "filters")
      .map((each) => each.name === "partials" ? vectors("partials", "read") : each),
    count: pixels * channels,
    items,
    functions: convolutionFunctions(conv),
    body: `let stride = ${ITEMS[items].count} * ${pixels * channels}u;
  var sum = partials[index];
  for (var k = 1u; k < groups.z; k++) { sum += partials[k * stride + index]; }
  ${vectorOf(output, "item")}
  ${writeSums(conv, "column", ["sum"])}`,
  });
  const workgroups = (slices: number): Workgroups => {
    const count = partialSums(slices);
    if (count === 1) return [0];
    return [Math.ceil(slices * pixels * channels / ELEMENTS / count), 1, count];
  };
  return { ...sum, workgroups };
}
