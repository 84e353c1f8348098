/** Which class computes a model on the engine that is in use. */
import { currentEngine, currentGpu, usesWasmKernels } from "../engine/engine.ts";
import type { NetworkSettings } from "./adam.ts";
import type { EngineModel, EngineNetwork } from "./engine_network.ts";
import { TensorNetwork } from "./tensor_network.ts";
import { WasmNetwork } from "./wasm_network.ts";
import { WebGPUNetwork } from "./webgpu_network.ts";

/**
 * Makes the network of a model on the current engine: in this toolkit's own kernels on WebGPU and
 * WebAssembly, in TensorFlow.js's operations on the plain engine and on WebAssembly without SIMD.
 *
 * @throws {EngineError} if the processor's threads or the GPU's memory cannot be had
 */
export async function createNetwork(
  model: EngineModel,
  settings: NetworkSettings = {},
): Promise<EngineNetwork> {
  const gpu = currentGpu();
  if (gpu !== undefined) {
    const { precision } = currentEngine();
    return await WebGPUNetwork.create(gpu, model, { ...settings, precision });
  }
  if (!usesWasmKernels()) return new TensorNetwork(model, settings);
  const threads = settings.use === "predict" ? 1 : currentEngine().threads;
  return await WasmNetwork.create(model, settings, threads);
}
