/**
 * The three small matrices of Winograd's algorithm, times a column of vectors.
 *
 * A tile's side is the number of its points. A sum over `taps` numbers that is wanted at `outputs` places
 * takes `outputs + taps − 1` of them, whichever of the two are the filter:
 *
 * | side | points                        |
 * | ---- | ----------------------------- |
 * | 6    | 0, ±5/8, ±3/2, infinity       |
 * | 7    | 0, ±1, ±2, 3/8, infinity      |
 * | 8    | 0, ±1, ±2, ±1/2, infinity     |
 *
 * `B` multiplies the tile by all points but one, `G` evaluates the taps at each point and divides by the
 * product of its distances to the others, `A` interpolates. Sides are constants where these functions are
 * called, so that the compiler keeps one branch.
 *
 * Among symmetric points of few binary digits these have the least error on noise: with side 6 a convolution
 * of 3×3 filters is half as far from the exact one as with the usual ±1 and ±2.
 *
 * Source: A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016; about points,
 * B. Barabasz et al., Error analysis and improving the accuracy of Winograd convolution, ACM TOMS 2020.
 */
import { flushBelow, LEAST_FACTOR, madd } from "./vector";

/** The points of side 6, their squares, and how far apart these are. */
const NEAR: f32 = 0.625;
const FAR: f32 = 1.5;
const NEAR2: f32 = NEAR * NEAR;
const FAR2: f32 = FAR * FAR;
const APART: f32 = FAR2 - NEAR2;
/** The one of side 7 without a negative. */
const ODD: f32 = 0.375;

/** `a` times a number. */
// @ts-ignore: decorator
@inline
function times(a: v128, factor: f32): v128 {
  return f32x4.mul(a, f32x4.splat(factor));
}

/** `a` times a number, plus `b`. */
// @ts-ignore: decorator
@inline
function plus(a: v128, factor: f32, b: v128): v128 {
  return madd(a, f32x4.splat(factor), b);
}

/** Stores a number of a transform, the last one's ready to be a factor. */
// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, last: bool): void {
  v128.store(to, last ? flushBelow(LEAST_FACTOR, value) : value);
}

/** The numbers at a point and at its negative: a polynomial's even terms plus and minus its odd ones. */
// @ts-ignore: decorator
@inline
function putPair(to: usize, stride: usize, even: v128, odd: v128, last: bool): void {
  put(to, f32x4.add(even, odd), last);
  put(to + stride, f32x4.sub(even, odd), last);
}

/**
 * `G` times a column of up to five taps, the last of which is `end`.
 *
 * @param a the first taps; zeros where there are fewer
 * @param end the last tap once more: what is at infinity
 * @param stride bytes between two numbers of the result
 */
// @ts-ignore: decorator
@inline
export function expand(
  side: i32, a: v128, b: v128, c: v128, d: v128, e: v128, end: v128, last: bool, to: usize, stride: usize,
): void {
  // At 1 and 2, of sides 7 and 8.
  const even = f32x4.add(f32x4.add(a, c), e);
  const odd = f32x4.add(b, d);
  const even2 = plus(e, 16, plus(c, 4, a));
  const odd2 = plus(d, 4, b);
  if (side == 6) {
    const near = plus(c, NEAR2, a);
    const far = plus(c, FAR2, a);
    const oddNear = times(plus(d, NEAR2, b), NEAR);
    const oddFar = times(plus(d, FAR2, b), FAR);
    put(to, times(a, 1 / (NEAR2 * FAR2)), last);
    const ofNear: f32 = -1 / (2 * NEAR2 * APART);
    putPair(to + stride, stride, times(near, ofNear), times(oddNear, ofNear), last);
    const ofFar: f32 = 1 / (2 * FAR2 * APART);
    putPair(to + 3 * stride, stride, times(far, ofFar), times(oddFar, ofFar), last);
    put(to + 5 * stride, end, last);
  } else if (side == 7) {
    put(to, times(a, -1 / (4 * ODD)), last);
    put(to + stride, times(f32x4.add(even, odd), -1 / (6 * (1 - ODD))), last);
    put(to + 2 * stride, times(f32x4.sub(even, odd), 1 / (6 * (1 + ODD))), last);
    put(to + 3 * stride, times(plus(odd2, 2, even2), 1 / (24 * (2 - ODD))), last);
    put(to + 4 * stride, times(plus(odd2, -2, even2), -1 / (24 * (2 + ODD))), last);
    const atOdd = plus(plus(plus(plus(e, ODD, d), ODD, c), ODD, b), ODD, a);
    put(to + 5 * stride, times(atOdd, 1 / (ODD * (1 - ODD * ODD) * (4 - ODD * ODD))), last);
    put(to + 6 * stride, end, last);
  } else {
    const evenHalf = plus(e, 1.0 / 16.0, plus(c, 0.25, a));
    const oddHalf = plus(d, 0.25, b);
    put(to, a, last);
    putPair(to + stride, stride, times(even, -2.0 / 9.0), times(odd, -2.0 / 9.0), last);
    putPair(to + 3 * stride, stride, times(even2, 1.0 / 90.0), times(odd2, 1.0 / 45.0), last);
    putPair(to + 5 * stride, stride, times(evenHalf, 32.0 / 45.0), times(oddHalf, 16.0 / 45.0), last);
    put(to + 7 * stride, end, last);
  }
}

