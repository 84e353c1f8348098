/**
 * Batch normalisation whose running statistics stay as they are. It is part of the convolution ahead:
 *
 *     γ · (w * x − μ) / σ + β = (s · w) * x + (β − s · μ),    s = γ / σ
 *
 * So forward and backward know only the folded filters s · w and the folded bias β − s · μ. From their
 * gradients dw' and db' follow those of the parameters:
 *
 *     dw = s · dw',    dγ = (Σ w · dw' − μ · db') / σ,    dβ = db'
 *
 * because w * x is linear in w, so that Σ w · dw' is the sum of (w * x) times the gradient of the output.
 */
import { flushBelow, LEAST_FACTOR, madd } from "./vector";

/**
 * The folded filters and bias of the eight channels of one panel.
 *
 * @param weights `[length][8]`
 * @param out `[length][8]`; may be `weights`
 * @param gamma `[8]`, as are `beta`, `mean`, `deviation` and `bias`, which is written
 */
export function foldPanel(
  weights: usize, length: i32, gamma: usize, beta: usize, mean: usize, deviation: usize, out: usize,
  bias: usize,
): void {
  const sa = f32x4.div(v128.load(gamma), v128.load(deviation));
  const sb = f32x4.div(v128.load(gamma, 16), v128.load(deviation, 16));
  const ba = f32x4.sub(v128.load(beta), f32x4.mul(v128.load(mean), sa));
  const bb = f32x4.sub(v128.load(beta, 16), f32x4.mul(v128.load(mean, 16), sb));
  v128.store(bias, ba);
  v128.store(bias, bb, 16);
  for (let end = weights + ((<usize> length) << 5); weights < end; weights += 32, out += 32) {
    const wa = flushBelow(LEAST_FACTOR, f32x4.mul(v128.load(weights), sa));
    const wb = flushBelow(LEAST_FACTOR, f32x4.mul(v128.load(weights, 16), sb));
    v128.store(out, wa);
    v128.store(out, wb, 16);
  }
}

/**
 * From the gradients of a panel's folded filters and bias to those of its parameters. The bias's stays.
 *
 * @param weights `[length][8]`
 * @param gradient `[length][8]`; that of the folded filters, which those of the filters replace
 * @param gammaGradient `[8]`; written
 */
export function unfoldPanel(
  weights: usize, gradient: usize, length: i32, gamma: usize, mean: usize, deviation: usize,
  biasGradient: usize, gammaGradient: usize,
): void {
  const da = v128.load(deviation);
  const db = v128.load(deviation, 16);
  const sa = f32x4.div(v128.load(gamma), da);
  const sb = f32x4.div(v128.load(gamma, 16), db);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (let end = weights + ((<usize> length) << 5); weights < end; weights += 32, gradient += 32) {
    const ga = v128.load(gradient);
    const gb = v128.load(gradient, 16);
    a = madd(ga, v128.load(weights), a);
    b = madd(gb, v128.load(weights, 16), b);
    v128.store(gradient, f32x4.mul(ga, sa));
    v128.store(gradient, f32x4.mul(gb, sb), 16);
  }
  a = f32x4.sub(a, f32x4.mul(v128.load(mean), v128.load(biasGradient)));
  b = f32x4.sub(b, f32x4.mul(v128.load(mean, 16), v128.load(biasGradient, 16)));
  v128.store(gammaGradient, f32x4.div(a, da));
  v128.store(gammaGradient, f32x4.div(b, db), 16);
}

/**
 * The same for the first layer, whose filters lie one after the other in rows of 12 taps. Its three input
 * channels see the same, so they share one gradient.
 *
 * @param weights `[3][channels][12][12]`; input channels are `stride` bytes apart
 * @param gradient `[channels][12][12]`
 * @param side rows and columns of a filter; what lies beyond them is of no filter
 */
export function unfoldFilters(
  weights: usize, stride: usize, gradient: usize, channels: i32, side: i32, gamma: usize, mean: usize,
  deviation: usize, biasGradient: usize, gammaGradient: usize,
): void {
  const end = (<usize> channels) << 2;
  for (let channel: usize = 0; channel < end; channel += 4) {
    const sigma = load<f32>(deviation + channel);
    const scale = load<f32>(gamma + channel) / sigma;
    let sum: f32 = 0;
    for (let row = 0; row < 12; row++) {
      for (let tap = 0; tap < 12; tap++, weights += 4, gradient += 4) {
        const each = load<f32>(gradient);
        store<f32>(gradient, each * scale);
        if (row >= side || tap >= side) continue;
        const all = load<f32>(weights) + load<f32>(weights + stride) + load<f32>(weights + 2 * stride);
        sum += each * all;
      }
    }
    const shifted = load<f32>(mean + channel) * load<f32>(biasGradient + channel);
    store<f32>(gammaGradient + channel, (sum - shifted) / sigma);
  }
}
