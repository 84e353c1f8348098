/**
 * What it takes to run the backward pass over an exam in chunks: each chunk's own selected slices, and
 * the sum of the chunks' gradients.
 */
import { elementKernel } from "../element_kernel.ts";
import { type KernelLaunch, vectors } from "../kernel.ts";
import { STEP } from "../step.ts";
import { selectedBinding } from "../selected_slices.ts";

/**
 * The selected slices of a chunk, numbered from its first slice. A channel that selects a slice of another
 * chunk has a gradient of 0 and stands at slice 0.
 *
 * Bindings: `step`, whose slices are the chunk's; `all`, the exam's selected slices; `selected`, the
 * chunk's.
 *
 * @param channels of the features
 */
export function selectedOfChunk(channels: number): KernelLaunch {
  const code = `@compute @workgroup_size(${channels})
fn main(@builtin(local_invocation_index) index: u32) {
  // Selected slices are listed in their own order, so a chunk's lie one after the other.
  var before = 0u;
  var count = 0u;
  for (var i = 0u; i < all.count; i++) {
    let slice = all.slices[i];
    if (slice < step.first) {
      before += 1u;
    } else if (slice < step.first + step.slices) {
      count += 1u;
    }
  }
  if (index < count) {
    selected.slices[index] = all.slices[before + index] - step.first;
    selected.first[index] = all.first[before + index];
  }
  selected.channels[index] = all.channels[index];
  let slice = all.slice_of[index];
  let here = slice >= step.first && slice < step.first + step.slices;
  selected.slice_of[index] = select(0u, slice - step.first, here);
  selected.gradient[index] = select(0.0, all.gradient[index], here);
  if (index == 0u) {
    selected.count = count;
    selected.first[count] = all.first[before + count];
  }
}`;
  return {
    kernel: {
      label: "selected slices of a chunk",
      bindings: [
        STEP,
        selectedBinding("read", channels, "all"),
        selectedBinding("write", channels),
      ],
      code,
    },
    workgroups: () => [1],
  };
}

/**
 * Adds a chunk's gradient to that of the exam, or begins it.
 *
 * Bindings: `gradient`, the chunk's; `total`; of both the first `count` numbers, whole vectors.
 *
 * @param begins whether this is the first chunk that is added: what `total` held does not count
 */
export function addGradient(count: number, begins: boolean): KernelLaunch {
  return elementKernel({
    label: begins ? "first chunk's gradient" : "a chunk's gradient",
    bindings: [vectors("gradient", "read"), vectors("total", "write")],
    count: count / 4,
    body: `total[index] = ${begins ? "gradient[index]" : "total[index] + gradient[index]"};`,
  });
}
