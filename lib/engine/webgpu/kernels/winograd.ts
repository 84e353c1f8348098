/**
 * A convolution of 3×3 by Winograd's algorithm: 4×4 outputs take 36 multiplications instead of 144, and
 * additions before and after them.
 *
 * Tiles of 6×6 of the image, and the filters, are transformed to 36 points. Each point is a product of
 * matrices of its own. The products are transformed back. The interpolation points are 0, ±1, ±2 and
 * infinity. The rounding is two to four times that of the direct sum (docs/performance_webgpu.md).
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016.
 */
import { elementKernel } from "../element_kernel.ts";
import { type Grid, grid } from "../grid.ts";
import type { Tiles } from "../gpu.ts";
import { type Binding, type KernelLaunch, lines, vectors } from "../kernel.ts";
import { imageVectors, load } from "../precision.ts";
import { ITEMS } from "../selected_slices.ts";
import { convolution } from "./convolution.ts";
import { convolutionBindings, convolutionFunctions, writeSums } from "./convolution_base.ts";
import type { Convolution } from "./convolution_base.ts";
import type { Filter } from "./filter_layouts.ts";

/** Products of a tile, 6×6. */
export const POINTS = 36;
/** Outputs along each side of a tile. */
const SIDE = 4;

/** What transforms a column of an image, of a filter and of products. */
const IMAGE = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
];
const FILTER = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
];
const BACK = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
];

/** Tiles of an image. */
export function tilesOf({ height, width }: Pick<Grid, "height" | "width">): number {
  return Math.ceil(height / SIDE) * Math.ceil(width / SIDE);
}

/**
 * The filters at the 36 points; to be made anew when they have changed.
 *
 * Bindings: `filters`, `[3, 3, inChannels, outChannels]`; `transformed`,
 * `[36, inChannels, outChannels]`.
 */
export function transformFilters({ label, inChannels, outChannels }: Filter): KernelLaunch {
  const count = inChannels * outChannels / 4;
  return elementKernel({
    label: `${label}, transform`,
    bindings: [vectors("filters", "read"), vectors("transformed", "write")],
    count,
    body: _transform(
      FILTER,
      (row, column) => `filters[index + ${(row * 3 + column) * count}u]`,
      (row, column, sum) => `transformed[index + ${(row * 6 + column) * count}u] = ${sum};`,
    ),
  });
}

/** The three kernels of a convolution, to be run one after the other. */
export interface WinogradConvolution {
  /**
   * Bindings: `step`; `selected` if it runs over those; `x`, of the input's grid; `points`,
   * `[36, items, tiles, input channels]`.
   */
  image: KernelLaunch;
  /**
   * Bindings: `step`; `selected` likewise; `x`, the points; `filters`, as {@linkcode transformFilters}
   * wrote them; `y`, `[36, items, tiles, output channels]`.
   */
  products: KernelLaunch;
  /** Bindings as those of {@linkcode convolution}, without `filters`; `x` is the products. */
  back: KernelLaunch;
}

/** A convolution of 3×3 with stride 1 in three kernels: what {@linkcode convolution} does in one. */
export function winogradConvolution(conv: Convolution, tiles: Tiles): WinogradConvolution {
  const { label, input, output, items } = conv;
  const points = (channels: number) => grid(1, tilesOf(output), channels);
  const products = convolution({
    label: `${label}, products`,
    input: points(input.channels),
    output: points(output.channels),
    size: 1,
    filterRow: input.channels,
    stride: 1,
    items,
    epilogue: "none",
    points: POINTS,
  }, tiles);
  return { image: _image(conv), products, back: _back(conv) };
}

