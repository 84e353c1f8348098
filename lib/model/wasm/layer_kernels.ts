/** Which of a network's layers the processor's kernels compute, and how. */
import type { Layer } from "../../network/layers.ts";
import { IMAGE } from "../../network/network.ts";
import { type Tiling, tilingOf } from "./tiling.ts";

/** How a layer is computed. */
export interface LayerKernels {
  /** The order its filters are kept in. */
  readonly order: "first" | "filters" | "panels";
  /** The tiles in which Winograd's algorithm computes it and its gradients; else it is computed directly. */
  readonly tiling?: Tiling;
  /** Pixels around its output: what the layers that read it and its own gradient reach into. */
  readonly border: number;
}

/** The most rows and columns of the first layer's filters. */
const MAX_FIRST_SIZE = 12;

/**
 * How the kernels compute a layer and its gradients; `undefined` if they do not.
 *
 * @param length rows and columns that its convolution's output has of a slice of usual size
 */
export function howComputed(
  layers: readonly Layer[],
  index: number,
  length: number,
): LayerKernels | undefined {
  const { source, shortcut, pool, relu, convolution } = layers[index];
  const { batchNorm, inputs, outputs, size, padding } = convolution;
  if (outputs % 8 !== 0 || shortcut === IMAGE || padding >= size) return undefined;
  const border = _border(layers, index);
  const tiling = source !== IMAGE && _isWinograd(layers, index)
    ? tilingOf(size, length)
    : undefined;
  if (pool === undefined) {
    // Tiles and panels of the input channels.
    const dense = source !== IMAGE && inputs % 8 === 0 &&
      (relu || joinedBy(layers, index) !== undefined);
    return dense ? { order: "panels", tiling, border } : undefined;
  }
  const { stride, padding: edge } = pool;
  if (pool.size !== 3 || stride !== 2 || edge > 1 || !relu || shortcut !== undefined) {
    return undefined;
  }
  // Where a pool has a padding, nothing else may use the memory of the convolution's output.
  if (edge > 0 && layers.some(({ pool }, other) => pool && other !== index)) return undefined;
  if (source === IMAGE) {
    const known = index === 0 && inputs === 3 && size <= MAX_FIRST_SIZE;
    return known ? { order: "first", border } : undefined;
  }
  if (tiling === undefined || batchNorm !== undefined) return undefined;
  // Of the last layer's gradient a slice has the channels whose maximum it is: few. Its input's gradient is
  // that of one output, whose border it fills.
  if (index + 1 < layers.length) {
    return edge === 0 && inputs % 8 === 0 ? { order: "panels", tiling, border } : undefined;
  }
  const alone = readersOf(layers, source).length === 1 && addersOf(layers, source).length === 0;
  return alone && size * inputs % 32 === 0 ? { order: "filters", tiling, border } : undefined;
}

/**
 * The layer that adds the output of another one which has no ReLU, and which nothing else reads. So both
 * outputs have the same gradient.
 */
export function joinedBy(
  layers: readonly Pick<Layer, "source" | "shortcut" | "relu">[],
  index: number,
): number | undefined {
  if (layers[index].relu || readersOf(layers, index).length > 0) return undefined;
  const adders = addersOf(layers, index);
  return adders.length === 1 && layers[adders[0]].relu ? adders[0] : undefined;
}

/** Whether Winograd's algorithm computes a layer: the borders have to be those that its tiles reach into. */
function _isWinograd(layers: readonly Layer[], index: number): boolean {
  const { source, pool, convolution: { size, stride, padding } } = layers[index];
  const reach = (size - 1) / 2;
  return stride === 1 && (size === 3 || size === 5) && padding === reach &&
    _border(layers, source) === reach && (pool !== undefined || _border(layers, index) === reach);
}

/** The border of a layer's output. Outputs that have the same gradient have the same border. */
function _border(layers: readonly Layer[], index: number): number {
  const end = joinedBy(layers, index) ?? index;
  const alike = layers.flatMap((_, other) => joinedBy(layers, other) === end ? [other] : []);
  return Math.max(...[end, ...alike].map((each) => _ownBorder(layers, each)));
}

/** What the layers that read an output reach into, and the input gradient of the layer itself. */
function _ownBorder(layers: readonly Layer[], index: number): number {
  const { pool, convolution: { size, stride, padding } } = layers[index];
  const back = pool === undefined ? Math.ceil((size - 1 - padding) / stride) : 0;
  const paddings = readersOf(layers, index).map((reader) => layers[reader].convolution.padding);
  return Math.max(back, ...paddings);
}

/** The layers whose convolutions read an output, first to last. */
export function readersOf(layers: readonly Pick<Layer, "source">[], index: number): number[] {
  return _indices(layers, ({ source }) => source === index);
}

/** The layers that add an output. */
export function addersOf(layers: readonly Pick<Layer, "shortcut">[], index: number): number[] {
  return _indices(layers, ({ shortcut }) => shortcut === index);
}

function _indices<T>(layers: readonly T[], wanted: (layer: T) => boolean): number[] {
  return layers.flatMap((layer, index) => wanted(layer) ? [index] : []);
}
