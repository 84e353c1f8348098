/**
 * Four floats at a time.
 *
 * AssemblyScript, as all of this folder: `deno task build:wasm` compiles it to `../kernels.wasm`.
 */

/** How many floats a panel of weights is wide: the output channels a register tile covers. */
export const PANEL = 8;

/** `a·b + c`. Fused, one rounding and one instruction, where the build has relaxed SIMD. */
// @ts-ignore: decorator

export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The larger of two, after PyTorch's rule: the first of equals stays, and NaN wins. */
// @ts-ignore: decorator

export function beats(candidate: v128, best: v128): v128 {
  return v128.or(f32x4.gt(candidate, best), f32x4.ne(candidate, candidate));
}

/** Sets bytes to zero; a multiple of 16 of them. */
export function clear(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

/** Adds a vector to the one at an address. */
export function add(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}
