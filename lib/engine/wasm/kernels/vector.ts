/**
 * Four floats at a time.
 *
 * AssemblyScript, as all of this folder: `deno task build:wasm` compiles it to `../kernels.wasm`.
 */

/** How many floats a panel of weights is wide: the output channels a register tile covers. */
export const PANEL = 8;

/** `a·b + c`. Fused, one rounding and one instruction, where the build has relaxed SIMD. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Whether a value replaces the maximum, as in PyTorch: the first of equals stays, NaN is above all. */
// @ts-ignore: decorator
@inline
export function beats(candidate: v128, best: v128): v128 {
  return v128.or(f32x4.gt(candidate, best), f32x4.ne(candidate, candidate));
}

/**
 * A factor below this in magnitude counts as zero. So products are 0 or at least 2^-124, which is a
 * normal number: with denormal ones a processor takes many times as long.
 */
export const LEAST_FACTOR: f32 = 2.168404344971009e-19;

/** A moment below this in magnitude is kept as zero: half of it is still a normal number. */
export const LEAST_KEPT: f32 = 7.52316384526264e-37;

/** Numbers below a limit in magnitude as zeros, all others and NaN as they are. */
// @ts-ignore: decorator
@inline
export function flushBelow(limit: f32, value: v128): v128 {
  return v128.andnot(value, f32x4.lt(f32x4.abs(value), f32x4.splat(limit)));
}

/** The same of one number. */
// @ts-ignore: decorator
@inline
export function flushOne(limit: f32, value: f32): f32 {
  return abs<f32>(value) < limit ? 0 : value;
}

/** Sets bytes to zero; a multiple of 16 of them. */
export function clear(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}

/** Adds a vector to the one at an address. */
// @ts-ignore: decorator
@inline
export function add(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}

/**
 * Adds two vectors to those at an address and behind it. The loads are ahead of the stores, so that V8 can
 * make one of two (`tools/revectorize.ts`).
 */
// @ts-ignore: decorator
@inline
export function addPair(at: usize, a: v128, b: v128): void {
  const x = f32x4.add(v128.load(at), a);
  const y = f32x4.add(v128.load(at, 16), b);
  v128.store(at, x);
  v128.store(at, y, 16);
}
