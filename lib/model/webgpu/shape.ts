/** A network's layers for one size of slice, as the kernels want them. */
import { type Grid, grid } from "../../engine/webgpu/grid.ts";
import { foldedRows } from "../../engine/webgpu/kernels/filter_layouts.ts";
import type { Precision } from "../../engine/webgpu/precision.ts";
import { type Layer, layersOf } from "../../network/layers.ts";
import { IMAGE, type MaxPool, type Network } from "../../network/network.ts";
import { type Size, windowsOver } from "../../network/sizes.ts";

/** A convolution with what follows it: an addition, a ReLU, a pool. */
export interface LayerShape {
  /** What it is called in messages and timings, such as `conv1`. */
  label: string;
  /** The index of the layer that it reads, or {@linkcode IMAGE}. */
  source: number;
  /** The index of the layer whose output is added ahead of the ReLU. */
  shortcut?: number;
  relu: boolean;
  /** Whether its filters and bias are folded from those of a batch normalisation. */
  batchNorm: boolean;
  /** Rows and columns of the filter. */
  filterSize: number;
  /** Rows of the filter that is computed with. */
  size: number;
  /** Of the filter that is computed with. */
  stride: number;
  padding: number;
  /** By how much the input's border is wider than the padding. */
  inset: number;
  /** Input channels of the filter; the first layer's three are computed as one. */
  filterChannels: number;
  /** Numbers in a row of the filter that is computed with. */
  filterRow: number;
  /** The image that the first layer reads, before its pixels lie in blocks; see {@linkcode Blocks}. */
  image?: Grid & Blocks;
  /** Its input, with the border that it wants or a wider one. */
  input: Grid;
  /** Its output, with the border that the pool or the next layers want. */
  output: Grid;
  /** The gradient of its output, with the border that its input gradient wants or a wider one. */
  gradient: Grid;
  /** The index of the layer whose output's gradient is the same image: its own, or the one that adds it. */
  gradientOf: number;
  /** The same with zeros between the pixels, if the convolution has a stride and an input gradient. */
  dilated?: Grid;
  /** The pool behind it. */
  pool?: MaxPool;
  /** The output of the pool, with the border that the next layers want; the last one's is not kept. */
  pooled?: Grid;
  /** Whether Winograd's algorithm computes it and its input gradient. */
  winograd: boolean;
}

/**
 * How the first layer's image lies. Convolutions read vectors of four numbers. A grey image's stride of
 * four pixels is one; one of two pixels is none. So there the image lies in blocks of 2×2 pixels, and the
 * convolution has half the rows and columns of four channels each.
 */
export interface Blocks {
  blocks: boolean;
}

/** How the layers are computed. */
export interface LayerOptions {
  /** How the activations are stored; gradients are in single precision in any case. */
  precision: Precision;
  /** Whether Winograd's algorithm computes the layers that it can. */
  winograd: boolean;
}

