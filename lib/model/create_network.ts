/** Which class computes a model on the engine that is in use. */
import { currentEngine, currentGpu, usesWasmKernels } from "../engine/engine.ts";
import type { NetworkSettings } from "./adam.ts";
import type { EngineModel, EngineNetwork } from "./engine_network.ts";

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
  // Loaded when it is needed: a process computes on one engine.
  const gpu = currentGpu();
  if (gpu !== undefined) {
    const { WebGPUNetwork } = await import("./webgpu_network.ts");
    const { precision } = currentEngine();
    return await WebGPUNetwork.create(gpu, model, { ...settings, precision });
  }
  if (!usesWasmKernels()) {
    const { TensorNetwork } = await import("./tensor_network.ts");
    return new TensorNetwork(model, settings);
  }
  const { WasmNetwork } = await import("./wasm_network.ts");
  return await WasmNetwork.create(model, settings, currentEngine().threads);
}
