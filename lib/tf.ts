/**
 * TensorFlow.js, for the whole toolkit: the only file that imports it.
 *
 * The umbrella package is used, at the same version as the backends, so that a script's own
 * `npm:@tensorflow/tfjs@4.22.0` and this toolkit share one engine and can exchange tensors.
 * A backend is loaded when it is started, not before.
 */
export * from "npm:@tensorflow/tfjs@4.22.0";

/** Loads the WebGPU backend and registers its kernels; it does not touch a GPU. */
export function loadWebGPU() {
  return import("npm:@tensorflow/tfjs-backend-webgpu@4.22.0");
}

/** Loads the WebAssembly backend and registers its kernels; it does not start it. */
export function loadWasm() {
  return import("npm:@tensorflow/tfjs-backend-wasm@4.22.0");
}
