/**
 * What it takes to run the backward pass over an exam in parts: each part's own winners, and the sum of
 * the parts' gradients.
 *
 * @module
 */
import { elementGroups, elementwise, type KernelLaunch, vectors } from "../kernel.ts";
import { STEP, STEP_STRUCT } from "../step.ts";
import { CHANNELS, WINNERS_STRUCT, winnersBinding } from "../winners.ts";

/**
 * The winners among the slices of a part, numbered from its first slice. Channels that were won
 * elsewhere have a gradient of 0 and stand at slice 0.
 *
 * Bindings: `step`, whose slices are the part's; `all`, the exam's winners; `winners`, the part's.
 */
export function winnersOfPart(): KernelLaunch {
  const code = `${STEP_STRUCT}
${WINNERS_STRUCT}
@compute @workgroup_size(${CHANNELS})
fn main(@builtin(local_invocation_index) index: u32) {
  // Winning slices are listed in their own order, so a part's lie one after the other.
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
    winners.slices[index] = all.slices[before + index] - step.first;
    winners.first[index] = all.first[before + index];
  }
  winners.channels[index] = all.channels[index];
  let slice = all.slice_of[index];
  let here = slice >= step.first && slice < step.first + step.slices;
  winners.slice_of[index] = select(0u, slice - step.first, here);
  winners.gradient[index] = select(0.0, all.gradient[index], here);
  if (index == 0u) {
    winners.count = count;
    winners.first[count] = all.first[before + count];
  }
}`;
  return {
    kernel: {
      label: "winners of a part",
      bindings: [STEP, { name: "all", type: "Winners", access: "read" }, winnersBinding("write")],
      code,
    },
    workgroups: () => [1],
  };
}

/**
 * Adds a part's gradient to that of the exam, or begins it.
 *
 * Bindings: `gradient`, the part's; `total`; of both the first `count` numbers, whole vectors.
 *
 * @param begins whether this is the first part that is added: what `total` held does not count
 */
export function addGradient(count: number, begins: boolean): KernelLaunch {
  return {
    kernel: {
      label: begins ? "first part's gradient" : "a part's gradient",
      bindings: [vectors("gradient", "read"), vectors("total", "write")],
      code: elementwise(
        `${count / 4}u`,
        `total[index] = ${begins ? "gradient[index]" : "total[index] + gradient[index]"};`,
      ),
    },
    workgroups: () => elementGroups(count / 4),
  };
}
