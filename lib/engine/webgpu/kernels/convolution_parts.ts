/**
 * A convolution whose terms are split into parts, where there are too few tiles to keep a GPU busy: two
 * slices make some forty, and a card has room for hundreds at a time. A second pass adds the parts from
 * the first to the last, and finishes the sums.
 *
 * Into how many depends on the number of slices alone, so the same exam gives the same bits.
 *
 * @module
 */
import type { Tiles } from "../gpu.ts";
import { ELEMENTS, elementwise, type KernelLaunch } from "../kernel.ts";
import { ITEMS } from "../winners.ts";
import { convolution } from "./convolution.ts";
import {
  type Convolution,
  convolutionBindings,
  convolutionStart,
  writeSums,
} from "./convolution_base.ts";
import { tileDepth } from "./convolution_shared.ts";
import { TILE } from "./shared_product.ts";

/** Workgroups that are thought enough; chosen, not measured. */
const ENOUGH = 512;
/** The least turns of a part: what begins and ends a part has to be little beside them. */
const MIN_TURNS = 8;

/** Numbers in the buffer of the parts: there are fewer than twice {@linkcode ENOUGH} tiles of them. */
export const PARTS_NUMBERS = 2 * ENOUGH * TILE * TILE;

/**
 * The kernels of a convolution, to be run one after the other: one, or the products in parts and their
 * sum.
 *
 * Bindings as those of {@linkcode convolution}; where there are two, `parts` besides, of
 * {@linkcode PARTS_NUMBERS}.
 */
export function convolutionInParts(conv: Convolution, tiles: Tiles): KernelLaunch[] {
  const parts = tiles === "shared" ? _parts(conv) : undefined;
  if (parts === undefined) return [convolution(conv, tiles)];
  return [convolution({ ...conv, parts }, tiles), sumConvolution({ ...conv, parts })];
}

/** Into how many parts for so many slices; `undefined` where there is never more than one. */
function _parts({ size, filterRow, output }: Convolution): Convolution["parts"] {
  const most = Math.floor(size * filterRow / tileDepth(filterRow) / MIN_TURNS);
  if (most < 2) return undefined;
  return (slices) => {
    const across = Math.ceil(slices * output.height * output.width / TILE);
    return Math.min(most, Math.ceil(ENOUGH / (across * output.channels / TILE)));
  };
}

/**
 * Adds the parts and finishes the sums; nothing where there is but one part, which was finished by the
 * products' kernel.
 *
 * There is a layer of workgroups for each part, which is how the kernel knows how many there are.
 */
export function sumConvolution(
  conv: Convolution & Required<Pick<Convolution, "parts">>,
): KernelLaunch {
  const { label, output, items, parts } = conv;
  const channels = output.channels / 4;
  const pixels = output.height * output.width;
  const code = `${convolutionStart(conv)}
${
    elementwise(
      `${ITEMS[items].count} * ${pixels * channels}u`,
      `
  let part_size = ${ITEMS[items].count} * ${pixels * channels}u;
  var sum = parts[index];
  for (var part = 1u; part < groups.z; part++) { sum += parts[part * part_size + index]; }
  let channel = index % ${channels}u;
  let column = index / ${channels}u % ${output.width}u;
  let row = index / ${channels * output.width}u % ${output.height}u;
  let item = index / ${channels * pixels}u;
  ${writeSums(conv, "column", ["sum"])}`,
    )
  }`;
  const bindings = convolutionBindings(conv)
    .filter(({ name }) => name !== "x" && name !== "filters")
    .map((binding) => binding.name === "parts" ? { ...binding, access: "read" as const } : binding);
  return {
    kernel: { label: `${label}, sum`, bindings, code },
    workgroups: (slices) => {
      const count = parts(slices);
      if (count === 1) return [0];
      return [Math.ceil(slices * pixels * channels / ELEMENTS / count), 1, count];
    },
  };
}