/** The layers for slices of this size, first to last; the last one's pool is left to the head. */
export function layerShapes(
  network: Network,
  slice: Size,
  { precision, winograd }: LayerOptions,
): LayerShape[] {
  const layers = layersOf(network);
  const half = precision === "half";
  const shapes: LayerShape[] = [];
  layers.forEach((layer, index) => {
    const { source, shortcut, relu, pool } = layer;
    const { size: filterSize, stride, padding, inputs, outputs, batchNorm } = layer.convolution;
    const first = source === IMAGE ? _firstLayer(slice, layer) : undefined;
    const input = first?.input ?? shapes[source].pooled ?? shapes[source].output;
    const { height, width } = windowsOver(source === IMAGE ? slice : input, layer.convolution);
    const last = index === layers.length - 1;
    // What the convolutions want that read the layer's output, or the output of its pool.
    const wanted = Math.max(
      0,
      ..._readers(layers, index).map(({ convolution }) => convolution.padding),
    );
    const border = pool === undefined ? wanted : pool.padding;
    const output = { ...grid(height, width, outputs, border), half };
    const over = pool && windowsOver(output, pool);
    shapes.push({
      ...{
        label: `conv${index + 1}`,
        source,
        shortcut,
        relu,
        pool,
        filterSize,
        padding,
        input,
        output,
      },
      ...{ size: filterSize, stride, filterRow: filterSize * inputs, ...first },
      inset: first === undefined ? input.border - padding : 0,
      batchNorm: batchNorm !== undefined,
      filterChannels: inputs,
      gradient: grid(height, width, outputs, _gradientBorder(layers, index, border)),
      gradientOf: index,
      dilated: source === IMAGE || stride === 1
        ? undefined
        : _dilated(input, output, { size: filterSize, stride, padding }),
      pooled: over && !last
        ? { ...grid(over.height, over.width, outputs, wanted), half }
        : undefined,
      winograd: winograd && filterSize === 3 && stride === 1,
    });
    if (shortcut !== undefined && _sharesGradient(layers, shortcut)) {
      const { gradient } = shapes[index];
      Object.assign(shapes[shortcut], { gradient, gradientOf: index });
    }
  });
  return shapes;
}

/** The layers whose convolutions read a layer's output. */
function _readers(layers: readonly Layer[], index: number): Layer[] {
  return layers.filter(({ source }) => source === index);
}

/** One grey channel, and the first convolution as it is computed on it. */
function _firstLayer({ height, width }: Size, { convolution }: Layer) {
  const { size, stride, padding } = convolution;
  const blocks = stride % 4 !== 0;
  if (blocks && stride !== 2) {
    throw new Error(`Cannot compute a first stride of ${stride} on WebGPU`);
  }
  const bordered = grid(height, width, 1, padding);
  if (!blocks) {
    const image = { ...bordered, columns: Math.ceil(bordered.columns / 4) * 4, blocks };
    return { image, input: image, size, stride, filterRow: Math.ceil(size / 4) * 4 };
  }
  const filterRow = 4 * Math.ceil(size / 2);
  const rows = foldedRows(size, { filterRow, blocks });
  const windows = windowsOver({ height, width }, convolution);
  // The filter's last row and column, which are zeros if its size is odd, lie beyond the border.
  const [down, across] = [windows.height, windows.width].map((count) => count + rows - 1);
  const image = { ...bordered, rows: 2 * down, columns: 2 * across, blocks };
  return { image, input: grid(down, across, 4), size: rows, stride: 1, filterRow };
}

/** The border of the gradient of a layer's output. */
function _gradientBorder(layers: readonly Layer[], index: number, outputBorder: number): number {
  const { source, convolution: { size, stride, padding }, shortcut } = layers[index];
  // The gradient lies in the memory of the output, whose border has to stay zero.
  if (source === IMAGE) return outputBorder;
  const own = stride === 1 ? size - 1 - padding : 0;
  // Where the shortcut's gradient is the same image, it has the wider border of the two.
  if (shortcut === undefined || !_sharesGradient(layers, shortcut)) return own;
  return Math.max(own, _gradientBorder(layers, shortcut, 0));
}

/**
 * Whether the gradient of a layer's output is that of the layer that adds it: nothing else reads the
 * output, and nothing lies between.
 */
function _sharesGradient(layers: readonly Layer[], index: number): boolean {
  const { relu, pool } = layers[index];
  return !relu && pool === undefined && layers.every(({ source }) => source !== index);
}

/** The gradient of a strided convolution's output with zeros between its pixels. */
function _dilated(
  input: Grid,
  { height, width, channels }: Grid,
  { size, stride, padding }: { size: number; stride: number; padding: number },
): Grid {
  return {
    height: (height - 1) * stride + 1,
    width: (width - 1) * stride + 1,
    channels,
    border: size - 1 - padding,
    rows: input.height + size - 1,
    columns: input.width + size - 1,
  };
}
