/**
 * The forward pass as a list of dispatches, from the voxels to loss, logits and the list of winners.
 *
 * @module
 */
import type { Dispatch, Gpu, Tiles } from "../../engine/webgpu/gpu.ts";
import { convolution } from "../../engine/webgpu/kernels/convolution.ts";
import { head } from "../../engine/webgpu/kernels/head.ts";
import { maxPool } from "../../engine/webgpu/kernels/max_pool.ts";
import { meanPool, poolOf } from "../../engine/webgpu/kernels/mean_pool.ts";
import { prepareInput } from "../../engine/webgpu/kernels/prepare_input.ts";
import type { ExamBuffers } from "./exam_buffers.ts";
import type { GpuParameters } from "./parameters.ts";
import type { LayerShape } from "./shape.ts";

/** What a pass is made of. */
export interface PassParts {
  gpu: Gpu;
  tiles: Tiles;
  layers: readonly LayerShape[];
  parameters: GpuParameters;
  exam: ExamBuffers;
  /** The state of the maximum over the slices. */
  winners: GPUBuffer;
  /** The ring into which loss and logits are written. */
  figures: GPUBuffer;
}

/** Compiles the forward pass; the kernels are compiled at the same time. */
export function forwardPass(parts: PassParts): Promise<Dispatch[]> {
  const { gpu, tiles, layers, parameters, exam } = parts;
  const prepared: Promise<Dispatch>[] = [gpu.prepare(
    prepareInput(layers[0].input, exam.limits.type),
    { step: exam.step, voxels: exam.voxels, image: exam.input(0) },
  )];
  layers.forEach((layer, index) => {
    const kernel = convolution(
      { ...layer, items: "slices", finish: "relu" },
      tiles,
    );
    const { values } = parameters;
    const weight = parameters.part(values, layer.name, "weight");
    prepared.push(gpu.prepare(kernel, {
      step: exam.step,
      x: exam.input(index),
      filters: index === 0 ? parameters.folded : weight,
      bias: parameters.part(values, layer.name, "bias"),
      y: exam.output(index),
    }));
    if (layer.pooled !== undefined) {
      const pool = maxPool(`pool${index + 1}`, layer.output, layer.pooled);
      prepared.push(gpu.prepare(pool, {
        step: exam.step,
        x: exam.output(index),
        y: exam.input(index + 1),
        codes: exam.codes(index),
      }));
    }
  });
  return Promise.all([...prepared, ..._head(parts)]);
}

function _head(
  { gpu, layers, parameters, exam, winners, figures }: PassParts,
): Promise<Dispatch>[] {
  const { step, means } = exam;
  const last = layers.length - 1;
  const { output } = layers[last];
  const mean = meanPool(output);
  const windows = poolOf(output);
  const whole = head(windows.height * windows.width);
  return [
    gpu.prepare(mean, { step, x: exam.output(last), means }),
    gpu.prepare(whole, {
      step,
      means,
      linear: parameters.part(parameters.values, "classifer", "both"),
      gradient: parameters.part(parameters.gradient, "classifer", "both"),
      winners,
      figures,
    }),
  ];
}
