/** Convolutions by Winograd's algorithm, as calls of the kernels in `winograd.ts`. */
import type { Size } from "../../network/sizes.ts";
import { TILES_AT_ONCE } from "./memory_map.ts";
import { LANES } from "./parameters.ts";
import type { Bordered } from "./shapes.ts";
import { PIXELS_AT_ONCE, type Table } from "./tables.ts";
import type { ThreadWriter } from "./thread_writer.ts";

/** Rows and columns of a tile. */
const TILE = 6;

/** A convolution as products of transformed tiles with transformed filters. */
export interface Product {
  inputs: number;
  outputs: number;
  /** Height and width of the filters. */
  size: number;
  /** Address of the transformed filters. */
  filters: number;
  table: Table;
  /** Address of the biases; 0 for none. */
  bias: number;
  /** Whether values below 0 become 0. */
  relu: boolean;
}

/** The products of a layer. */
export function forwardProduct({ setting }: ThreadWriter, index: number): Product {
  const { layout: { layers }, fixed: { transformed, biases }, tables } = setting;
  const { inputs, outputs, size, relu, shortcut } = layers[index];
  return {
    ...{ inputs, outputs, size, filters: transformed[index], table: tables.forward[index] },
    ...{ bias: biases[index], relu: relu && shortcut === undefined },
  };
}

/** The products of a layer's input gradient. */
export function gradientProduct({ setting }: ThreadWriter, index: number): Product {
  const { layout: { layers }, fixed: { rotatedTransformed }, tables } = setting;
  const { inputs, outputs, size } = layers[index];
  return {
    ...{ inputs: outputs, outputs: inputs, size },
    ...{ filters: rotatedTransformed[index], table: tables.back[index]!, bias: 0, relu: false },
  };
}

/** How many outputs a tile has, along each axis, with filters of this size. */
export function tileOutputs({ size }: { size: number }): number {
  return TILE + 1 - size;
}

/** How many tiles an output has. */
export function tilesOver({ height, width }: Size, side: number): number {
  return Math.ceil(width / side) * Math.ceil(height / side);
}

/** Transforms the filters of one panel, which this thread has packed. */
export function transformPanel(
  writer: ThreadWriter,
  { inputs, outputs, size, filters }: Product,
  panel: number,
  packed: number,
): void {
  writer.program.call("transformFilters", {
    weights: packed,
    out: filters + panel * LANES * inputs * 4,
    stride: 4 * inputs * outputs,
    inputs,
    side: size,
    temp: writer.scratch.temp,
  });
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
  const { inputs, outputs, filters, table, bias, relu } = product;
  const { program } = writer;
  const side = tileOutputs(product);
  const across = Math.ceil(width / side);
  const perSlice = tilesOver({ height, width }, side);
  const rows = like.height + 2 * like.border;
  const columns = like.width + 2 * like.border;
  const [strideIn, strideOut] = [inputs, outputs].map((each) => 4 * each * TILES_AT_ONCE);
  for (let first = 0; first < slices.length * perSlice; first += TILES_AT_ONCE) {
    const end = Math.min(first + TILES_AT_ONCE, slices.length * perSlice);
    // The tiles of each slice that are among these.
    const runs: { slice: number; from: number; count: number; at: number }[] = [];
    for (let tile = first; tile < end;) {
      const [slice, from] = [Math.floor(tile / perSlice), tile % perSlice];
      const count = Math.min(perSlice - from, end - tile);
      runs.push({ slice, from, count, at: tile - first });
      tile += count;
    }
    for (const { slice, from, count, at } of runs) {
      program.call("transformImage", {
        ...{ x: slices[slice].x, rows, columns, channels: inputs },
        ...{ across, from, count, side },
        out: tilesIn + at * inputs * 4,
        stride: strideIn,
        temp,
      });
    }
    program.call("multiplyTransformed", {
      table: table.at,
      tiles: Math.ceil((end - first) / PIXELS_AT_ONCE),
      image: tilesIn,
      imageStride: strideIn,
      filters,
      filterStride: 4 * inputs * outputs,
      out: tilesOut,
      outStride: strideOut,
      panels: outputs / LANES,
      inputs,
      block: inputs,
    });
    for (const { slice, from, count, at } of runs) {
      program.call("transformBack", {
        products: tilesOut + at * outputs * 4,
        stride: strideOut,
        bias,
        relu: Number(relu),
        ...{ out: slices[slice].out, pitch, height, width, channels: outputs },
        ...{ across, from, count, side },
        temp,
      });
    }
  }
}
