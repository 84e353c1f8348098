/** The compiled module: WebAssembly with threads and relaxed SIMD. */
export const kernels: WebAssembly.Module;
