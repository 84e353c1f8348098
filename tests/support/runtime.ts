/**
 * This runtime as if it had less.
 */

/** What can be taken away. */
export type Part = "relaxed SIMD" | "shared memory" | "workers";

/** The bytes of `f32x4.relaxed_madd` in a module. */
const RELAXED_MADD = "253,133,2";

/** Runs a body where these parts are missing. */
export async function without<T>(parts: readonly Part[], body: () => Promise<T>): Promise<T> {
  const { SharedArrayBuffer, Worker, WebAssembly: { validate } } = globalThis;
  const scope: Record<string, unknown> = globalThis;
  if (parts.includes("shared memory")) scope.SharedArrayBuffer = undefined;
  if (parts.includes("workers")) scope.Worker = undefined;
  if (parts.includes("relaxed SIMD")) {
    WebAssembly.validate = (bytes) =>
      !new Uint8Array(bytes as ArrayBuffer).join().includes(RELAXED_MADD) && validate(bytes);
  }
  try {
    return await body();
  } finally {
    Object.assign(globalThis, { SharedArrayBuffer, Worker });
    WebAssembly.validate = validate;
  }
}
