/**
 * Which slices the gradient goes to.
 *
 * The maximum over the slices passes each channel's gradient to one slice, its argmax. A slice that no
 * channel selects gets none, so the backward pass runs over a list of the selected slices, made on the
 * GPU. Gradient buffers are numbered by the index in that list, activations by the slice.
 */
import type { Binding } from "./kernel.ts";

/** Channels of the last convolution, and so the most slices that can be selected. */
export const CHANNELS = 256;

/** The WGSL of the state. */
const STRUCTURE = `struct Selected {
  // How many slices are the argmax of a channel.
  count: u32,
  // Those slices, in their own order.
  slices: array<u32, ${CHANNELS}>,
  // The argmax of each channel.
  slice_of: array<u32, ${CHANNELS}>,
  // The channels, sorted by their argmax, and where each selected slice's begin.
  channels: array<u32, ${CHANNELS}>,
  first: array<u32, ${CHANNELS + 1}>,
  // The gradient of each channel at each window of the last pool.
  gradient: array<f32, ${CHANNELS}>,
}`;

/** The state of the maximum over the slices; kernels bind it under this name. */
export function selectedBinding(access: "read" | "write"): Binding {
  return { name: "selected", type: "Selected", access, structure: STRUCTURE };
}

/** Its size in bytes. */
export const SELECTED_BYTES = 4 * (1 + 5 * CHANNELS + 1);

/** What a kernel runs over: every slice of the exam, or the selected slices. */
export type Items = "slices" | "selected";

/** The number of items, and the slice an item is: WGSL expressions. */
export const ITEMS: Record<Items, { count: string; slice(item: string): string }> = {
  slices: { count: "step.slices", slice: (item) => item },
  selected: { count: "selected.count", slice: (item) => `selected.slices[${item}]` },
};
