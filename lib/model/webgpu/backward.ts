/**
 * The backward pass as a list of dispatches: from the list of selected slices to the gradient of every
 * parameter.
 */
import { grid, imageSize } from "../../engine/webgpu/grid.ts";
import type { Dispatch } from "../../engine/webgpu/gpu.ts";
import { biasGradient } from "../../engine/webgpu/kernels/bias_gradient.ts";
import { choosePartialSums, filterGradient } from "../../engine/webgpu/kernels/filter_gradient.ts";
import {
  type FilterGradient,
  partialSumSize,
} from "../../engine/webgpu/kernels/filter_gradient_base.ts";
import {
  lastFilterGradient,
  lastInputGradient,
  lastMaxima,
  lastOutputGradient,
} from "../../engine/webgpu/kernels/last_layer.ts";
import { maxPoolGradient } from "../../engine/webgpu/kernels/max_pool.ts";
import { poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { addPartialSums, addPartialSumsOfGrey } from "../../engine/webgpu/kernels/partial_sums.ts";
import { type PassContext, prepareConvolution } from "./forward.ts";
import { gradientGrid } from "./shape.ts";

/**
 * Compiles the backward pass over a chunk of the exam. It is the same for each chunk: what differs is
 * in the chunk's selected slices.
 *
 * @param context whose selected slices are the chunk's
 */
export function backwardPass(context: PassContext): Promise<Dispatch[]> {
  const { layers } = context;
  const prepared = _lastLayer(context);
  for (let index = layers.length - 2; index >= 0; index--) {
    prepared.push(..._filterGradient(context, index));
    if (index > 0) prepared.push(..._inputGradient(context, index));
  }
  return Promise.all(prepared);
}

function _lastLayer(context: PassContext): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, selected } = context;
  const index = layers.length - 1;
  const { name, size, padding, input, output } = layers[index];
  const border = size - 1 - padding;
  const pool = poolOf(output);
  const maxima = exam.scratch("maxima", output.channels * pool.height * pool.width);
  const dy = exam.scratch(
    "last gradient",
    imageSize(grid(output.height, output.width, output.channels, border)),
  );
  const x = exam.input(index);
  return [
    gpu.prepare(lastMaxima(output), { selected, x: exam.output(index), maxima }),
    gpu.prepare(lastFilterGradient(input, output, size), {
      selected,
      maxima,
      x,
      gradient: parameters.range(parameters.gradient, name, "both"),
    }),
    gpu.prepare(lastOutputGradient(output, border), { selected, maxima, dy }),
    gpu.prepare(lastInputGradient(input, output, size, tiles), {
      selected,
      dy,
      filters: parameters.rotated(index),
      activation: x,
      dx: exam.outputGradient(index - 1),
    }),
  ];
}

function _filterGradient(context: PassContext, index: number): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, selected } = context;
  const layer = layers[index];
  const gradient: FilterGradient = {
    ...layer,
    label: `${layer.label}, filter gradient`,
    output: gradientGrid(layers, index),
    partialSums: choosePartialSums(tiles, layer.size, layer.filterRow, layer.output.channels),
  };
  const size = partialSumSize(gradient) * gradient.partialSums;
  const partials = exam.scratch(`${layer.label}, partial sums`, size);
  const dy = exam.outputGradient(index);
  const sum = index === 0 ? addPartialSumsOfGrey(gradient) : addPartialSums(gradient);
  return [
    gpu.prepare(filterGradient(gradient, tiles), {
      selected,
      x: exam.input(index),
      dy,
      partials,
    }),
    gpu.prepare(biasGradient(gradient, tiles), { selected, dy, partials }),
    gpu.prepare(sum, {
      partials,
      gradient: parameters.range(parameters.gradient, layer.name, "both"),
    }),
  ];
}

/** From the gradient of a layer's output to that of the output of the layer ahead. */
function _inputGradient(context: PassContext, index: number): Promise<Dispatch>[] {
  const { gpu, layers, parameters, exam, selected } = context;
  const [layer, ahead] = [layers[index], layers[index - 1]];
  const from = gradientGrid(layers, index);
  const to = gradientGrid(layers, index - 1);
  const { pooled } = ahead;
  const target = pooled === undefined ? to : grid(pooled.height, pooled.width, pooled.channels);
  const ends = exam.outputGradient(index - 1);
  const dispatches = prepareConvolution(context, {
    label: `${layer.label}, input gradient`,
    input: from,
    output: target,
    size: layer.size,
    filterRow: layer.size * from.channels,
    stride: 1,
    items: "selected",
    epilogue: pooled === undefined ? "mask" : "none",
    activation: ahead.output,
    winograd: layer.winograd,
  }, {
    step: exam.step(),
    selected,
    x: exam.outputGradient(index),
    filters: parameters.rotatedFilters(index),
    activation: exam.output(index - 1),
    y: pooled === undefined ? ends : exam.pooledGradient(index - 1),
  });
  if (pooled === undefined) return dispatches;
  return [
    ...dispatches,
    gpu.prepare(maxPoolGradient(`pool${index}, gradient`, to, pooled), {
      selected,
      codes: exam.codes(index - 1),
      dy: exam.pooledGradient(index - 1),
      dx: ends,
    }),
  ];
}
