/** Which network trains a model on the engine that is in use. */
import { currentEngine, currentGpu, usesWasmKernels } from "../engine/engine.ts";
import type { NetworkSettings } from "./adam.ts";
import type { EngineModel, EngineNetwork } from "./engine_network.ts";
import { TensorNetwork } from "./tensor_network.ts";
import { WasmNetwork } from "./wasm/network.ts";
import { WebGPUNetwork } from "./webgpu/network.ts";

/**
 * Makes the network that suits the engine the model is on: this toolkit's own kernels on WebGPU and
 * WebAssembly, TensorFlow.js's operations on the plain engine and on WebAssembly without SIMD.
 *
 * @throws {EngineError} if the processor's threads or the GPU's memory cannot be had
 */
export async function createNetwork(
  model: EngineModel,
  options: NetworkSettings = {},
): Promise<EngineNetwork> {
  const { threads, precision } = currentEngine();
  const gpu = currentGpu();
  if (gpu !== undefined) return await WebGPUNetwork.create(gpu, model, { ...options, precision });
  if (usesWasmKernels()) return await WasmNetwork.create(model, options, threads);
  return new TensorNetwork(model, options);
}
