/**
 * Starts TensorFlow.js on WebAssembly, with SIMD if the runtime has it and without any permission.
 */
import * as tf from "../../tf.ts";
import { findCapabilities } from "./capabilities.ts";
import { registerConv2DGradients } from "./conv2d_gradients.ts";

/** The C functions that the backend calls, under its names for them, with their argument counts. */
const ENTRIES = {
  init: ["init", 0],
  initWithThreadsCount: ["init_with_threads_count", 1],
  getThreadsCount: ["get_threads_count", 0],
  registerTensor: ["register_tensor", 3],
  disposeData: ["dispose_data", 1],
  dispose: ["dispose", 0],
} as const;

/** Registers the `wasm` backend in a form that starts in Deno, and the gradients it lacks. */
export async function registerWasm(): Promise<void> {
  const [{ BackendWasm }, { loadBinary, instantiate }] = await Promise.all([
    tf.loadWasm(),
    import("./binary.js"),
  ]);
  const binary = await loadBinary(findCapabilities());
  // The package has registered a loader that needs a permission; ours takes its place.
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", async () => {
    const module = await instantiate({
      instantiateWasm(imports, done) {
        WebAssembly.instantiate(binary, imports).then((instance) => done(instance, binary));
        return {};
      },
    });
    module.tfjs = Object.fromEntries(
      Object.entries(ENTRIES).map(([name, [entry, count]]) => {
        const returns = name === "getThreadsCount" ? "number" : null;
        return [name, module.cwrap(entry, returns, Array(count).fill("number"))];
      }),
    ) as unknown as typeof module.tfjs;
    return new BackendWasm(module);
  }, 2);
  registerConv2DGradients();
}
