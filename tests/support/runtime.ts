/**
 * This runtime as if it had less.
 */

/** What can be taken away. */
export type Part = "relaxed SIMD" | "shared memory" | "several memories" | "workers";

/** The bytes of `f32x4.relaxed_madd` in a module. */
const RELAXED_MADD = "253,133,2";
/** Those of two memories. */
const MEMORIES = "5,5,2,0,1,0,1";

/** Runs a body where these parts are missing. */
export async function without<T>(parts: readonly Part[], body: () => Promise<T>): Promise<T> {
  const { SharedArrayBuffer, Worker, WebAssembly: { validate } } = globalThis;
  const scope: Record<string, unknown> = globalThis;
  if (parts.includes("shared memory")) scope.SharedArrayBuffer = undefined;
  if (parts.includes("workers")) scope.Worker = undefined;
  const refused = [
    ...(parts.includes("relaxed SIMD") ? [RELAXED_MADD] : []),
    ...(parts.includes("several memories") ? [MEMORIES] : []),
  ];
  WebAssembly.validate = (bytes) => {
    const text = new Uint8Array(bytes as ArrayBuffer).join();
    return !refused.some((each) => text.includes(each)) && validate(bytes);
  };
  try {
    return await body();
  } finally {
    Object.assign(globalThis, { SharedArrayBuffer, Worker });
    WebAssembly.validate = validate;
  }
}
