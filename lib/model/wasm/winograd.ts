/** Convolutions by Winograd's algorithm, as calls of the kernels in `winograd.ts`. */
import type { Choice } from "../../engine/wasm/program.ts";
import type { Size } from "../../network/sizes.ts";
import { LANES, type LayerLayout } from "./parameters.ts";
import type { Bordered } from "./shapes.ts";
import type { ThreadWriter } from "./thread_writer.ts";
import { productsOf, productStride, tilesOver, type Tiling } from "./tiling.ts";

/** A convolution as products of transformed tiles with transformed filters. */
export interface Product {
  inputs: number;
  outputs: number;
  tiling: Tiling;
  /** Address of the transformed filters. */
  filters: number;
  /** Address of the biases; 0 for none. */
  bias: number;
  /** Whether values below 0 become 0. */
  relu: boolean;
}

/** The products of a layer. */
export function forwardProduct({ setting }: ThreadWriter, index: number): Product {
  const { layout: { layers }, fixed: { transformed, biases } } = setting;
  const { inputs, outputs, relu, shortcut } = layers[index];
  return {
    ...{ inputs, outputs, tiling: tilingAt(layers, index), filters: transformed[index] },
    ...{ bias: biases[index], relu: relu && shortcut === undefined },
  };
}

/** The products of a layer's input gradient. */
export function gradientProduct({ setting }: ThreadWriter, index: number): Product {
  const { layout: { layers }, fixed: { rotatedTransformed } } = setting;
  const { inputs, outputs } = layers[index];
  return {
    ...{ inputs: outputs, outputs: inputs, tiling: tilingAt(layers, index) },
    ...{ filters: rotatedTransformed[index], bias: 0, relu: false },
  };
}

/** The tiling of a layer that has one. */
function tilingAt(layers: readonly LayerLayout[], index: number): Tiling {
  return layers[index].tiling!;
}

/** Transforms the filters of one panel, which this thread has packed. */
export function transformPanel(
  writer: ThreadWriter,
  { inputs, outputs, tiling, filters }: Product,
  panel: number,
  packed: number,
): void {
  writer.program.call(`transformFilters${tiling.side}`, {
    weights: packed,
    out: filters + panel * LANES * inputs * 4,
    stride: productStride(inputs, outputs),
    inputs,
    temp: writer.scratch.temp,
  });
}

/** Tiles of slices that are multiplied together: some of one slice's. */
interface TileRun {
  slice: number;
  /** The first tile, and how many. */
  from: number;
  count: number;
  /** How many tiles of other slices are ahead of them. */
  at: number;
}

/** The tiles of slices that have `perSlice` each, as many as are multiplied at once together. */
export function* tileRuns(
  slices: number,
  perSlice: number,
  atOnce: number,
): Generator<{ tiles: number; runs: TileRun[] }> {
  for (let first = 0; first < slices * perSlice; first += atOnce) {
    const end = Math.min(first + atOnce, slices * perSlice);
    const runs: TileRun[] = [];
    for (let tile = first; tile < end;) {
      const [slice, from] = [Math.floor(tile / perSlice), tile % perSlice];
      const count = Math.min(perSlice - from, end - tile);
      runs.push({ slice, from, count, at: tile - first });
      tile += count;
    }
    yield { tiles: end - first, runs };
  }
}

/**
 * Transforms tiles of a channels-last image, in memory with its border.
 *
 * @param of which slice's image it is, if only the run can tell
 */
export function transformTiles(
  { program, scratch: { tilesIn, temp } }: ThreadWriter,
  tiling: Tiling,
  { x, like, across }: { x: number; like: Bordered; across: number },
  { from, count, at }: TileRun,
  of?: Choice<"x">,
): void {
  const { height, width, border, channels } = like;
  const name = `transformImage${tiling.side}` as const;
  const args = {
    ...{ x, rows: height + 2 * border, columns: width + 2 * border, channels },
    ...{ across, from, count },
    out: tilesIn + at * channels * 4,
    stride: productStride(tiling.atOnce, channels),
    temp,
  };
  if (of === undefined) program.call(name, args);
  else program.callOf(name, of, args);
}

/**
 * One convolution of several slices by Winograd's algorithm.
 *
 * @param slices where each one's input begins, its border included, and where its output begins
 * @param like the input
 * @param output its height, width and bytes in a row
 */
export function winogradConvolution(
  writer: ThreadWriter,
  product: Product,
  slices: readonly { x: number; out: number }[],
  like: Bordered,
  { height, width, pitch }: Size & { pitch: number },
): void {
  const { tilesIn, tilesOut, temp } = writer.scratch;
  const { inputs, outputs, tiling, filters, bias, relu } = product;
  const { atOnce } = tiling;
  const { program } = writer;
  const across = Math.ceil(width / tiling.outputs);
  const [strideIn, strideOut] = [inputs, outputs].map((each) => productStride(atOnce, each));
  const perSlice = tilesOver({ height, width }, tiling);
  for (const { tiles, runs } of tileRuns(slices.length, perSlice, atOnce)) {
    for (const run of runs) {
      transformTiles(writer, tiling, { x: slices[run.slice].x, like, across }, run);
    }
    program.call("multiplyTransformed", {
      products: productsOf(tiling),
      tiles,
      image: tilesIn,
      imageStride: strideIn,
      filters,
      filterStride: productStride(inputs, outputs),
      out: tilesOut,
      outStride: strideOut,
      panels: outputs / LANES,
      inputs,
    });
    for (const { slice, from, count, at } of runs) {
      program.call(`transformBack${tiling.side}`, {
        products: tilesOut + at * outputs * 4,
        stride: strideOut,
        bias,
        relu: Number(relu),
        ...{ out: slices[slice].out, pitch, height, width, channels: outputs },
        ...{ across, from, count, temp },
      });
    }
  }
}
