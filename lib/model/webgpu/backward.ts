/**
 * The backward pass as a list of dispatches: from the list of selected slices to the gradient of every
 * parameter.
 */
import { type Grid, grid } from "../../engine/webgpu/grid.ts";
import { imageSize } from "../../engine/webgpu/grid.ts";
import type { BufferRange, Dispatch } from "../../engine/webgpu/gpu.ts";
import { batchNormGradient } from "../../engine/webgpu/kernels/batch_norm.ts";
import { biasGradient } from "../../engine/webgpu/kernels/bias_gradient.ts";
import { dilate } from "../../engine/webgpu/kernels/dilate.ts";
import { choosePartialSums, filterGradient } from "../../engine/webgpu/kernels/filter_gradient.ts";
import { partialSumSize } from "../../engine/webgpu/kernels/filter_gradient_base.ts";
import type { FilterGradient } from "../../engine/webgpu/kernels/filter_gradient_base.ts";
import {
  lastFilterGradient,
  lastInputGradient,
  lastMaxima,
  lastOutputGradient,
} from "../../engine/webgpu/kernels/last_layer.ts";
import { maxPoolGradient } from "../../engine/webgpu/kernels/max_pool.ts";
import { meanGradient } from "../../engine/webgpu/kernels/mean.ts";
import { poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { addPartialSums, addPartialSumsOfGrey } from "../../engine/webgpu/kernels/partial_sums.ts";
import { type PassContext, prepareConvolution } from "./forward.ts";
import { filterOf } from "./parameters.ts";

/**
 * Compiles the backward pass over a chunk of the exam. It is the same for each chunk: what differs is
 * in the chunk's selected slices.
 *
 * @param context whose selected slices are the chunk's
 * @param trained which layers are trained: others have no gradient of their own, and what lies ahead of
 * the first needs none at all
 */
export function backwardPass(
  context: PassContext,
  trained: readonly boolean[],
): Promise<Dispatch[]> {
  const { gpu, layers, exam, selected } = context;
  const prepared: Promise<Dispatch>[] = [];
  const first = trained.indexOf(true);
  const passes = (index: number) => layers[index].source >= first;
  let index = layers.length - 1;
  const { pool, output, gradient } = layers[index];
  if (pool !== undefined) {
    prepared.push(..._lastLayer(context, trained[index], passes(index)));
    index--;
  } else {
    const kernel = meanGradient(output, gradient);
    const [activation, dy] = [exam.output(index), exam.outputGradient(index)];
    prepared.push(gpu.prepare(kernel, { selected, activation, dy }));
  }
  for (; index >= first; index--) {
    if (trained[index]) prepared.push(..._filterGradient(context, index));
    if (passes(index)) prepared.push(..._inputGradient(context, index));
  }
  return Promise.all(prepared);
}

/** The gradients of a last layer with a pool, of which few outputs have one. */
function _lastLayer(
  context: PassContext,
  trained: boolean,
  passes: boolean,
): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, selected } = context;
  const index = layers.length - 1;
  const { filterSize: size, padding, source, input, output } = layers[index];
  const border = size - 1 - padding;
  const pool = poolOf(output);
  const maxima = exam.scratch("maxima", output.channels * pool.height * pool.width);
  const dy = exam.scratch(
    "last gradient",
    imageSize(grid(output.height, output.width, output.channels, border)),
  );
  const x = exam.input(index);
  const filters = () =>
    gpu.prepare(lastFilterGradient(input, output, size), {
      selected,
      maxima,
      x,
      gradient: parameters.gradientRange(index),
    });
  const back = () => [
    gpu.prepare(lastOutputGradient(output, border), { selected, maxima, dy }),
    gpu.prepare(lastInputGradient(input, output, size, tiles), {
      selected,
      dy,
      filters: parameters.rotated(index),
      activation: x,
      dx: exam.outputGradient(source),
    }),
  ];
  return [
    gpu.prepare(lastMaxima(output), { selected, x: exam.output(index), maxima }),
    ...trained ? [filters()] : [],
    ...passes ? back() : [],
  ];
}

