/**
 * Batch normalisation whose running statistics stay as they are. It is part of the convolution ahead:
 *
 *     γ · (w * x − μ) / σ + β = (s · w) * x + (β − s · μ),    s = γ / σ,    σ = √(variance + ε)
 *
 * So forward and backward know only the folded filters s · w and the folded bias β − s · μ. From their
 * gradients dw' and db' follow those of the parameters, without another pass over the images:
 *
 *     dw = s · dw',    dγ = (Σ w · dw' − μ · db') / σ,    dβ = db'
 *
 * because w * x is linear in w, so that Σ w · dw' is the sum of (w * x) times the gradient of the output.
 */
import { elementKernel } from "../element_kernel.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import type { Filter } from "./filter_layouts.ts";

/** PyTorch's default, which torchvision's networks have. */
const EPSILON = 1e-5;

/** Threads that share the filters of four output channels. */
const SHARING = 64;

/** σ of the vector `channel`, of `channels` vectors. */
function deviation(channels: number): string {
  return `sqrt(statistics[${channels}u + channel] + ${EPSILON})`;
}

/**
 * The folded filters and bias; to be made anew when the parameters have changed.
 *
 * Bindings: `parameters`, `[size, size, inChannels, outChannels]`, γ, β; `statistics`, μ and variance;
 * `folded`, `[size, size, inChannels, outChannels]` and a bias.
 */
export function foldBatchNorm(
  { label, size, inChannels, outChannels }: Filter,
): KernelLaunch {
  const channels = outChannels / 4;
  const filters = size * size * inChannels * channels;
  return elementKernel({
    label: `${label}, batch normalisation`,
    bindings: [
      vectors("parameters", "read"),
      vectors("statistics", "read"),
      vectors("folded", "write"),
    ],
    count: filters + channels,
    body: `let channel = index % ${channels}u;
  let scale = parameters[${filters}u + channel] / ${deviation(channels)};
  if (index < ${filters}u) {
    folded[index] = parameters[index] * scale;
  } else {
    folded[index] = parameters[${filters + channels}u + channel] - statistics[channel] * scale;
  }`,
  });
}

/**
 * From the gradients of the folded filters and bias to those of the parameters.
 *
 * Bindings: `parameters` and `statistics` as for {@linkcode foldBatchNorm}; `folded`, the gradient of what
 * that wrote; `gradient`, that of the parameters.
 */
export function batchNormGradient(
  { label, size, inChannels, outChannels }: Filter,
): KernelLaunch {
  const channels = outChannels / 4;
  const rows = size * size * inChannels;
  const filters = rows * channels;
  const code = `var<workgroup> sums: array<vec4<f32>, ${SHARING}>;

@compute @workgroup_size(${SHARING})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let channel = group.x;
  let deviation = ${deviation(channels)};
  let scale = parameters[${filters}u + channel] / deviation;
  var sum = vec4<f32>();
  for (var row = lane; row < ${rows}u; row += ${SHARING}u) {
    let at = row * ${channels}u + channel;
    gradient[at] = folded[at] * scale;
    sum += folded[at] * parameters[at];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var other = 1u; other < ${SHARING}u; other++) { sum += sums[other]; }
    let bias = folded[${filters}u + channel];
    gradient[${filters}u + channel] = (sum - statistics[channel] * bias) / deviation;
    gradient[${filters + channels}u + channel] = bias;
  }
}`;
  return {
    kernel: {
      label: `${label}, batch normalisation, gradient`,
      bindings: [
        vectors("parameters", "read"),
        vectors("statistics", "read"),
        vectors("folded", "read"),
        vectors("gradient", "write"),
      ],
      code,
    },
    workgroups: () => [channels],
  };
}
