import assert from "node:assert/strict";
import { grid } from "../../../lib/engine/webgpu/grid.ts";
import { biasGradient } from "../../../lib/engine/webgpu/kernels/bias_gradient.ts";
import {
  choosePartialSums,
  filterGradient,
} from "../../../lib/engine/webgpu/kernels/filter_gradient.ts";
import {
  type FilterGradient,
  partialSumSize,
} from "../../../lib/engine/webgpu/kernels/filter_gradient_base.ts";
import {
  addPartialSums,
  addPartialSumsOfGrey,
} from "../../../lib/engine/webgpu/kernels/partial_sums.ts";
import {
  assertClose,
  image,
  images,
  indexOf,
  noise,
  onGpu,
  runKernel,
  selectedSlices,
} from "./support.ts";

/** Filter and bias gradient in plain loops, in double precision. */
function reference(
  { input, output, size, filterRow, stride }: FilterGradient,
  x: Float32Array,
  dy: Float32Array,
  slices: number[],
): Float32Array {
  const { channels } = output;
  const result = new Float32Array((size * filterRow + 1) * channels);
  slices.forEach((slice, item) => {
    for (let row = 0; row < output.height; row++) {
      for (let column = 0; column < output.width; column++) {
        const d = indexOf(output, item, row, column);
        for (let channel = 0; channel < channels; channel++) {
          for (let r = 0; r < size; r++) {
            const from = ((slice * input.rows + row * stride + r) * input.columns +
              column * stride) * input.channels;
            for (let k = 0; k < filterRow; k++) {
              result[(r * filterRow + k) * channels + channel] += x[from + k] * dy[d + channel];
            }
          }
          result[size * filterRow * channels + channel] += dy[d + channel];
        }
      }
    }
  });
  return result;
}

const CASES: Record<string, FilterGradient> = {
  "3×3 of 16 channels in three partial sums": {
    label: "3x3",
    input: grid(5, 7, 16, 1),
    output: grid(5, 7, 64, 1),
    size: 3,
    filterRow: 48,
    stride: 1,
    partialSums: 3,
  },
  "11×11 of one channel with stride 4 in two partial sums": {
    label: "11x11",
    input: image(38, 45, 2),
    output: grid(8, 10, 64),
    size: 11,
    filterRow: 12,
    stride: 4,
    partialSums: 2,
  },
};

for (const tiles of ["registers", "shared"] as const) {
  for (const [name, gradient] of Object.entries(CASES)) {
    onGpu(`a filter gradient in ${tiles} is that of plain loops: ${name}`, async (gpu) => {
      const slices = [0, 2, 3];
      const x = images("x", 4, gradient.input);
      const dy = images("dy", 3, gradient.output);
      const expected = reference(gradient, x, dy, slices);
      const selected = selectedSlices(slices);
      const numbers = partialSumSize(gradient) * gradient.partialSums;
      const output: [string, number] = ["partials", numbers];
      const weights = await runKernel(gpu, filterGradient(gradient, tiles), {
        slices: 4,
        inputs: { selected, x, dy },
        output,
      });
      const biases = await runKernel(gpu, biasGradient(gradient, tiles), {
        slices: 4,
        inputs: { selected, dy },
        output,
      });
      // Each left the numbers of the other at zero.
      const partials = weights.map((value, at) => value + biases[at]);
      const actual = await runKernel(gpu, addPartialSums(gradient), {
        slices: 4,
        inputs: { partials },
        output: ["gradient", expected.length],
      });
      assertClose(actual, expected, 5e-6);
    });
  }
}

onGpu("the gradient of summed filters goes to each of the three channels", async (gpu) => {
  const gradient = CASES["11×11 of one channel with stride 4 in two partial sums"];
  const { size, filterRow, output: { channels } } = gradient;
  const one = partialSumSize(gradient);
  const partials = noise("partials", 2 * one);
  const weights = size * size * 3 * channels;
  const expected = new Float32Array(weights + channels);
  for (let at = 0; at < expected.length; at++) {
    const tap = Math.floor(at / (3 * channels));
    const from = at < weights
      ? (Math.floor(tap / size) * filterRow + tap % size) * channels + at % channels
      : size * filterRow * channels + at % channels;
    expected[at] = partials[from] + partials[one + from];
  }
  const actual = await runKernel(gpu, addPartialSumsOfGrey(gradient, gradient.size), {
    slices: 1,
    inputs: { partials },
    output: ["gradient", expected.length],
  });
  assertClose(actual, expected);
});

Deno.test("a filter gradient is split until every core has work, into 256 partial sums at most", () => {
  // conv1 with its three tiles, conv2 with 75, conv4 with 216.
  assert.equal(choosePartialSums("shared", 11, 12, 64), 256);
  assert.equal(choosePartialSums("shared", 5, 320, 192), 14);
  assert.equal(choosePartialSums("shared", 3, 1152, 256), 5);
  // A processor's workgroups are smaller, and it has few cores.
  assert.equal(choosePartialSums("registers", 11, 12, 64), 8);
  assert.equal(choosePartialSums("registers", 1, 4, 64), 64);
  assert.equal(choosePartialSums("registers", 3, 1152, 256), 1);
});

onGpu("a bias's gradient of more partial sums than pixels is that of plain loops", async (gpu) => {
  const gradient = { ...CASES["3×3 of 16 channels in three partial sums"], partialSums: 50 };
  const dy = images("dy", 1, gradient.output);
  const expected = reference(gradient, images("x", 1, gradient.input), dy, [0]);
  for (const tiles of ["registers", "shared"] as const) {
    const selected = selectedSlices([0]);
    const partials = await runKernel(gpu, biasGradient(gradient, tiles), {
      slices: 1,
      inputs: { selected, dy },
      output: ["partials", partialSumSize(gradient) * gradient.partialSums],
    });
    const sum = await runKernel(gpu, addPartialSums(gradient), {
      slices: 1,
      inputs: { partials },
      output: ["gradient", expected.length],
    });
    assertClose(sum.slice(-64), expected.slice(-64));
  }
});
