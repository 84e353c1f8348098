/**
 * The backward pass as a list of dispatches: from the list of winners to the gradient of every
 * parameter.
 *
 * @module
 */
import { grid, imageSize } from "../../engine/webgpu/grid.ts";
import type { Dispatch } from "../../engine/webgpu/gpu.ts";
import { biasGradient } from "../../engine/webgpu/kernels/bias_gradient.ts";
import { chooseParts, filterGradient } from "../../engine/webgpu/kernels/filter_gradient.ts";
import { type FilterGradient, partSize } from "../../engine/webgpu/kernels/filter_gradient_base.ts";
import {
  lastFilterGradient,
  lastInputGradient,
  lastMaxima,
  lastOutputGradient,
} from "../../engine/webgpu/kernels/last_layer.ts";
import { maxPoolGradient } from "../../engine/webgpu/kernels/max_pool.ts";
import { poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { sumParts, sumPartsOfGrey } from "../../engine/webgpu/kernels/sum_parts.ts";
import { type PassParts, prepareConvolution } from "./forward.ts";
import { gradientGrid } from "./shape.ts";

/**
 * Compiles the backward pass over a part of the exam; what it needs of the part is in its winners, so
 * it is the same for each.
 *
 * @param parts whose winners are the part's
 */
export function backwardPass(parts: PassParts): Promise<Dispatch[]> {
  const { layers } = parts;
  const prepared = _lastLayer(parts);
  for (let index = layers.length - 2; index >= 0; index--) {
    prepared.push(..._filterGradient(parts, index));
    if (index > 0) prepared.push(..._inputGradient(parts, index));
  }
  return Promise.all(prepared);
}

function _lastLayer(parts: PassParts): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, winners } = parts;
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
    gpu.prepare(lastMaxima(output), { winners, x: exam.output(index), maxima }),
    gpu.prepare(lastFilterGradient(input, output, size), {
      winners,
      maxima,
      x,
      gradient: parameters.part(parameters.gradient, name, "both"),
    }),
    gpu.prepare(lastOutputGradient(output, border), { winners, maxima, dy }),
    gpu.prepare(lastInputGradient(input, output, size, tiles), {
      winners,
      dy,
      filters: parameters.rotated(index),
      activation: x,
      dx: exam.outputGradient(index - 1),
    }),
  ];
}

function _filterGradient(parts: PassParts, index: number): Promise<Dispatch>[] {
  const { gpu, layers, tiles, parameters, exam, winners } = parts;
  const layer = layers[index];
  const gradient: FilterGradient = {
    ...layer,
    label: `${layer.label}, filter gradient`,
    output: gradientGrid(layers, index),
    parts: chooseParts(tiles, layer.size, layer.filterRow, layer.output.channels),
  };
  const scratch = exam.scratch(`${layer.label}, parts`, partSize(gradient) * gradient.parts);
  const dy = exam.outputGradient(index);
  const sum = index === 0 ? sumPartsOfGrey(gradient) : sumParts(gradient);
  return [
    gpu.prepare(filterGradient(gradient, tiles), {
      winners,
      x: exam.input(index),
      dy,
      parts: scratch,
    }),
    gpu.prepare(biasGradient(gradient, tiles), { winners, dy, parts: scratch }),
    gpu.prepare(sum, {
      parts: scratch,
      gradient: parameters.part(parameters.gradient, layer.name, "both"),
    }),
  ];
}

/** From the gradient of a layer's output to that of the output of the layer ahead. */
function _inputGradient(parts: PassParts, index: number): Promise<Dispatch>[] {
  const { gpu, layers, parameters, exam, winners } = parts;
  const [layer, ahead] = [layers[index], layers[index - 1]];
  const from = gradientGrid(layers, index);
  const to = gradientGrid(layers, index - 1);
  const { pooled } = ahead;
  const target = pooled === undefined ? to : grid(pooled.height, pooled.width, pooled.channels);
  const ends = exam.outputGradient(index - 1);
  const dispatches = prepareConvolution(parts, {
    label: `${layer.label}, input gradient`,
    input: from,
    output: target,
    size: layer.size,
    filterRow: layer.size * from.channels,
    stride: 1,
    items: "winners",
    epilogue: pooled === undefined ? "mask" : "none",
    activation: ahead.output,
    winograd: layer.winograd,
  }, {
    step: exam.step(),
    winners,
    x: exam.outputGradient(index),
    filters: parameters.rotatedFilters(index),
    activation: exam.output(index - 1),
    y: pooled === undefined ? ends : exam.pooledGradient(index - 1),
  });
  if (pooled === undefined) return dispatches;
  return [
    ...dispatches,
    gpu.prepare(maxPoolGradient(`pool${index}, gradient`, to, pooled), {
      winners,
      codes: exam.codes(index - 1),
      dy: exam.pooledGradient(index - 1),
      dx: ends,
    }),
  ];
}
