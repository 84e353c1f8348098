/**
 * The head: maximum over the slices, linear layer, loss, and the gradients of all three.
 *
 * One workgroup with a thread a channel; on 60 slices it reads 60 kB, so nothing is gained by more.
 */
import type { KernelLaunch } from "../kernel.ts";
import { nanFunctions } from "../nan.ts";
import { STEP } from "../step.ts";
import { selectedBinding } from "../selected_slices.ts";

/**
 * The loss is the weighted cross-entropy of `lib/model/loss.ts`; its gradient by output `o` is
 * `w_o · (sigmoid(z_o) − t_o) / 2`.
 *
 * Bindings: `step`; `means`, `[slices, channels]`; `linear` and `gradient`, weights `[2, channels]`
 * and two biases; `selected`; `results`, a vector (loss, logit, logit, 0) for each slot of the ring.
 *
 * @param channels of the features, a power of two
 * @param pixels over how many the mean was taken: a channel's gradient is spread over them
 */
export function head(channels: number, pixels: number): KernelLaunch {
  // The gradient of the linear layer: two rows of weights, two biases.
  const linear = `array<f32, ${2 * channels + 2}>`;
  const code = `${nanFunctions("numbers")}
var<workgroup> products: array<vec2<f32>, ${channels}>;
var<workgroup> slice_of: array<u32, ${channels}>;

fn loss_of(logit: f32, target_value: f32) -> f32 {
  return max(logit, 0.0) + log(1.0 + exp(-abs(logit))) - target_value * logit;
}

// In a form that cannot overflow: beyond the largest number WGSL promises nothing.
fn sigmoid(logit: f32) -> f32 {
  let small = exp(-abs(logit));
  return select(small, 1.0, logit >= 0.0) / (1.0 + small);
}

@compute @workgroup_size(${channels})
fn main(@builtin(local_invocation_index) channel: u32) {
  // Of equals the first is the argmax, and NaN comes before all, as in PyTorch.
  var best = means[channel];
  var argmax = 0u;
  for (var slice = 1u; slice < step.slices; slice++) {
    let value = means[slice * ${channels}u + channel];
    if (beats(value, best)) {
      best = value;
      argmax = slice;
    }
  }
  let weights = vec2<f32>(linear[channel], linear[${channels}u + channel]);
  products[channel] = best * weights;
  slice_of[channel] = argmax;
  workgroupBarrier();
  for (var stride = ${channels / 2}u; stride > 0u; stride /= 2u) {
    if (channel < stride) { products[channel] += products[channel + stride]; }
    workgroupBarrier();
  }
  let logits = products[0] + vec2<f32>(linear[${2 * channels}], linear[${2 * channels + 1}]);
  let targets = vec2<f32>(1.0 - step.label, step.label);
  let scale = step.weights / 2.0;
  let d_logits = scale * (vec2<f32>(sigmoid(logits.x), sigmoid(logits.y)) - targets);
  gradient[channel] = d_logits.x * best;
  gradient[${channels}u + channel] = d_logits.y * best;
  selected.gradient[channel] = dot(d_logits, weights) / ${pixels}.0;
  selected.slice_of[channel] = argmax;

${_slicesInOrder(channels)}
  if (channel == 0u) {
    var count = 0u;
    for (var other = 0u; other < ${channels}u; other++) { count += u32(products[other].x); }
    selected.count = count;
    selected.first[count] = ${channels}u;
    gradient[${2 * channels}] = d_logits.x;
    gradient[${2 * channels + 1}] = d_logits.y;
    let losses = vec2<f32>(loss_of(logits.x, targets.x), loss_of(logits.y, targets.y));
    results[step.slot] = vec4<f32>(dot(losses, scale), logits, 0.0);
  }
}`;
  return {
    kernel: {
      label: "head",
      bindings: [
        STEP,
        { name: "means", type: "array<f32>", access: "read" },
        { name: "linear", type: linear, access: "read" },
        { name: "gradient", type: linear, access: "write" },
        selectedBinding("write", channels),
        { name: "results", type: "array<vec4<f32>>", access: "write" },
      ],
      code,
    },
    workgroups: () => [1],
  };
}

/** Lists the slices that a channel's maximum comes from, and each one's channels, both in order. */
function _slicesInOrder(channels: number): string {
  return `  // Each thread counts what comes before its channel: the order needs no sorting and no atomics.
  var slices_before = 0u;
  var channels_before = 0u;
  var order = 0u;
  var is_first = true;
  for (var other = 0u; other < ${channels}u; other++) {
    let slice = slice_of[other];
    if (slice == argmax && other < channel) {
      is_first = false;
      order += 1u;
    }
    if (slice < argmax) { channels_before += 1u; }
  }
  selected.channels[channels_before + order] = channel;
  workgroupBarrier();
  // A slice is counted at its first channel.
  products[channel].x = select(0.0, 1.0, is_first);
  workgroupBarrier();
  for (var other = 0u; other < ${channels}u; other++) {
    if (slice_of[other] < argmax && products[other].x > 0.0) { slices_before += 1u; }
  }
  if (is_first) {
    selected.slices[slices_before] = argmax;
    selected.first[slices_before] = channels_before;
  }`;
}
