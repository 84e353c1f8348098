/**
 * Runs single kernels, and compares what they give with plain loops.
 */
import assert from "node:assert/strict";
import { currentGpu } from "../../../lib/engine/engine.ts";
import type { Gpu } from "../../../lib/engine/webgpu/gpu.ts";
import { type Grid, grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import type { KernelLaunch } from "../../../lib/engine/webgpu/kernel.ts";
import { HEADER_BYTES, type StepValues, writeStep } from "../../../lib/engine/webgpu/step.ts";
import { selectedBytes } from "../../../lib/engine/webgpu/selected_slices.ts";
import { createRandom } from "../../../lib/random.ts";
import { onEachEngine } from "../../support/engines.ts";

type Numbers = Float32Array | Uint32Array | Uint8Array;

/** A test that needs a WebGPU adapter, be it a software adapter. */
export function onGpu(name: string, body: (gpu: Gpu) => Promise<void>): void {
  onEachEngine(name, () => body(currentGpu()!), { engines: ["webgpu"] });
}

/** Runs a kernel once and gives back what it wrote to one of its buffers. */
export async function runKernel(
  gpu: Gpu,
  launch: KernelLaunch,
  { slices, inputs, output }: {
    slices: number;
    inputs: Record<string, Numbers>;
    output: [name: string, numbers: number];
  },
): Promise<Float32Array> {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const read = output[0];
  const held: Record<string, GPUBuffer> = {};
  for (const [name, values] of Object.entries(inputs)) {
    const use = name === "step" ? UNIFORM : name === read ? STORAGE | COPY_SRC : STORAGE;
    const usage = use | COPY_DST;
    held[name] = gpu.buffer(name, values.byteLength, usage);
    const { buffer, byteOffset, byteLength } = values;
    gpu.upload(held[name], new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
  }
  const [name, numbers] = output;
  for (const { name: missing, access } of launch.kernel.bindings) {
    if (access === "write") held[missing] ??= gpu.buffer(missing, 4 * numbers, STORAGE | COPY_SRC);
  }
  gpu.run([await gpu.prepare(launch, held)], slices);
  const result = new Float32Array(await gpu.read(held[name], 4 * numbers));
  for (const buffer of Object.values(held)) gpu.free(buffer);
  gpu.check();
  return result;
}

/** The numbers of a step, most of them left out. */
export function step(values: Partial<StepValues>): Uint8Array {
  const bytes = new ArrayBuffer(HEADER_BYTES);
  writeStep(bytes, {
    slices: 1,
    slot: 0,
    label: 0,
    weights: [1, 1],
    source: [1, 0, 0, 0, 1, 0],
    scale: 1,
    offset: 0,
    stepSize: 0,
    correction: 1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.1,
    ...values,
  });
  return new Uint8Array(bytes);
}

/** The state of the maximum over the slices with nothing in it but the selected slices. */
export function selectedSlices(slices: number[]): Uint32Array {
  const words = new Uint32Array(selectedBytes(256) / 4);
  words.set([slices.length, ...slices]);
  return words;
}

/** Normally distributed numbers, the same for the same name. */
export function noise(name: string, count: number): Float32Array {
  const random = createRandom(1, name);
  return Float32Array.from({ length: count }, () => random.normal());
}

/** Images of noise with zeros in their borders. */
export function images(name: string, count: number, shape: Grid): Float32Array {
  const values = noise(name, count * imageSize(shape));
  const { rows, columns, channels, border, height, width } = shape;
  for (let at = 0; at < values.length; at++) {
    const column = Math.floor(at / channels) % columns - border;
    const row = Math.floor(at / channels / columns) % rows - border;
    if (row < 0 || column < 0 || row >= height || column >= width) values[at] = 0;
  }
  return values;
}

/** Where a number is in the buffer of a grid. */
export function indexOf(shape: Grid, image: number, row: number, column: number): number {
  const { rows, columns, channels, border } = shape;
  return ((image * rows + row + border) * columns + column + border) * channels;
}

/** A grid whose border is filled up to whole vectors on the right. */
export function image(height: number, width: number, border: number): Grid {
  const shape = grid(height, width, 1, border);
  return { ...shape, columns: Math.ceil(shape.columns / 4) * 4 };
}

/** Asserts that numbers agree to a share of the largest. */
export function assertClose(actual: Float32Array, expected: Float32Array, share = 2e-6): void {
  assert.equal(actual.length, expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  assert.ok(scale > 0, "the expected numbers are all zero");
  for (let at = 0; at < expected.length; at++) {
    const off = Math.abs(actual[at] - expected[at]);
    assert.ok(off <= share * scale, `at ${at}: ${actual[at]}, not ${expected[at]}`);
  }
}
