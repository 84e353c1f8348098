/** The filters in the layouts of the convolutions, made anew after each step. */
import { elementKernel } from "../element_kernel.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";

/** A square filter, `[size, size, inChannels, outChannels]`. */
export interface Filter {
  label: string;
  size: number;
  inChannels: number;
  outChannels: number;
}

/** How the first convolution's filters lie once they are summed. */
export interface FoldedFilters {
  /** Numbers in a row, whole vectors. */
  filterRow: number;
  /**
   * Whether the image lies in blocks of 2×2 pixels, as `prepareInput` writes it; then so do the filters.
   * @default false
   */
  blocks?: boolean;
}

/** Rows of folded filters. */
export function foldedRows(size: number, { blocks }: FoldedFilters): number {
  return blocks ? Math.ceil(size / 2) : size;
}

/**
 * The first convolution's filters, summed over the three input channels. Those channels are equal, so it
 * is the same function with a third of the products. Its rows are filled up with zeros to whole vectors.
 *
 * Bindings: `filters`, `[size, size, 3, channels]`; `folded`, `[rows, filterRow, channels]`.
 */
export function foldFilters(
  { label, size, outChannels }: Filter,
  folded: FoldedFilters,
): KernelLaunch {
  const { filterRow, blocks } = folded;
  const channels = outChannels / 4;
  const count = foldedRows(size, folded) * filterRow * channels;
  const [column, row] = [
    `index / ${channels}u % ${filterRow}u`,
    `index / ${channels * filterRow}u`,
  ];
  return elementKernel({
    label: `${label}, fold`,
    bindings: [vectors("filters", "read"), vectors("folded", "write")],
    count,
    body: `let channel = index % ${channels}u;
  ${
      blocks
        ? `let at = ${column};
  let column = at / 4u * 2u + at % 2u;
  let row = ${row} * 2u + at % 4u / 2u;`
        : `let column = ${column};
  let row = ${row};`
    }
  let origin = (row * ${size}u + column) * ${3 * channels}u + channel;
  var sum = vec4<f32>();
  if (column < ${size}u${blocks ? ` && row < ${size}u` : ""}) {
    sum = filters[origin] + filters[origin + ${channels}u] + filters[origin + ${2 * channels}u];
  }
  folded[index] = sum;`,
  });
}

/**
 * The filters of a convolution's input gradient: rotated by 180°, input and output channels exchanged.
 *
 * Bindings: `filters`, `[size, size, inChannels, outChannels]`; `rotated`,
 * `[size, size, outChannels, inChannels]`.
 */
export function rotateFilters180({ label, size, inChannels, outChannels }: Filter): KernelLaunch {
  // A thread moves four by four channels, so that it reads and writes whole vectors.
  const [inVectors, outVectors] = [inChannels / 4, outChannels / 4];
  const count = size * size * inVectors * outVectors;
  const column = (component: string) =>
    `vec4<f32>(r0.${component}, r1.${component}, r2.${component}, r3.${component})`;
  return elementKernel({
    label: `${label}, rotation`,
    bindings: [vectors("filters", "read"), vectors("rotated", "write")],
    count,
    body: `let out_channel = index % ${outVectors}u;
  let in_channel = index / ${outVectors}u % ${inVectors}u;
  let tap = index / ${inVectors * outVectors}u;
  let origin = (tap * ${inChannels}u + in_channel * 4u) * ${outVectors}u + out_channel;
  let r0 = filters[origin];
  let r1 = filters[origin + ${outVectors}u];
  let r2 = filters[origin + ${2 * outVectors}u];
  let r3 = filters[origin + ${3 * outVectors}u];
  let to = ((${size * size - 1}u - tap) * ${outChannels}u + out_channel * 4u) * ${inVectors}u
    + in_channel;
  rotated[to] = ${column("x")};
  rotated[to + ${inVectors}u] = ${column("y")};
  rotated[to + ${2 * inVectors}u] = ${column("z")};
  rotated[to + ${3 * inVectors}u] = ${column("w")};`,
  });
}
