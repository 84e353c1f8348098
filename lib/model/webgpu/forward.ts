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
import { mean } from "../../engine/webgpu/kernels/mean.ts";
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
 * Compiles the first dispatch of {@linkcode forwardPass}.
 *
 * @param photometric whether it changes grey values
 */
export function inputPass(
  { gpu, layers, exam }: PassContext,
  chunk: number,
  photometric: boolean = false,
): Promise<Dispatch> {
  const image = layers[0].image!;
  return gpu.prepare(
    prepareInput(image, exam.limits.type, { blocks: image.blocks, photometric }),
    { step: exam.step(chunk), voxels: exam.voxels, image: exam.input(0) },
  );
}

/**
 * Compiles the forward pass over a chunk of the exam, up to the mean of each channel over each slice.
 */
export function forwardPass(context: PassContext, chunk: number): Promise<Dispatch[]> {
  const { gpu, layers, parameters, exam } = context;
  const step = exam.step(chunk);
  const prepared: Promise<Dispatch>[] = [inputPass(context, chunk)];
  layers.forEach((layer, index) => {
    const { relu, shortcut } = layer;
    const added = shortcut === undefined ? undefined : layers[shortcut].pooled ??
      layers[shortcut].output;
    const epilogue = relu ? "relu" : "bias";
    prepared.push(...prepareConvolution(context, { ...layer, added, items: "slices", epilogue }, {
      step,
      x: exam.input(index),
      filters: parameters.filters(index),
      bias: parameters.bias(index),
      ...shortcut !== undefined && { added: exam.given(shortcut) },
      y: exam.output(index),
    }));
    if (layer.pooled !== undefined) {
      const pool = maxPool(`pool${index + 1}`, layer.output, layer.pooled, layer.pool!.padding);
      prepared.push(gpu.prepare(pool, {
        step,
        x: exam.output(index),
        y: exam.input(index + 1),
        codes: exam.codes(index),
      }));
    }
  });
  const last = layers.length - 1;
  const { output, pool } = layers[last];
  const kernel = pool === undefined ? mean(output) : meanPool(output);
  prepared.push(gpu.prepare(kernel, { step, x: exam.output(last), means: exam.means }));
  return Promise.all(prepared);
}

/** Compiles the head, which follows the forward pass over every chunk. */
export function headPass(
  { gpu, layers, parameters, exam, selected, results }: PassContext,
): Promise<Dispatch> {
  const { pool, output } = layers.at(-1)!;
  const { height, width } = pool === undefined ? output : poolOf(output);
  return gpu.prepare(head(output.channels, height * width), {
    step: exam.step(),
    means: exam.means,
    linear: parameters.head(parameters.values),
    gradient: parameters.head(parameters.gradientOf(exam.chunks)),
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
