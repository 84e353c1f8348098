import assert from "node:assert/strict";
import { addGradient, selectedOfChunk } from "../../../lib/engine/webgpu/kernels/exam_chunks.ts";
import { selectedBytes } from "../../../lib/engine/webgpu/selected_slices.ts";
import { noise, onGpu, runKernel, step } from "./support.ts";

const CHANNELS = 256;
/** Where each field of the state begins, in words. */
const AT = {
  slices: 1,
  sliceOf: 1 + CHANNELS,
  channels: 1 + 2 * CHANNELS,
  first: 1 + 3 * CHANNELS,
  gradient: 1 + 4 * CHANNELS + 1,
};

/** The state as the head leaves it, where the argmax of channel c is slice `sliceOf(c)`. */
function stateOf(sliceOf: (channel: number) => number, gradient: Float32Array): Uint32Array {
  const words = new Uint32Array(selectedBytes(CHANNELS) / 4);
  const channels = Array.from({ length: CHANNELS }, (_, channel) => channel);
  const slices = [...new Set(channels.map(sliceOf))].sort((a, b) => a - b);
  const sorted = channels.toSorted((a, b) => sliceOf(a) - sliceOf(b) || a - b);
  words[0] = slices.length;
  words.set(slices, AT.slices);
  words.set(channels.map(sliceOf), AT.sliceOf);
  words.set(sorted, AT.channels);
  words.set(slices.map((slice) => sorted.findIndex((c) => sliceOf(c) === slice)), AT.first);
  words[AT.first + slices.length] = CHANNELS;
  new Float32Array(words.buffer).set(gradient, AT.gradient);
  return words;
}

onGpu("a chunk's selected slices are numbered from its first slice", async (gpu) => {
  const gradient = noise("gradient", CHANNELS);
  // Slices 0, 3, 6 … 15 are selected; a chunk from 4 holds 6 and 9, one from 16 none.
  const sliceOf = (channel: number) => (channel * 7 % 6) * 3;
  const all = stateOf(sliceOf, gradient);
  for (const [first, slices, kept] of [[0, 4, [0, 3]], [4, 6, [6, 9]], [16, 2, []]] as const) {
    const result = await runKernel(gpu, selectedOfChunk(CHANNELS), {
      slices,
      inputs: { step: step({ slices, first }), all },
      output: ["selected", selectedBytes(CHANNELS) / 4],
    });
    const words = new Uint32Array(result.buffer);
    assert.deepEqual([...words.subarray(0, 1 + kept.length)], [
      kept.length,
      ...kept.map((slice) => slice - first),
    ]);
    const list = (at: number, count: number) => [...words.subarray(at, at + count)];
    const channelsOf = (slice: number) =>
      Array.from({ length: CHANNELS }, (_, c) => c).filter((c) => sliceOf(c) === slice);
    kept.forEach((slice, item) => {
      const [from, to] = list(AT.first + item, 2);
      assert.deepEqual(list(AT.channels + from, to - from), channelsOf(slice));
    });
    for (let channel = 0; channel < CHANNELS; channel++) {
      const slice = sliceOf(channel);
      const here = slice >= first && slice < first + slices;
      assert.equal(words[AT.sliceOf + channel], here ? slice - first : 0);
      assert.equal(result[AT.gradient + channel], here ? gradient[channel] : 0);
    }
  }
});

onGpu("the chunks' gradients are added, and the first one begins", async (gpu) => {
  const [gradient, total] = [noise("gradient", 12), noise("total", 12)];
  for (const begins of [true, false]) {
    const sum = await runKernel(gpu, addGradient(8, begins), {
      slices: 1,
      inputs: { gradient, total },
      output: ["total", 12],
    });
    // Behind the eight lies the linear layer's, which is none of its business.
    const expected = total.map((value, at) =>
      at >= 8 ? value : begins ? gradient[at] : value + gradient[at]
    );
    assert.deepEqual(sum, expected);
  }
});
