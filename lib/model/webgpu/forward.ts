/**
 * The forward pass as a list of dispatches, from the voxels to loss, logits and the list of winners.
 *
 * @module
 */
import type { BufferPart, Dispatch, Gpu, Tiles } from "../../engine/webgpu/gpu.ts";
import type { Convolution } from "../../engine/webgpu/kernels/convolution_base.ts";
import {
  convolutionInParts,
  PARTS_NUMBERS,
} from "../../engine/webgpu/kernels/convolution_parts.ts";
import { head } from "../../engine/webgpu/kernels/head.ts";
import { maxPool } from "../../engine/webgpu/kernels/max_pool.ts";
import { winogradConvolution } from "../../engine/webgpu/kernels/winograd.ts";
import { meanPool, poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { prepareInput } from "../../engine/webgpu/kernels/prepare_input.ts";
import type { ExamBuffers } from "./exam_buffers.ts";
import type { WebGPUParameters } from "./parameters.ts";
import type { LayerShape } from "./shape.ts";

/** What a pass is made of. */
export interface PassParts {
  gpu: Gpu;
  tiles: Tiles;
  layers: readonly LayerShape[];
  parameters: WebGPUParameters;
  exam: ExamBuffers;
  /** The state of the maximum over the slices of the whole exam. */
  winners: GPUBuffer;
  /** The ring into which loss and logits are written. */
  figures: GPUBuffer;
}

/**
 * Compiles the forward pass over a part of the exam, up to the mean of each channel over each slice.
 */
export function forwardPass(parts: PassParts, part: number): Promise<Dispatch[]> {
  const { gpu, layers, parameters, exam } = parts;
  const step = exam.step(part);
  const prepared: Promise<Dispatch>[] = [gpu.prepare(
    prepareInput(layers[0].input, exam.limits.type),
    { step, voxels: exam.voxels, image: exam.input(0) },
  )];
  layers.forEach((layer, index) => {
    const { values } = parameters;
    prepared.push(...prepareConvolution(parts, { ...layer, items: "slices", epilogue: "relu" }, {
      step,
      x: exam.input(index),
      filters: parameters.filters(index),
      bias: parameters.part(values, layer.name, "bias"),
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

/** Compiles the head, which follows the forward pass over every part. */
export function headPass(
  { gpu, layers, parameters, exam, winners, figures }: PassParts,
): Promise<Dispatch> {
  const windows = poolOf(layers.at(-1)!.output);
  return gpu.prepare(head(windows.height * windows.width), {
    step: exam.step(),
    means: exam.means,
    linear: parameters.part(parameters.values, "classifer", "both"),
    gradient: parameters.part(parameters.gradientOf(exam.parts), "classifer", "both"),
    winners,
    figures,
  });
}

/** A convolution in the one kernel, the two or the three that suit its layer. */
export function prepareConvolution(
  { gpu, tiles, exam }: PassParts,
  conv: Convolution & { winograd: boolean },
  { filters, ...buffers }: Record<string, BufferPart>,
): Promise<Dispatch>[] {
  if (!conv.winograd) {
    const kernels = convolutionInParts(conv, tiles);
    const held: Record<string, BufferPart> = { filters, ...buffers };
    if (kernels.length > 1) held.parts = exam.scratch("parts of sums", PARTS_NUMBERS);
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
