/**
 * What lies where in the kernels' memory. Addresses are bytes.
 *
 * A step allocates nothing. Memory is laid out once for a size of slice, with room for the most slices
 * that an exam had so far. For AlexNet and slices of 256×256 that is 1.8 MB a slice, 30 MB for the
 * parameters and Adam's moments, 96 MB for weights in the products' order and 34 MB a thread. For ResNet-18
 * it is 12 MB a slice, 135 MB, 317 MB and 80 MB. The activations of all slices are kept until the backward
 * pass: that is 0.7 GB of 61 slices, and to compute those of the selected slices again would take longer.
 */
import { type Arena, NOWHERE } from "./arena.ts";
import { addersOf, readersOf } from "./layer_kernels.ts";
import { IMAGE } from "../../network/network.ts";
import type { LayerLayout, NetworkLayout } from "./parameters.ts";
import { mapScratch, type Scratch } from "./scratch_map.ts";
import { type Bordered, type LayerShape, pixels, valuesOf } from "./shapes.ts";
import { productsOf, productStride } from "./tiling.ts";

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
  const transformedBytes = ({ tiling, inputs, outputs }: LayerLayout) =>
    tiling === undefined ? 0 : productsOf(tiling) * productStride(inputs, outputs);
  const adam = arena.take(32);
  const matrix = arena.take(40);
  const stepInput = arena.take(24);
  const answers = arena.takeEach(threads, 24);
  const parameters = arena.take(4 * floats);
  const [first, second] = [trained(4 * floats), trained(4 * floats)];
  const forward = layers.map(({ order, outputs, size, run, weight, batchNorm, tiling }) => {
    if (order === "panels" && batchNorm === undefined) return parameters + 4 * weight;
    return batchNorm && tiling ? NOWHERE : arena.take(4 * outputs * size * run);
  });
  const gradients = Array.from({ length: threads }, () => trained(4 * floats));
  return {
    ...{ adam, matrix, stepInput, answers, parameters, first, second, forward, gradients },
    gradientBytes: threads > 1 ? gradients[1] - gradients[0] : 0,
    transformed: layers.map((layer) =>
      layer.tiling ? arena.take(transformedBytes(layer)) : NOWHERE
    ),
    rotatedTransformed: layers.toReversed().map((layer) =>
      layer.order === "panels" && layer.tiling ? trained(transformedBytes(layer)) : NOWHERE
    ).reverse(),
    rotated: layers.map(({ order, floats, batchNorm, tiling }) =>
      order === "panels" && !(batchNorm && tiling) ? trained(4 * floats) : NOWHERE
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
  /** From a slice's memory to the next one's, in bytes. */
  sliceBytes: number;
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
    ...mapScratch(arena, layers, shapes, training ? Math.ceil(capacity / threads) : 0),
    owners: arena.take(4 * capacity),
  }));
  const [{ input: image }] = shapes;
  const slices = Array.from(
    { length: capacity },
    () => _mapSlice(arena, layers, shapes, training),
  );
  const voxels = arena.take(capacity * pixels(image) * voxelBytes);
  const sliceBytes = capacity > 1 ? slices[1].inputs[0] - slices[0].inputs[0] : 0;
  return { scratch, slices, sliceBytes, voxels, means: arena.take(capacity * 4 * channels) };
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
    argmax.push(layers[index].pool ? arena.take(valuesOf(output)) : NOWHERE);
  });
  const inputs = layers.map(({ source }) => source === IMAGE ? pixelsAt : outputs[source]);
  return { inputs, outputs, argmax };
}

/** Whether two images have the same border of zeros, too. */
function _isSameShape(a: Bordered, b: Bordered): boolean {
  return a.pitch === b.pitch && a.step === b.step && a.bytes === b.bytes && a.border === b.border;
}
