/**
 * Starts TensorFlow.js on WebAssembly, with SIMD if the runtime has it and without any permission.
 */
import * as tf from "../../tf.ts";
import type { EmscriptenSettings, loadEmscripten, WasmModule } from "./binary.js";
import { findCapabilities } from "./capabilities.ts";
import { registerConv2DGradients } from "./conv2d_gradients.ts";

type Emscripten = Awaited<ReturnType<typeof loadEmscripten>>;

/** The C functions that the backend calls, under its names for them, with their argument counts. */
const ENTRIES = {
  init: ["init", 0],
  initWithThreadsCount: ["init_with_threads_count", 1],
  getThreadsCount: ["get_threads_count", 0],
  registerTensor: ["register_tensor", 3],
  disposeData: ["dispose_data", 1],
  dispose: ["dispose", 0],
} as const;

/**
 * Loads the `wasm` backend in a form that starts in Deno.
 *
 * @returns registers it, and the gradients it lacks, once TensorFlow.js runs
 */
export async function loadWasmBackend(): Promise<() => void> {
  const { loadBinary, loadEmscripten } = await import("./binary.js");
  const [library, emscripten, binary] = await Promise.all([
    tf.loadWasm(),
    loadEmscripten(),
    loadBinary(findCapabilities()),
  ]);
  return () => {
    const { BackendWasm } = library;
    // The package has registered a loader that needs a permission; ours takes its place.
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", () => new BackendWasm(_run(emscripten.default, binary)), 2);
    registerConv2DGradients();
  };
}

/** Emscripten's module at once: whoever needs TensorFlow.js first may not be able to wait. */
function _run(start: Emscripten["default"], binary: WebAssembly.Module): WasmModule {
  const settings: EmscriptenSettings = {
    instantiateWasm(imports, done) {
      done(new WebAssembly.Instance(binary, imports), binary);
      return {};
    },
  };
  start(settings);
  const module = settings as unknown as WasmModule;
  module.tfjs = Object.fromEntries(
    Object.entries(ENTRIES).map(([name, [entry, count]]) => {
      const returns = name === "getThreadsCount" ? "number" : null;
      return [name, module.cwrap(entry, returns, Array(count).fill("number"))];
    }),
  ) as unknown as typeof module.tfjs;
  return module;
}
