/** Adam over a range of the parameters, with the threads' gradients summed on the way. */
import { flushBelow, LEAST_FACTOR, LEAST_KEPT } from "./vector";

/**
 * Source: D. Kingma and J. Ba, Adam: A method for stochastic optimization, ICLR 2015, algorithm 1, with
 * the weight decay added to the gradient.
 *
 * The gradients are added in the order of the threads, so that a number of threads always gives the
 * same bits.
 *
 * @param parameter `[count]`, a multiple of 4; `first` and `second` are its moments
 * @param gradient `[count]` of the first thread; the others' are `stride` bytes apart
 * @param settings floats: β₁, 1 − β₁, β₂, 1 − β₂, ε, weight decay, √(1 − β₂ᵗ), rate / (1 − β₁ᵗ)
 */
export function adam(
  parameter: usize, first: usize, second: usize, gradient: usize, stride: usize, threads: i32,
  count: i32, settings: usize,
): void {
  const beta1 = v128.load32_splat(settings);
  const rest1 = v128.load32_splat(settings, 4);
  const beta2 = v128.load32_splat(settings, 8);
  const rest2 = v128.load32_splat(settings, 12);
  const epsilon = v128.load32_splat(settings, 16);
  const decay = v128.load32_splat(settings, 20);
  const correction = v128.load32_splat(settings, 24);
  const rate = v128.load32_splat(settings, 28);
  const end = (<usize> count) << 2;
  for (let i: usize = 0; i < end; i += 16) {
    let from = gradient + i;
    let sum = v128.load(from);
    for (let thread = 1; thread < threads; thread++) {
      from += stride;
      sum = f32x4.add(sum, v128.load(from));
    }
    const p = v128.load(parameter + i);
    const g = f32x4.add(sum, f32x4.mul(p, decay));
    // Without a gradient the moments shrink with every step, and would become denormal.
    const m = flushBelow(
      LEAST_KEPT,
      f32x4.add(f32x4.mul(v128.load(first + i), beta1), f32x4.mul(g, rest1)),
    );
    const factor = flushBelow(LEAST_FACTOR, g);
    const v = flushBelow(
      LEAST_KEPT,
      f32x4.add(
        f32x4.mul(v128.load(second + i), beta2),
        f32x4.mul(f32x4.mul(factor, factor), rest2),
      ),
    );
    v128.store(first + i, m);
    v128.store(second + i, v);
    const below = f32x4.add(f32x4.div(f32x4.sqrt(v), correction), epsilon);
    v128.store(parameter + i, f32x4.sub(p, f32x4.mul(f32x4.div(m, below), rate)));
  }
}
