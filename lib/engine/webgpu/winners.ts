/**
 * Which slices the gradient goes to.
 *
 * The maximum over the slices passes each channel's gradient to one slice. Slices that win no channel
 * get none, so the backward pass runs over a list of winning slices, made on the GPU. Gradient buffers
 * are numbered by the place in that list, activations by the slice.
 *
 * @module
 */
import type { Binding } from "./kernel.ts";

/** The state of the maximum over the slices; kernels bind it under this name. */
export function winnersBinding(access: "read" | "write"): Binding {
  return { name: "winners", type: "Winners", access };
}

/** Channels of the last convolution, and so the most slices that can win. */
export const CHANNELS = 256;

/** The WGSL of the state. */
export const WINNERS_STRUCT = `
struct Winners {
  // How many slices won a channel.
  count: u32,
  // Those slices, in their own order.
  slices: array<u32, ${CHANNELS}>,
  // The slice that won each channel.
  slice_of: array<u32, ${CHANNELS}>,
  // The channels, sorted by the slice that won them, and where each winning slice's begin.
  channels: array<u32, ${CHANNELS}>,
  first: array<u32, ${CHANNELS + 1}>,
  // The gradient of each channel at each window of the last pool.
  gradient: array<f32, ${CHANNELS}>,
}`;

/** Its size in bytes. */
export const WINNERS_BYTES = 4 * (1 + 5 * CHANNELS + 1);

/** What a kernel runs over: every slice of the exam, or the winning slices. */
export type Items = "slices" | "winners";

/** The number of items, and the slice an item is: WGSL expressions. */
export const ITEMS: Record<Items, { count: string; slice(item: string): string }> = {
  slices: { count: "step.slices", slice: (item) => item },
  winners: { count: "winners.count", slice: (item) => `winners.slices[${item}]` },
};
