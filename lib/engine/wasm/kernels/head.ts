/** From the slices' channel means to the loss, and back. */
import { flushOne, LEAST_FACTOR } from "./vector";

/**
 * Maximum over the slices, linear layer, weighted cross-entropy; and the gradients down to the maximum.
 *
 * Sums are double precision. Every thread computes all of it: that is cheaper than waiting for one.
 *
 * @param means `[slices][channels]`
 * @param weights `[2][channels]`
 * @param bias `[2]`
 * @param stepInput the label, then what the two outputs count in the loss, three doubles
 * @param answer loss and two logits, three doubles
 * @param argmax `[channels]`; the slice each channel is largest in, the first of equals
 * @param gradient `[channels]`; of the maxima
 * @param weightGradient `[2][channels]`, added to; 0 if another thread does that
 * @param biasGradient `[2]`, added to
 * @param owners `[slices]`; which thread goes back through the slice, -1 where no channel selected it
 */
export function head(
  means: usize, slices: i32, channels: i32, weights: usize, bias: usize, stepInput: usize,
  answer: usize, argmax: usize, gradient: usize, weightGradient: usize, biasGradient: usize,
  owners: usize, threads: i32,
): void {
  const row = (<usize> channels) << 2;
  for (let slice = 0; slice < slices; slice++) store<i32>(owners + ((<usize> slice) << 2), -1);
  let logit0 = <f64> load<f32>(bias);
  let logit1 = <f64> load<f32>(bias, 4);
  for (let channel: usize = 0; channel < row; channel += 4) {
    let best = load<f32>(means + channel);
    let selected = 0;
    for (let slice = 1; slice < slices; slice++) {
      const value = load<f32>(means + <usize> slice * row + channel);
      if (value > best || value != value) {
        best = value;
        selected = slice;
      }
    }
    store<i32>(argmax + channel, selected);
    store<i32>(owners + ((<usize> selected) << 2), 0);
    logit0 += <f64> best * <f64> load<f32>(weights + channel);
    logit1 += <f64> best * <f64> load<f32>(weights + row + channel);
  }
  // The engines' logits are single precision.
  logit0 = <f64> <f32> logit0;
  logit1 = <f64> <f32> logit1;
  const label = load<f64>(stepInput);
  const weight0 = load<f64>(stepInput, 8);
  const weight1 = load<f64>(stepInput, 16);
  const loss = weight0 * (softplus(logit0) - (1 - label) * logit0) +
    weight1 * (softplus(logit1) - label * logit1);
  store<f64>(answer, loss / 2);
  store<f64>(answer, logit0, 8);
  store<f64>(answer, logit1, 16);
  const d0 = weight0 * (sigmoid(logit0) - (1 - label)) / 2;
  const d1 = weight1 * (sigmoid(logit1) - label) / 2;
  for (let channel: usize = 0; channel < row; channel += 4) {
    const sum = d0 * <f64> load<f32>(weights + channel) +
      d1 * <f64> load<f32>(weights + row + channel);
    store<f32>(gradient + channel, flushOne(LEAST_FACTOR, <f32> sum));
    if (weightGradient == 0) continue;
    const best = load<f32>(means + <usize> load<i32>(argmax + channel) * row + channel);
    const to = weightGradient + channel;
    store<f32>(to, load<f32>(to) + flushOne(LEAST_FACTOR, <f32> (d0 * <f64> best)));
    store<f32>(to + row, load<f32>(to + row) + flushOne(LEAST_FACTOR, <f32> (d1 * <f64> best)));
  }
  if (weightGradient != 0) {
    store<f32>(biasGradient, load<f32>(biasGradient) + <f32> d0);
    store<f32>(biasGradient, load<f32>(biasGradient, 4) + <f32> d1, 4);
  }
  let owner = 0;
  for (let slice = 0; slice < slices; slice++) {
    const at = owners + ((<usize> slice) << 2);
    if (load<i32>(at) == 0) store<i32>(at, owner++ % threads);
  }
}

/**
 * The next slices that a thread goes back through.
 *
 * @param owners as {@link head} writes them
 * @param most slices of a group
 * @param group words: the slice to begin at, 0 at first; how many slices follow in the group; 1 if it is full,
 *   so that there may be another one; and these slices
 */
export function nextGroup(owners: usize, slices: i32, thread: i32, most: i32, group: usize): void {
  let slice = load<i32>(group);
  let count = 0;
  for (; slice < slices && count < most; slice++) {
    if (load<i32>(owners + ((<usize> slice) << 2)) != thread) continue;
    store<i32>(group + ((<usize> count) << 2), slice, 12);
    count++;
  }
  store<i32>(group, slice);
  store<i32>(group, count, 4);
  store<i32>(group, count == most ? 1 : 0, 8);
}

/**
 * The gradient of one slice's pixels before the mean, `[pixels][channels]`.
 *
 * @param which address of the slice's number
 */
export function spreadToPixels(
  gradient: usize, argmax: usize, which: usize, out: usize, pixels: i32, channels: i32,
): void {
  const slice = load<i32>(which);
  const row = (<usize> channels) << 2;
  for (let channel: usize = 0; channel < row; channel += 4) {
    const selected = load<i32>(argmax + channel) == slice;
    const share = selected ? load<f32>(gradient + channel) / <f32> pixels : 0;
    let to = out + channel;
    for (let pixel = 0; pixel < pixels; pixel++, to += row) store<f32>(to, share);
  }
}

/** `log(1 + eˣ)`, without overflow. */
function softplus(x: f64): f64 {
  return max<f64>(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x: f64): f64 {
  return 1 / (1 + Math.exp(-x));
}
