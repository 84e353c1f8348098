/**
 * What lies where in the kernels' memory. Addresses are bytes.
 *
 * A step allocates nothing. Memory is laid out once for a size of slice, with room for the most slices
 * that an exam had so far. For AlexNet and slices of 256×256 that is 1.8 MB a slice, 30 MB for the
 * parameters and Adam's moments, 70 MB for weights in the products' order and 20 MB a thread. For ResNet-18
 * it is 12 MB a slice, 135 MB, 315 MB and 75 MB. The activations of all slices are kept until the backward
 * pass: that is 0.7 GB of 61 slices, and to compute those of the selected slices again would take longer.
 */
import { addersOf, joinedBy, readersOf } from "./layer_kernels.ts";
import { IMAGE } from "../../network/network.ts";
import type { LayerLayout, NetworkLayout } from "./parameters.ts";
import { type Bordered, type LayerShape, pixels } from "./shapes.ts";
import { hasWinogradGradient, productStride, TILE_OUTPUTS, tilingOf } from "./tiling.ts";

/** Hands out addresses, each the start of a cache line. */
export class Arena {
  #next: number;

  /** @param start the first byte that is free */
  constructor(start: number) {
    this.#next = start;
  }

  /** The first byte that is free. */
  get end(): number {
    return this.#next;
  }

