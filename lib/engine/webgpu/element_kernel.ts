/** Kernels with one thread an element. */
import type { Kernel, KernelLaunch, Workgroups } from "./kernel.ts";
import { ITEMS, type Items } from "./selected_slices.ts";

/** Threads in a workgroup. */
export const ELEMENTS = 64;

/** WebGPU's least limit for workgroups along one axis. */
const MAX_WORKGROUPS = 65_535;

/** What a kernel with one thread an element is made of. */
export interface ElementKernel extends Pick<Kernel, "label" | "bindings"> {
  /** How many elements there are, or how many an item has. */
  count: number;
  /**
   * The items, if there are `count` elements of each.
   * @default `count` is all of them
   */
  items?: Items;
  /** WGSL functions that the body calls. */
  functions?: string;
  /** WGSL that computes the element `index`; it knows the workgroups along each axis as `groups`. */
  body: string;
}

/** The kernel, with a thread for each element; threads beyond the last return at once. */
export function elementKernel(
  { label, bindings, count, items, functions = "", body }: ElementKernel,
): KernelLaunch {
  const all = items === undefined ? `${count}u` : `${ITEMS[items].count} * ${count}u`;
  const code = `${functions}
@compute @workgroup_size(${ELEMENTS})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = ((group.z * groups.y + group.y) * groups.x + group.x) * ${ELEMENTS}u + lane;
  if (index >= ${all}) { return; }
  ${body}
}`;
  return {
    kernel: { label, bindings, code },
    workgroups: (slices) => _groups(items === undefined ? count : slices * count),
  };
}

function _groups(count: number): Workgroups {
  const groups = Math.max(1, Math.ceil(count / ELEMENTS));
  const rows = Math.ceil(groups / MAX_WORKGROUPS);
  return [Math.ceil(groups / rows), rows];
}
