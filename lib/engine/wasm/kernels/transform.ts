/** What the transforms of Winograd's algorithm have in common. */
import { flushBelow, LEAST_FACTOR, madd } from "./vector";

/** `a` times a number. */
// @ts-ignore: decorator
@inline
export function times(a: v128, factor: f32): v128 {
  return f32x4.mul(a, f32x4.splat(factor));
}

/** `a` times a number, plus `b`. */
// @ts-ignore: decorator
@inline
export function plus(a: v128, factor: f32, b: v128): v128 {
  return madd(a, f32x4.splat(factor), b);
}

/** Stores a number of a transform, the last one's ready to be a factor. */
// @ts-ignore: decorator
@inline
export function put(to: usize, value: v128, last: bool): void {
  v128.store(to, last ? flushBelow(LEAST_FACTOR, value) : value);
}

/** The numbers at a point and at its negative: a polynomial's even terms plus and minus its odd ones. */
// @ts-ignore: decorator
@inline
export function putPair(to: usize, stride: usize, even: v128, odd: v128, last: bool): void {
  put(to, f32x4.add(even, odd), last);
  put(to + stride, f32x4.sub(even, odd), last);
}

/** Stores an output. */
// @ts-ignore: decorator
@inline
export function putOutput(at: usize, value: v128, bias: v128, relu: i32): void {
  const sum = f32x4.add(value, bias);
  v128.store(at, relu ? f32x4.max(sum, f32x4.splat(0)) : sum);
}
