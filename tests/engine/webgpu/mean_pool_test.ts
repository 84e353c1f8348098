import assert from "node:assert/strict";
import { grid } from "../../../lib/engine/webgpu/grid.ts";
import { meanPool } from "../../../lib/engine/webgpu/kernels/mean_pool.ts";
import { assertClose, images, indexOf, onGpu, runKernel, step } from "./support.ts";

// An even height, of which the last row is under no window, and a border.
const input = grid(8, 11, 8, 1);

/** Values in quarters, so that windows hold ties, and windows that are zero all over. */
function activations(): Float32Array {
  return images("x", 3, input).map((value) => Math.max(0, Math.floor(value * 4) / 4 - 0.5));
}

/** The mean of the windows' maxima, `[slices, channels]`, in double precision. */
function reference(x: Float32Array): Float32Array {
  return Float32Array.from({ length: 3 * 8 }, (_, at) => {
    let sum = 0;
    for (let window = 0; window < 3 * 5; window++) {
      const [row, column] = [Math.floor(window / 5) * 2, window % 5 * 2];
      const values = Array.from({ length: 9 }, (_, tap) => {
        const [r, c] = [row + Math.floor(tap / 3), column + tap % 3];
        return x[indexOf(input, Math.floor(at / 8), r, c) + at % 8];
      });
      // NaN where one of them is.
      sum += Math.max(...values);
    }
    return sum / 15;
  });
}

onGpu("the mean of the last pool is that of plain loops", async (gpu) => {
  const x = activations();
  const expected = reference(x);
  const actual = await runKernel(gpu, meanPool(input), {
    slices: 3,
    inputs: { step: step({ slices: 3 }), x },
    output: ["means", expected.length],
  });
  assertClose(actual, expected);
});

onGpu("a chunk's means lie behind those of the slices before it", async (gpu) => {
  const x = activations();
  const expected = reference(x);
  const actual = await runKernel(gpu, meanPool(input), {
    slices: 3,
    inputs: { step: step({ slices: 3, first: 2 }), x },
    output: ["means", 5 * 8],
  });
  assert.ok(actual.subarray(0, 16).every((value) => value === 0));
  assertClose(actual.slice(16), expected);
});

onGpu("a mean over a window with NaN is NaN, wherever in the window it is", async (gpu) => {
  for (let tap = 0; tap < 9; tap++) {
    const x = activations();
    x[indexOf(input, 1, 2 + Math.floor(tap / 3), 4 + tap % 3) + 5] = NaN;
    const actual = await runKernel(gpu, meanPool(input), {
      slices: 3,
      inputs: { step: step({ slices: 3 }), x },
      output: ["means", 24],
    });
    assert.deepEqual([...actual].map(Number.isNaN), [...reference(x)].map(Number.isNaN));
    assert.ok(Number.isNaN(actual[8 + 5]));
  }
});
