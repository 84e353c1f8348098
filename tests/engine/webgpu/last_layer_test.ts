import assert from "node:assert/strict";
import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import {
  lastFilterGradient,
  lastInputGradient,
  lastMaxima,
  lastOutputGradient,
} from "../../../lib/engine/webgpu/kernels/last_layer.ts";
import { rotateFilters180 } from "../../../lib/engine/webgpu/kernels/filter_layouts.ts";
import type { Gpu } from "../../../lib/engine/webgpu/gpu.ts";
import { selectedBytes } from "../../../lib/engine/webgpu/selected_slices.ts";
import { assertClose, images, indexOf, noise, onGpu, runKernel } from "./support.ts";

const SLICES = 4;
const input = grid(5, 7, 16, 1);
const output = grid(5, 7, 256);
const [rows, columns] = [2, 3];

/** Channels select slices 1 and 3; the other two are selected by none. */
const sliceOf = Array.from({ length: 256 }, (_, channel) => channel % 3 === 0 ? 3 : 1);
const gradient = noise("gradient", 256);
/** Multiples of 0.5, so that windows hold ties, and some windows hold nothing above 0. */
const y = images("y", SLICES, output).map((v) => Math.max(0, Math.round(v * 2) / 2 - 1));
const x = images("x", SLICES, input);
const filters = noise("filters", 3 * 3 * 16 * 256);

function selected(): Uint32Array {
  const words = new Uint32Array(selectedBytes(256) / 4);
  const order = sliceOf.map((_, c) => c).sort((a, b) => sliceOf[a] - sliceOf[b] || a - b);
  const first = sliceOf.filter((slice) => slice === 1).length;
  words.set([2, 1, 3]);
  words.set(sliceOf, 257);
  words.set(order, 513);
  words.set([0, first, 256], 769);
  words.set(new Uint32Array(gradient.buffer), 769 + 257);
  return words;
}

/** The gradient of the convolution's output, dense, in plain loops: `[slices, 5, 7, 256]`. */
function outputGradient(): Float32Array {
  const dy = new Float32Array(SLICES * imageSize(output));
  for (let channel = 0; channel < 256; channel++) {
    for (let window = 0; window < rows * columns; window++) {
      const [row, column] = [Math.floor(window / columns) * 2, window % columns * 2];
      const taps = Array.from(
        { length: 9 },
        (_, tap) =>
          indexOf(output, sliceOf[channel], row + Math.floor(tap / 3), column + tap % 3) +
          channel,
      );
      const best = taps.reduce((most, at) => y[at] > y[most] ? at : most);
      if (y[best] > 0) dy[best] += gradient[channel];
    }
  }
  return dy;
}

async function maxima(gpu: Gpu, x = y): Promise<Uint32Array> {
  const found = await runKernel(gpu, lastMaxima(output), {
    slices: SLICES,
    inputs: { selected: selected(), x },
    output: ["maxima", 256 * rows * columns],
  });
  return new Uint32Array(found.buffer);
}

onGpu(
  "a window with NaN lets no gradient through, as one without a maximum above 0",
  async (gpu) => {
    const known = await maxima(gpu);
    for (let tap = 0; tap < 9; tap++) {
      // Channel 5, whose argmax is slice 1; the corner window, which others reach into from its side.
      const withNaN = y.slice();
      withNaN[indexOf(output, 1, Math.floor(tap / 3), tap % 3) + 5] = NaN;
      const found = await maxima(gpu, withNaN);
      assert.equal(found[5 * rows * columns], 0xffff_ffff);
      found.forEach((at, window) => {
        if (Math.floor(window / rows / columns) !== 5) assert.equal(at, known[window]);
      });
    }
  },
);

onGpu("the last filter gradient, gathered at the maxima, is the dense one", async (gpu) => {
  const dy = outputGradient();
  const expected = new Float32Array((9 * 16 + 1) * 256);
  dy.forEach((value, at) => {
    if (value === 0) return;
    const [channel, column] = [at % 256, Math.floor(at / 256) % 7];
    const [row, slice] = [Math.floor(at / 256 / 7) % 5, Math.floor(at / 256 / 35)];
    for (let k = 0; k < 9 * 16; k++) {
      const [tap, from] = [Math.floor(k / 16), k % 16];
      const under = indexOf(input, slice, row + Math.floor(tap / 3) - 1, column + tap % 3 - 1);
      expected[k * 256 + channel] += value * x[under + from];
    }
    expected[9 * 16 * 256 + channel] += value;
  });
  const actual = await runKernel(gpu, lastFilterGradient(input, output, 3), {
    slices: SLICES,
    inputs: { selected: selected(), maxima: await maxima(gpu), x },
    output: ["gradient", expected.length],
  });
  assertClose(actual, expected, 1e-5);
});

for (const tiles of ["registers", "shared"] as const) {
  onGpu(
    `the last input gradient in ${tiles}, by slice and channel, is the dense one`,
    async (gpu) => {
      const dense = outputGradient();
      const slices = [1, 3];
      const expected = new Float32Array(2 * imageSize(input));
      slices.forEach((slice, item) => {
        for (let at = 0; at < 5 * 7 * 16; at++) {
          const [to, column, row] = [at % 16, Math.floor(at / 16) % 7, Math.floor(at / 16 / 7)];
          if (x[indexOf(input, slice, row, column) + to] <= 0) continue;
          let sum = 0;
          for (let tap = 0; tap < 9; tap++) {
            const [r, c] = [row + 1 - Math.floor(tap / 3), column + 1 - tap % 3];
            if (r < 0 || c < 0 || r >= 5 || c >= 7) continue;
            for (let channel = 0; channel < 256; channel++) {
              sum += dense[indexOf(output, slice, r, c) + channel] *
                filters[(tap * 16 + to) * 256 + channel];
            }
          }
          expected[indexOf(input, item, row, column) + to] = sum;
        }
      });
      const state = selected();
      const dy = await runKernel(gpu, lastOutputGradient(output, 1), {
        slices: SLICES,
        inputs: { selected: state, maxima: await maxima(gpu) },
        output: ["dy", 256 * 7 * 9],
      });
      const shape = { label: "last", size: 3, inChannels: 16, outChannels: 256 };
      const rotated = await runKernel(gpu, rotateFilters180(shape), {
        slices: SLICES,
        inputs: { filters },
        output: ["rotated", filters.length],
      });
      const actual = await runKernel(gpu, lastInputGradient(input, output, 3, tiles), {
        slices: SLICES,
        inputs: { selected: state, dy, filters: rotated, activation: x },
        output: ["dx", expected.length],
      });
      assertClose(actual, expected, 1e-5);
    },
  );
}