  /** Takes bytes, and a few beyond them that a vector load may touch. */
  take(bytes: number): number {
    const at = Math.ceil(this.#next / 64) * 64;
    this.#next = at + bytes + 64;
    return at;
  }

  /** Takes as many bytes for each of several. */
  takeEach(count: number, bytes: number): number[] {
    return Array.from({ length: count }, () => this.take(bytes));
  }
}

/** What does not depend on the exam. What is of a layer is listed first layer to last. */
export interface FixedMap {
  /** β₁ … of Adam; eight floats. */
  adam: number;
  /**
   * Where a slice's pixels come from and what is done to them: six floats, a word, two floats, the
   * address of a change of grey values.
   */
  matrix: number;
  /** Label and the outputs' weights, three doubles. */
  stepInput: number;
  /** Loss and logits, three doubles a thread. */
  answers: number[];
  /** The parameters and Adam's two moments. */
  parameters: number;
  first: number;
  second: number;
  /**
   * Forward weights in panels: the parameters themselves if they are kept in panels. Those with a batch
   * normalisation that are transformed are nowhere in full.
   */
  forward: number[];
  /** Forward biases: the parameters themselves if there is no batch normalisation. */
  biases: number[];
  /** The running mean of each batch normalisation, then the deviation. */
  statistics: number[];
  /** A panel of filters while it is transformed, one a thread, if there are batch normalisations. */
  panel: number[];
  /** The same as `forward`, transformed; of layers that Winograd's algorithm computes. */
  transformed: number[];
  /** Weights of the input gradients of layers in panels, as `forward`. */
  rotated: number[];
  /** The same, transformed. */
  rotatedTransformed: number[];
  /** A gradient of all parameters a thread, `gradientBytes` apart. */
  gradients: number[];
  /** From a thread's gradient to the next one's. */
  gradientBytes: number;
  /** The slice of each channel's maximum, and the gradient of that maximum, one of each a thread. */
  argmax: number[];
  headGradients: number[];
}

/** The address of what is not there: a network that is not trained has no gradients. */
const NOWHERE = 0;

/**
 * Lays out what every exam shares.
 *
 * @param training whether there is memory for gradients and moments
 */
export function mapFixed(
  arena: Arena,
  { layers, channels, floats }: NetworkLayout,
  threads: number,
  training: boolean,
): FixedMap {
  const trained = (bytes: number) => training ? arena.take(bytes) : NOWHERE;
  const transformedBytes = (layer: LayerLayout) =>
    tilingOf(layer).products * productStride(layer.inputs, layer.outputs);
  const adam = arena.take(32);
  const matrix = arena.take(40);
  const stepInput = arena.take(24);
  const answers = arena.takeEach(threads, 24);
  const parameters = arena.take(4 * floats);
  const [first, second] = [trained(4 * floats), trained(4 * floats)];
  const forward = layers.map(({ order, outputs, size, run, weight, batchNorm, winograd }) => {
    if (order === "panels" && batchNorm === undefined) return parameters + 4 * weight;
    return batchNorm && winograd ? NOWHERE : arena.take(4 * outputs * size * run);
  });
  const gradients = Array.from({ length: threads }, () => trained(4 * floats));
  return {
    ...{ adam, matrix, stepInput, answers, parameters, first, second, forward, gradients },
    gradientBytes: threads > 1 ? gradients[1] - gradients[0] : 0,
    transformed: layers.map((layer) =>
      layer.winograd ? arena.take(transformedBytes(layer)) : NOWHERE
    ),
    rotatedTransformed: layers.toReversed().map((layer) =>
      layer.order === "panels" && layer.winograd ? trained(transformedBytes(layer)) : NOWHERE
    ).reverse(),
    rotated: layers.map(({ order, floats, batchNorm, winograd }) =>
      order === "panels" && !(batchNorm && winograd) ? trained(4 * floats) : NOWHERE
    ),
    biases: layers.map(({ bias, batchNorm, outputs }) =>
      batchNorm ? arena.take(4 * outputs) : parameters + 4 * bias
    ),
    statistics: layers.map(({ batchNorm, outputs }) =>
      batchNorm ? arena.take(8 * outputs) : NOWHERE
    ),
    panel: layers.some(({ batchNorm }) => batchNorm)
      ? arena.takeEach(threads, 32 * _longestPanel(layers))
      : [],
    argmax: arena.takeEach(threads, 4 * channels),
    headGradients: arena.takeEach(threads, 4 * channels),
  };
}

/** The most rows of a panel of filters, of the forward pass or of an input gradient. */
function _longestPanel(layers: readonly LayerLayout[]): number {
  return Math.max(
    ...layers.map(({ inputs, outputs, size }) => size ** 2 * Math.max(inputs, outputs)),
  );
}

/** The products of `addFilterGradient` before they are transformed back: 36 of six by 32. */
const FILTER_PRODUCT_BYTES = 4 * 36 * 6 * 32;

/** What a thread computes in. */
export interface Scratch {
  /** The output of a convolution that a pool follows. */
  conv: number;
  /** Tiles before and after the products, and a few vectors for the transforms. */
  tilesIn: number;
  tilesOut: number;
  temp: number;
  /** The lists of `listMaxima` and `sortByPixel`. */
  lists: number;
  counts: number;
  starts: number;
  entries: number;
  /** Gradients of each layer's output. */
  gradients: number[];
  /** The same where the ReLU let the activation through, of layers in panels. */
  masked: number[];
  /** What a layer adds to the gradient of its input, if it is not the first that reads this. */
  shares: number[];
  /** A last layer's output, or its gradient, without its border. */
  features: number;
  /** The operands of filter gradients that Winograd's algorithm does not compute. */
  tiles: number;
  panels: number;
  /** The products of those that it does. */
  products: number;
  /** Which thread goes back through each slice; -1 where no channel selected it. */
  owners: number;
}

/** What is kept of a slice, layer by layer: for a backward pass all of it. */
export interface SliceMap {
  /** The input of each layer: the image, or the output of the layer ahead. */
  inputs: number[];
  /** The output of each layer; the last one's are the features. */
  outputs: number[];
  /** The maxima of each layer's pool. */
  argmax: number[];
}

/** What depends on the exam's size. */
export interface ExamMap {
  /** One {@linkcode Scratch} a thread. */
  scratch: Scratch[];
  /** One {@linkcode SliceMap} a slice. */
  slices: SliceMap[];
  /** The voxels as they are in the file. */
  voxels: number;
  /** `[slices][channels]`, the channels' means. */
  means: number;
}

/** For which exams room is laid out. */
export interface ExamRoom {
  threads: number;
  /** The most slices. */
  capacity: number;
  voxelBytes: number;
  /** Whether there is memory for gradients. */
  training: boolean;
}

/** Lays out what exams of one size need, for up to `capacity` slices. */
export function mapExam(
  arena: Arena,
  { layers, channels }: NetworkLayout,
  shapes: readonly LayerShape[],
  { threads, capacity, voxelBytes, training }: ExamRoom,
): ExamMap {
  const scratch = Array.from({ length: threads }, (): Scratch => ({
    ..._mapScratch(arena, layers, shapes, training),
    owners: arena.take(4 * capacity),
  }));
  const [{ input: image }] = shapes;
  const slices = Array.from(
    { length: capacity },
    () => _mapSlice(arena, layers, shapes, training),
  );
  const voxels = arena.take(capacity * pixels(image) * voxelBytes);
  return { scratch, slices, voxels, means: arena.take(capacity * 4 * channels) };
}

function _mapSlice(
  arena: Arena,
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
  training: boolean,
): SliceMap {
  const [{ input: image }] = shapes;
  const [{ rows, size }] = layers;
  // The first convolution's filters are read a few rows and columns further than they reach.
  const pixelsAt = arena.take(image.bytes + (rows - size) * image.pitch);
  const lastReader = layers.map((_, index) =>
    Math.max(index, ...readersOf(layers, index), ...addersOf(layers, index))
  );
  const outputs: number[] = [];
  const argmax: number[] = [];
  shapes.forEach(({ output }, index) => {
    // Without a backward pass an output that nothing reads any more makes room for one of its shape.
    const spare = training
      ? -1
      : outputs.findIndex((at, other) =>
        lastReader[other] < index && outputs.lastIndexOf(at) === other &&
        _isSameShape(shapes[other].output, output)
      );
    outputs.push(spare < 0 ? arena.take(output.bytes) : outputs[spare]);
    argmax.push(layers[index].pool ? arena.take(_valuesOf(output)) : NOWHERE);
  });
  const inputs = layers.map(({ source }) => source === IMAGE ? pixelsAt : outputs[source]);
  return { inputs, outputs, argmax };
}

/** Whether two images have the same border of zeros, too. */
function _isSameShape(a: Bordered, b: Bordered): boolean {
  return a.pitch === b.pitch && a.step === b.step && a.bytes === b.bytes && a.border === b.border;
}

function _mapScratch(
  arena: Arena,
  layers: readonly LayerLayout[],
  shapes: readonly LayerShape[],
  training: boolean,
): Omit<Scratch, "owners"> {
  const trained = (bytes: number) => training ? arena.take(bytes) : NOWHERE;
  const most = (of: readonly LayerShape[], what: (shape: LayerShape) => number) =>
    Math.max(0, ...of.map(what));
  const ordered = (wanted: string) => shapes.filter((_, index) => layers[index].order === wanted);
  const pooled = shapes.filter((_, index) => layers[index].pool);
  // The sparse gradient of the first layer is that of its filters alone.
  const sparse = ordered("filters");
  const panels = ordered("panels");
  const direct = panels.filter((shape) => !hasWinogradGradient(layers[shapes.indexOf(shape)]));
  const last = layers.length - 1;
  const tileBytes = Math.max(
    0,
    ...layers.filter(({ winograd }) => winograd).map((layer) => {
      const { products, atOnce } = tilingOf(layer);
      return products * productStride(atOnce, Math.max(layer.inputs, layer.outputs));
    }),
  );
  // The last convolution's is that of several slices; see forward.ts.
  const several = layers[last].pool
    ? TILE_OUTPUTS ** 2 * tilingOf(layers[last]).atOnce * layers[last].outputs
    : 0;
  const conv = arena.take(Math.max(4 * several, most(pooled, ({ convolved }) => convolved.bytes)));
  const [tilesIn, tilesOut] = arena.takeEach(2, tileBytes);
  const temp = arena.take(64 * 16);
  const gradients = [trained(shapes[last].gradient.bytes)];
  const masked = [layers[last].pool ? NOWHERE : gradients[0]];
  const lists = trained(12 * most(pooled, ({ output }) => _valuesOf(output)));
  const counts = trained(4 * most(pooled, ({ output }) => output.channels));
  const starts = trained(4 * (most(sparse, ({ input }) => pixels(input)) + 2));
  const entries = trained(8 * most(sparse, ({ output }) => _valuesOf(output)));
  for (let index = last - 1; index >= 0; index--) {
    const { bytes } = shapes[index].gradient;
    const adder = joinedBy(layers, index);
    gradients.unshift(adder === undefined ? trained(bytes) : masked[adder - index - 1]);
    // A sparse gradient fills the border, in which a masked one has zeros.
    const apart = layers[index].order === "panels" &&
      readersOf(layers, index).some((reader) => layers[reader].pool);
    masked.unshift(apart ? trained(bytes) : gradients[0]);
  }
  return {
    ...{ conv, tilesIn, tilesOut, temp, gradients, masked, lists, counts, starts, entries },
    tiles: trained(
      Math.max(0, ...direct.map((shape) => _tileBytes(shape, layers[shapes.indexOf(shape)]))),
    ),
    panels: trained(most(direct, ({ output }) => output.bytes)),
    products: trained(FILTER_PRODUCT_BYTES),
    shares: layers.map(({ source }, index) =>
      source === IMAGE || readersOf(layers, source)[0] === index
        ? NOWHERE
        : trained(shapes[source].gradient.bytes)
    ),
    features: layers[last].pool ? NOWHERE : arena.take(4 * _valuesOf(shapes[last].output)),
  };
}

/** Bytes of a layer's input in tiles, each row as long as one of its output. */
function _tileBytes({ output }: LayerShape, { inputs, size, stride }: LayerLayout): number {
  const rows = output.height + (stride === 1 ? size - 1 : 0);
  return 4 * inputs * rows * output.pitch / output.step;
}

/** How many values an image has within its border. */
function _valuesOf(image: Bordered): number {
  return pixels(image) * image.channels;
}
