/**
 * Which slices the gradient goes to.
 *
 * The maximum over the slices passes each channel's gradient to one slice, its argmax. A slice that no
 * channel selects gets none, so the backward pass runs over a list of the selected slices, made on the
 * GPU. Gradient buffers are numbered by the index in that list, activations by the slice.
 */
import type { Binding } from "./kernel.ts";

/** What most kernels know of the state: which slices are selected. */
const LIST = `struct Selected {
  // How many slices are the argmax of a channel.
  count: u32,
  // Those slices, in their own order.
  slices: array<u32>,
}`;

/** Which slices are selected; kernels that run over those bind the state under this name. */
export const SELECTED_LIST: Binding = {
  name: "selected",
  type: "Selected",
  access: "read",
  structure: LIST,
};

/**
 * The whole state of the maximum over the slices.
 *
 * @param channels of the features, and so the most slices that can be selected
 */
export function selectedBinding(
  access: "read" | "write",
  channels: number,
  name: string = "selected",
): Binding {
  const structure = `struct Selected {
  // As for kernels that know no more.
  count: u32,
  slices: array<u32, ${channels}>,
  // The argmax of each channel.
  slice_of: array<u32, ${channels}>,
  // The channels, sorted by their argmax, and where each selected slice's begin.
  channels: array<u32, ${channels}>,
  first: array<u32, ${channels + 1}>,
  // The gradient of each channel at each pixel that the mean is taken over.
  gradient: array<f32, ${channels}>,
}`;
  return { name, type: "Selected", access, structure };
}

/** The size of the state in bytes. */
export function selectedBytes(channels: number): number {
  return 4 * (1 + 5 * channels + 1);
}

/** What a kernel runs over: every slice of the exam, or the selected slices. */
export type Items = "slices" | "selected";

/** The number of items, and the slice an item is: WGSL expressions. */
export const ITEMS: Record<Items, { count: string; slice(item: string): string }> = {
  slices: { count: "step.slices", slice: (item) => item },
  selected: { count: "selected.count", slice: (item) => `selected.slices[${item}]` },
};
