/** Which runner trains a model on the engine that is in use. */
import { currentEngine, currentGpu, usesWasmKernels } from "../engine/engine.ts";
import type { MRNet } from "../model/mrnet.ts";
import type { RunnerOptions } from "./adam.ts";
import type { Runner } from "./runner.ts";
import { TensorRunner } from "./tensor_runner.ts";
import { WasmRunner } from "./wasm_runner.ts";
import { WebGPURunner } from "./webgpu_runner.ts";

/**
 * Makes the runner that suits the engine the model is on: this toolkit's own kernels on WebGPU and
 * WebAssembly, TensorFlow.js's operations on the plain engine and on WebAssembly without SIMD.
 *
 * @throws {EngineError} if the processor's threads or the GPU's memory cannot be had
 */
export async function createRunner(model: MRNet, options: RunnerOptions = {}): Promise<Runner> {
  const { threads, precision } = currentEngine();
  const gpu = currentGpu();
  if (gpu !== undefined) return await WebGPURunner.create(gpu, model, { ...options, precision });
  if (usesWasmKernels()) return await WasmRunner.create(model, options, threads);
  return new TensorRunner(model, options);
}