function _filterGradient(context: PassContext, index: number): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, selected } = context;
  const layer = layers[index];
  const { filterSize, image, batchNorm } = layer;
  const gradient: FilterGradient = {
    ...layer,
    label: `${layer.label}, filter gradient`,
    output: layer.gradient,
    partialSums: choosePartialSums(tiles, layer.size, layer.filterRow, layer.output.channels),
  };
  const size = partialSumSize(gradient) * gradient.partialSums;
  const partials = exam.scratch(`${layer.label}, partial sums`, size);
  const dy = exam.outputGradient(index);
  const sum = image === undefined
    ? addPartialSums(gradient)
    : addPartialSumsOfGrey(gradient, filterSize, image.blocks);
  const all = parameters.gradientRange(index);
  const dispatches = [
    gpu.prepare(filterGradient(gradient, tiles), {
      selected,
      x: exam.input(index),
      dy,
      partials,
    }),
    gpu.prepare(biasGradient(gradient, tiles), { selected, dy, partials }),
    gpu.prepare(sum, { partials, gradient: batchNorm ? parameters.foldedGradient(index) : all }),
  ];
  if (!batchNorm) return dispatches;
  const held = { parameters: parameters.range(index), statistics: parameters.statistics(index) };
  const unfold = batchNormGradient(filterOf(layer));
  const folded = parameters.foldedGradient(index);
  return [...dispatches, gpu.prepare(unfold, { ...held, folded, gradient: all })];
}

/**
 * From the gradient of a layer's output to that of what it reads. If several layers read or add that, the
 * first of them, which comes last here, adds the others' shares to its own.
 */
function _inputGradient(context: PassContext, index: number): Promise<Dispatch>[] {
  const { gpu, layers, parameters, exam, selected } = context;
  const layer = layers[index];
  const { source, filterSize: size, padding, dilated, stride } = layer;
  const ahead = layers[source];
  const { pool, pooled, relu } = ahead;
  const { input: { height, width, channels } } = layer;
  const isFirst = layers.findIndex((each) => each.source === source) === index;
  const ends = isFirst && pooled === undefined;
  const added = isFirst ? _otherShare(context, index) : undefined;
  const target = !isFirst
    ? exam.inputGradient(index)
    : ends
    ? exam.outputGradient(source)
    : exam.pooledGradient(source);
  const from = dilated ?? layer.gradient;
  const x = dilated ? exam.dilatedGradient(index) : exam.outputGradient(index);
  const dispatches = dilated === undefined ? [] : [
    gpu.prepare(dilate(`${layer.label}, dilation`, layer.gradient, dilated, stride), {
      selected,
      x: exam.outputGradient(index),
      y: x,
    }),
  ];
  dispatches.push(...prepareConvolution(context, {
    label: `${layer.label}, input gradient`,
    input: from,
    inset: from.border - (size - 1 - padding),
    output: ends ? ahead.gradient : grid(height, width, channels),
    size,
    filterRow: size * from.channels,
    stride: 1,
    items: "selected",
    epilogue: ends && relu ? "mask" : "none",
    activation: ahead.output,
    added: added?.grid,
    winograd: layer.winograd,
  }, {
    step: exam.step(),
    selected,
    x,
    filters: parameters.rotatedFilters(index),
    activation: exam.output(source),
    y: target,
    ...added && { added: added.buffer },
  }));
  if (!isFirst || pooled === undefined) return dispatches;
  const label = `pool${source + 1}, gradient`;
  return [
    ...dispatches,
    gpu.prepare(maxPoolGradient(label, ahead.gradient, pooled, pool!.padding), {
      selected,
      codes: exam.codes(source),
      dy: exam.pooledGradient(source),
      dx: exam.outputGradient(source),
    }),
  ];
}

/**
 * The share of the gradient of a layer's input that comes through another layer: one that reads the same
 * input, or one that adds it.
 */
function _otherShare(
  { layers, exam }: PassContext,
  index: number,
): { buffer: BufferRange; grid: Grid } | undefined {
  const { source, input: { height, width, channels } } = layers[index];
  const shares = layers.flatMap((each, other) => {
    if (each.source === source && other !== index) {
      return { buffer: exam.inputGradient(other), grid: grid(height, width, channels) };
    }
    if (each.shortcut !== source) return [];
    return { buffer: exam.outputGradient(other), grid: each.gradient };
  });
  if (shares.length > 1) {
    throw new Error(`Too many layers read what '${layers[index].label}' reads`);
  }
  return shares[0];
}
