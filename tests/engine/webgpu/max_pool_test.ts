import assert from "node:assert/strict";
import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { maxPool, maxPoolGradient } from "../../../lib/engine/webgpu/kernels/max_pool.ts";
import {
  assertClose,
  images,
  indexOf,
  noise,
  onGpu,
  runKernel,
  selectedSlices,
  step,
} from "./support.ts";

const input = grid(8, 11, 4);
const output = grid(3, 5, 4, 2);
const under = grid(8, 11, 4, 1);

/** Values in quarters, so that windows hold ties, and windows that are zero all over. */
function activations(): Float32Array {
  return images("x", 3, input).map((value) => Math.max(0, Math.floor(value * 4) / 4 - 0.5));
}

/** The same with NaN at taps that are first, in the middle and last in a window, or in several. */
function activationsWithNaN(): Float32Array {
  const x = activations();
  for (const [row, column] of [[0, 0], [1, 5], [4, 8], [6, 2]]) {
    x[indexOf(input, 1, row, column) + column % 4] = NaN;
  }
  return x;
}

/** Each window's maximum and the tap of the first that has it; NaN is the largest of all. */
function pool(x: Float32Array) {
  const best = new Float32Array(3 * imageSize(output));
  const codes = new Uint8Array(3 * 3 * 5 * 4);
  for (let at = 0; at < codes.length; at++) {
    const [channel, column] = [at % 4, Math.floor(at / 4) % 5];
    const [row, slice] = [Math.floor(at / 20) % 3, Math.floor(at / 60)];
    let [most, argmax] = [-Infinity, 0];
    for (let tap = 0; tap < 9; tap++) {
      const [r, c] = [row * 2 + Math.floor(tap / 3), column * 2 + tap % 3];
      const value = x[indexOf(input, slice, r, c) + channel];
      if (value > most || Number.isNaN(value)) [most, argmax] = [value, tap];
    }
    best[indexOf(output, slice, row, column) + channel] = most;
    codes[at] = most > 0 ? argmax : 9;
  }
  return { best, codes };
}

for (
  const [values, what] of [
    [activations, "the first where several are equal"],
    [activationsWithNaN, "NaN before all"],
  ] as const
) {
  onGpu(`the maximum over 3×3 is that of plain loops, ${what}`, async (gpu) => {
    const x = values();
    const { best, codes } = pool(x);
    const kernel = maxPool("pool", input, output);
    const inputs = { step: step({ slices: 3 }), x };
    const y = await runKernel(gpu, kernel, { slices: 3, inputs, output: ["y", best.length] });
    assert.deepEqual(y, best);
    const words = await runKernel(gpu, kernel, {
      slices: 3,
      inputs: { ...inputs, y: new Float32Array(best.length) },
      output: ["codes", codes.length / 4],
    });
    assert.deepEqual(new Uint8Array(words.buffer), codes);
  });
}

onGpu("its gradient goes to the argmax, and nowhere from a window of zeros", async (gpu) => {
  const { codes } = pool(activations());
  const dy = noise("dy", 2 * 3 * 5 * 4);
  const selected = [0, 2];
  const expected = new Float32Array(2 * imageSize(under));
  for (let at = 0; at < dy.length; at++) {
    const [channel, column] = [at % 4, Math.floor(at / 4) % 5];
    const [row, item] = [Math.floor(at / 20) % 3, Math.floor(at / 60)];
    const code = codes[selected[item] * 60 + at % 60];
    if (code === 9) continue;
    const [r, c] = [row * 2 + Math.floor(code / 3), column * 2 + code % 3];
    expected[indexOf(under, item, r, c) + channel] += dy[at];
  }
  const actual = await runKernel(gpu, maxPoolGradient("gradient", under, grid(3, 5, 4)), {
    slices: 3,
    inputs: { selected: selectedSlices(selected), codes: new Uint32Array(codes.buffer), dy },
    output: ["dx", expected.length],
  });
  assertClose(actual, expected);
});