function _image(conv: Convolution): KernelLaunch {
  const { label, input, output, items } = conv;
  const channels = input.channels / 4;
  const one = tilesOf(output) * channels;
  return elementKernel({
    label: `${label}, image`,
    bindings: [..._items(conv), imageVectors("x", "read", input), vectors("points", "write")],
    count: one,
    items,
    body: `${_tile(output, channels)}
  let origin = (item * ${input.rows}u + row) * ${input.columns * channels}u
    + column * ${channels}u + channel;
  let stride = ${ITEMS[items].count} * ${one}u;
  ${
      _transform(
        IMAGE,
        // Beyond the last row and column of the border a tile is filled up with zeros.
        (r, c) => {
          const inside = `row + ${r}u < ${input.rows}u && column + ${c}u < ${input.columns}u`;
          const value = load(input, "x", `origin + ${(r * input.columns + c) * channels}u`);
          return `select(vec4<f32>(), ${value}, ${inside})`;
        },
        (r, c, sum) => `points[index + ${r * 6 + c}u * stride] = ${sum};`,
      )
    }`,
  });
}

function _back(conv: Convolution): KernelLaunch {
  const { label, input, output, items } = conv;
  const channels = output.channels / 4;
  const one = tilesOf(output) * channels;
  return elementKernel({
    label: `${label}, back`,
    bindings: convolutionBindings({ ...conv, input: { ...input, half: false } })
      .filter(({ name }) => name !== "filters"),
    count: one,
    items,
    functions: convolutionFunctions(conv),
    body: `let stride = ${ITEMS[items].count} * ${one}u;
  ${_tile(output, channels)}
  ${
      _transform(
        BACK,
        (r, c) => `x[index + ${r * 6 + c}u * stride]`,
        (r, c, sum) =>
          `if (row + ${r}u < ${output.height}u && column + ${c}u < ${output.width}u) {
    ${writeSums(conv, `column + ${c}u`, [sum], { row: `row + ${r}u` })}
  }`,
      )
    }`,
  });
}

function _items(conv: Convolution): Binding[] {
  return convolutionBindings(conv).filter(({ name }) => name === "step" || name === "selected");
}

/** From `index` to item, channel and the tile's first row and column. */
function _tile({ height, width }: Grid, channels: number): string {
  const across = Math.ceil(width / SIDE);
  const down = Math.ceil(height / SIDE);
  return `let channel = index % ${channels}u;
  let column = index / ${channels}u % ${across}u * ${SIDE}u;
  let row = index / ${channels * across}u % ${down}u * ${SIDE}u;
  let item = index / ${channels * across * down}u;`;
}

/**
 * `M · x · Mᵀ`, unrolled. It reads column by column and writes row by row: so no more than the 36 sums
 * between the two have to be held at a time.
 *
 * @param read an expression of WGSL
 * @param write a statement that is given the sum
 */
function _transform(
  matrix: readonly number[][],
  read: (row: number, column: number) => string,
  write: (row: number, column: number, sum: string) => string,
): string {
  const [to, from] = [matrix.length, matrix[0].length];
  return [
    lines(from, (column) =>
      [
        lines(from, (row) => `let x${row}_${column} = ${read(row, column)};`),
        lines(to, (row) => {
          const sum = _sum(matrix[row], (k) => `x${k}_${column}`);
          return `let t${row}_${column} = ${sum};`;
        }),
      ].join("\n")),
    lines(to, (row) =>
      lines(to, (column) => {
        const sum = _sum(matrix[column], (k) => `t${row}_${k}`);
        return `let z${row}_${column} = ${sum};\n${write(row, column, `z${row}_${column}`)}`;
      })),
  ].join("\n");
}

/** A sum of multiples, as short as it can be written. */
function _sum(factors: readonly number[], name: (index: number) => string): string {
  const terms = factors.map((factor, index) => {
    if (factor === 0) return "";
    const size = Math.abs(factor);
    const sign = factor < 0 ? "-" : "+";
    return `${sign} ${size === 1 ? "" : `${size} * `}${name(index)}`;
  });
  return terms.filter((term) => term !== "").join(" ").replace(/^\+ /, "").replace(/^- /, "-");
}
