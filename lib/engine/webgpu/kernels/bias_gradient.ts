/**
 * The gradient of a bias: the gradient of the output, summed over all pixels of all winning slices.
 *
 * @module
 */
import { pixelAt } from "../grid.ts";
import { type Sized, vectors } from "../kernel.ts";
import { WINNERS_STRUCT, winnersBinding } from "../winners.ts";
import { type FilterGradient, partSize } from "./filter_gradient.ts";

/** Threads that share the columns of a row. */
const THREADS = 8;

/**
 * A workgroup a vector of channels and part; its threads take turns at the pixels, and their sums are
 * added in the order of the threads. The sums go behind those of the filter, into the same parts.
 *
 * Bindings: `winners`; `dy`, of the output's grid; `parts`.
 */
export function biasGradient(gradient: FilterGradient): Sized {
  const { output, parts } = gradient;
  const outChannels = output.channels / 4;
  const part = partSize(gradient) / 4;
  const pixels = output.height * output.width;
  const code = `${WINNERS_STRUCT}
var<workgroup> sums: array<vec4<f32>, ${THREADS}>;

@compute @workgroup_size(${THREADS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let total = winners.count * ${pixels}u;
  let begin = total / ${parts}u * group.y + min(group.y, total % ${parts}u);
  let end = begin + total / ${parts}u + select(0u, 1u, group.y < total % ${parts}u);
  var sum = vec4<f32>();
  for (var pixel = begin + lane; pixel < end; pixel += ${THREADS}u) {
    let item = pixel / ${pixels}u;
    let row = pixel / ${output.width}u % ${output.height}u;
    let column = pixel % ${output.width}u;
    sum += dy[${pixelAt(output, "item", "row", "column")} + group.x];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < ${THREADS}u; i++) { sum += sums[i]; }
    parts[group.y * ${part}u + ${part - outChannels}u + group.x] = sum;
  }
}`;
  return {
    kernel: {
      label: `${gradient.label}, bias`,
      bindings: [winnersBinding("read"), vectors("dy", "read"), vectors("parts", "write")],
      code,
    },
    workgroups: () => [outChannels, parts],
  };
}
