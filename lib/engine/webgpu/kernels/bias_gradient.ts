/**
 * The gradient of a bias: the gradient of the output, summed over all pixels of all selected slices.
 */
import { pixelAt } from "../grid.ts";
import type { Tiles } from "../gpu.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { SELECTED_LIST } from "../selected_slices.ts";
import { type FilterGradient, partialSumSize } from "./filter_gradient_base.ts";

/**
 * The vectors of channels of a workgroup, and the threads that share the pixels of each. A GPU reads best
 * what lies side by side, and wants many threads that wait for memory at the same time.
 */
const WORKGROUPS = {
  registers: { wide: 1, sharing: 8 },
  shared: { wide: 16, sharing: 16 },
} as const satisfies Record<Tiles, unknown>;

/**
 * The threads of a vector share the pixels of a partial sum; what they sum up is added in the order of the
 * threads. The result goes behind the filter's, into the same partial sum.
 *
 * Bindings: `selected`; `dy`, of the output's grid; `partials`.
 */
export function biasGradient(gradient: FilterGradient, tiles: Tiles): KernelLaunch {
  const { output, partialSums } = gradient;
  const { wide, sharing } = WORKGROUPS[tiles];
  const outChannels = output.channels / 4;
  const stride = partialSumSize(gradient) / 4;
  const pixels = output.height * output.width;
  const code = `var<workgroup> sums: array<vec4<f32>, ${wide * sharing}>;

@compute @workgroup_size(${wide * sharing})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = selected.count * ${pixels}u;
  let begin = total / ${partialSums}u * group.y + min(group.y, total % ${partialSums}u);
  let end = begin + total / ${partialSums}u + select(0u, 1u, group.y < total % ${partialSums}u);
  let channel = group.x * ${wide}u + lane % ${wide}u;
  var sum = vec4<f32>();
  for (var pixel = begin + lane / ${wide}u; pixel < end; pixel += ${sharing}u) {
    let item = pixel / ${pixels}u;
    let row = pixel / ${output.width}u % ${output.height}u;
    let column = pixel % ${output.width}u;
    sum += dy[${pixelAt(output, "item", "row", "column")} + channel];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane < ${wide}u) {
    for (var i = 1u; i < ${sharing}u; i++) { sum += sums[i * ${wide}u + lane]; }
    partials[group.y * ${stride}u + ${stride - outChannels}u + channel] = sum;
  }
}`;
  return {
    kernel: {
      label: `${gradient.label}, bias`,
      bindings: [SELECTED_LIST, vectors("dy", "read"), vectors("partials", "write")],
      code,
    },
    workgroups: () => [outChannels / wide, partialSums],
  };
}
