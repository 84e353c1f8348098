// @ts-self-types="./binary.d.ts"

/**
 * The compiled WebAssembly module of the TensorFlow.js backend, and the function that runs it.
 *
 * Importing this file compiles the module, so it is imported only when the engine starts. A module
 * that is imported at the source phase needs no permission, whereas the backend's own loader wants
 * to read Deno's cache folder. JavaScript, because TypeScript does not know the syntax yet.
 *
 * @module
 */
import source binary from "npm:@tensorflow/tfjs-backend-wasm@4.22.0/dist/tfjs-backend-wasm-simd.wasm";
import instantiate from "npm:@tensorflow/tfjs-backend-wasm@4.22.0/wasm-out/tfjs-backend-wasm.js";

export { binary, instantiate };
