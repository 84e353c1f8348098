// @ts-self-types="./binary.d.ts"

/**
 * The compiled WebAssembly module of the TensorFlow.js backend, and the function that runs it.
 *
 * A module that is imported at the source phase needs no permission, as long as its name is written
 * out here, whereas the backend's own loader wants to read Deno's cache folder. JavaScript, because
 * TypeScript does not know the syntax yet.
 */
/** Loaded, but not run before it is called. */
const loadEmscripten = () => {
  return import.defer("npm:@tensorflow/tfjs-backend-wasm@4.22.0/wasm-out/tfjs-backend-wasm.js");
};

const loadBinary = ({ simd }) => {
  return simd
    ? import.source("npm:@tensorflow/tfjs-backend-wasm@4.22.0/dist/tfjs-backend-wasm-simd.wasm")
    : import.source("npm:@tensorflow/tfjs-backend-wasm@4.22.0/dist/tfjs-backend-wasm.wasm");
};

export { loadBinary, loadEmscripten };
