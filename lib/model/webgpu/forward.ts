/**
 * The forward pass as a list of dispatches, from the voxels to loss, logits and the selected slices.
 */
import type { BufferRange, Dispatch, Gpu, Tiles } from "../../engine/webgpu/gpu.ts";
import type { Convolution } from "../../engine/webgpu/kernels/convolution_base.ts";
import {
  PARTIAL_SUM_NUMBERS,
  splitConvolution,
} from "../../engine/webgpu/kernels/convolution_partial_sums.ts";
import { head } from "../../engine/webgpu/kernels/head.ts";
import { maxPool } from "../../engine/webgpu/kernels/max_pool.ts";
import { winogradConvolution } from "../../engine/webgpu/kernels/winograd.ts";
import { meanPool, poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { prepareInput } from "../../engine/webgpu/kernels/prepare_input.ts";
import type { ExamBuffers } from "./exam_buffers.ts";
import type { WebGPUParameters } from "./parameters.ts";
import type { LayerShape } from "./shape.ts";

/** What a pass is compiled for. */
export interface PassContext {
  gpu: Gpu;
  tiles: Tiles;
  layers: readonly LayerShape[];
  parameters: WebGPUParameters;
  exam: ExamBuffers;
  /** The state of the maximum over the slices of the whole exam. */
  selected: GPUBuffer;
  /** The ring that loss and logits are written to. */
  results: GPUBuffer;
}

/**
 * Compiles the forward pass over a chunk of the exam, up to the mean of each channel over each slice.
 */
export function forwardPass(context: PassContext, chunk: number): Promise<Dispatch[]> {
  const { gpu, layers, parameters, exam } = context;
  const step = exam.step(chunk);
  const prepared: Promise<Dispatch>[] = [gpu.prepare(
    prepareInput(layers[0].input, exam.limits.type),
    { step, voxels: exam.voxels, image: exam.input(0) },
  )];
  layers.forEach((layer, index) => {
    const { values } = parameters;
    prepared.push(...prepareConvolution(context, { ...layer, items: "slices", epilogue: "relu" }, {
      step,
      x: exam.input(index),
      filters: parameters.filters(index),
      bias: parameters.range(values, layer.name, "bias"),
      y: exam.output(index),
    }));
    if (layer.pooled !== undefined) {
      const pool = maxPool(`pool${index + 1}`, layer.output, layer.pooled);
      prepared.push(gpu.prepare(pool, {
        step,
        x: exam.output(index),
        y: exam.input(index + 1),
        codes: exam.codes(index),
      }));
    }
  });
  const last = layers.length - 1;
  const mean = meanPool(layers[last].output);
  prepared.push(gpu.prepare(mean, { step, x: exam.output(last), means: exam.means }));
  return Promise.all(prepared);
}

/** Compiles the head, which follows the forward pass over every chunk. */
export function headPass(
  { gpu, layers, parameters, exam, selected, results }: PassContext,
): Promise<Dispatch> {
  const windows = poolOf(layers.at(-1)!.output);
  return gpu.prepare(head(layers.at(-1)!.output.channels, windows.height * windows.width), {
    step: exam.step(),
    means: exam.means,
    linear: parameters.range(parameters.values, "classifer", "both"),
    gradient: parameters.range(parameters.gradientOf(exam.chunks), "classifer", "both"),
    selected,
    results,
  });
}

/** A convolution in one, two or three kernels: plain, split into partial sums, or Winograd's. */
export function prepareConvolution(
  { gpu, tiles, exam }: PassContext,
  conv: Convolution & { winograd: boolean },
  { filters, ...buffers }: Record<string, BufferRange>,
): Promise<Dispatch>[] {
  if (!conv.winograd) {
    const kernels = splitConvolution(conv, tiles);
    const held: Record<string, BufferRange> = { filters, ...buffers };
    if (kernels.length > 1) held.partials = exam.scratch("partial sums", PARTIAL_SUM_NUMBERS);
    return kernels.map((kernel) => gpu.prepare(kernel, held));
  }
  const { image, products, back } = winogradConvolution(conv, tiles);
  const { points } = exam;
  return [
    gpu.prepare(image, { ...buffers, points }),
    gpu.prepare(products, { ...buffers, filters, x: points, y: exam.products }),
    gpu.prepare(back, { ...buffers, x: exam.products }),
  ];
}