/** `Bᵀ` times a column of as many numbers as the side has. */
// @ts-ignore: decorator
@inline
export function spread(
  side: i32, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128, last: bool, to: usize,
  stride: usize,
): void {
  if (side == 6) {
    put(to, plus(c, -(NEAR2 + FAR2), plus(a, NEAR2 * FAR2, e)), last);
    putPair(to + stride, stride, plus(c, -FAR2, e), times(plus(b, -FAR2, d), NEAR), last);
    putPair(to + 3 * stride, stride, plus(c, -NEAR2, e), times(plus(b, -NEAR2, d), FAR), last);
    put(to + 5 * stride, plus(d, -(NEAR2 + FAR2), plus(b, NEAR2 * FAR2, f)), last);
  } else if (side == 7) {
    // Times (x² − 1)(x² − 4), then also times x and times x − ODD.
    const all = plus(c, -5, plus(a, 4, e));
    const next = plus(d, -5, plus(b, 4, f));
    put(to, plus(all, -ODD, next), last);
    const far = plus(c, -4, e);
    const nextFar = plus(d, -4, f);
    putPair(to + stride, stride, plus(far, -ODD, nextFar), plus(plus(b, -4, d), -ODD, far), last);
    const near = f32x4.sub(e, c);
    const odd = plus(f32x4.sub(d, b), -ODD, near);
    putPair(to + 3 * stride, stride, plus(near, -ODD, f32x4.sub(f, d)), times(odd, 2), last);
    put(to + 5 * stride, next, last);
    put(to + 6 * stride, plus(next, -ODD, plus(e, -5, plus(c, 4, g))), last);
  } else {
    const even = plus(e, -4.25, f32x4.add(c, g));
    const odd = plus(d, -4.25, f32x4.add(b, f));
    const even2 = plus(c, 0.25, plus(e, -1.25, g));
    const odd2 = plus(f, 2, plus(d, -2.5, times(b, 0.5)));
    const evenHalf = plus(c, 4, plus(e, -5, g));
    const oddHalf = plus(b, 2, plus(d, -2.5, times(f, 0.5)));
    put(to, plus(f32x4.sub(e, c), 5.25, f32x4.sub(a, g)), last);
    putPair(to + stride, stride, even, odd, last);
    putPair(to + 3 * stride, stride, even2, odd2, last);
    putPair(to + 5 * stride, stride, evenHalf, oddHalf, last);
    put(to + 7 * stride, plus(f32x4.sub(d, f), 5.25, f32x4.sub(h, b)), last);
  }
}

/**
 * Number `k` of `Aᵀ` times a column of as many numbers as the side has.
 *
 * @param end whether it is the last that is wanted, to which the number at infinity is added
 */
// @ts-ignore: decorator
@inline
export function interpolate(
  side: i32, k: i32, end: bool, m0: v128, m1: v128, m2: v128, m3: v128, m4: v128, m5: v128, m6: v128,
  m7: v128,
): v128 {
  const one = k % 2 == 0 ? f32x4.add(m1, m2) : f32x4.sub(m1, m2);
  const two = k % 2 == 0 ? f32x4.add(m3, m4) : f32x4.sub(m3, m4);
  let sum: v128;
  if (side == 6) {
    if (k == 0) sum = f32x4.add(f32x4.add(m0, one), two);
    else if (k == 1) sum = plus(two, FAR, times(one, NEAR));
    else if (k == 2) sum = plus(two, FAR2, times(one, NEAR2));
    else sum = plus(two, FAR * FAR2, times(one, NEAR * NEAR2));
  } else {
    if (k == 0) sum = f32x4.add(f32x4.add(m0, one), two);
    else if (k == 1) sum = plus(two, 2, one);
    else if (k == 2) sum = plus(two, 4, one);
    else if (k == 3) sum = plus(two, 8, one);
    else sum = plus(two, 16, one);
    const point: f32 = side == 7 ? ODD : 0.5;
    const three = side == 7 ? m5 : k % 2 == 0 ? f32x4.add(m5, m6) : f32x4.sub(m5, m6);
    if (k == 0) sum = f32x4.add(sum, three);
    else if (k == 1) sum = plus(three, point, sum);
    else if (k == 2) sum = plus(three, point * point, sum);
    else if (k == 3) sum = plus(three, point * point * point, sum);
    else sum = plus(three, point * point * point * point, sum);
  }
  if (!end) return sum;
  if (side == 6) return f32x4.add(sum, m5);
  if (side == 7) return f32x4.add(sum, m6);
  return f32x4.add(sum, m7);
}
