import assert from "node:assert/strict";
import { type Grid, grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { convolution } from "../../../lib/engine/webgpu/kernels/convolution.ts";
import type { Convolution } from "../../../lib/engine/webgpu/kernels/convolution_base.ts";
import {
  PARTIAL_SUM_NUMBERS,
  splitConvolution,
  sumConvolution,
} from "../../../lib/engine/webgpu/kernels/convolution_partial_sums.ts";
import {
  assertClose,
  image,
  images,
  indexOf,
  noise,
  onGpu,
  runKernel,
  selectedSlices,
  step,
} from "./support.ts";

/** The convolution in plain loops, in double precision. */
function reference(
  conv: Convolution,
  data: { x: Float32Array; filters: Float32Array; bias?: Float32Array; activation?: Float32Array },
  slices: number[],
): Float32Array {
  const { input, output, size, filterRow, stride, epilogue } = conv;
  const result = new Float32Array(slices.length * imageSize(output));
  const row0 = input.columns * input.channels;
  slices.forEach((slice, item) => {
    for (let row = 0; row < output.height; row++) {
      for (let column = 0; column < output.width; column++) {
        for (let channel = 0; channel < output.channels; channel++) {
          let sum = 0;
          for (let r = 0; r < size; r++) {
            const from = (item * input.rows + row * stride + r) * row0 +
              column * stride * input.channels;
            for (let k = 0; k < filterRow; k++) {
              sum += data.x[from + k] *
                data.filters[(r * filterRow + k) * output.channels + channel];
            }
          }
          if (epilogue === "relu") sum = Math.max(0, sum + data.bias![channel]);
          if (epilogue === "mask") {
            const open = data.activation![indexOf(output, slice, row, column) + channel] > 0;
            if (!open) sum = 0;
          }
          result[indexOf(output, item, row, column) + channel] = sum;
        }
      }
    }
  });
  return result;
}

interface Case {
  name: string;
  input: Grid;
  output: Grid;
  size: number;
  filterRow: number;
  stride: number;
  epilogue: Convolution["epilogue"];
  /** The slices that are computed, of as many as the last of them. */
  selected?: number[];
}

const CASES: Case[] = [
  {
    name: "one grey channel, 11×11 stride 4, and the next layer's border",
    input: image(38, 45, 2),
    output: grid(8, 10, 64, 2),
    size: 11,
    filterRow: 12,
    stride: 4,
    epilogue: "relu",
  },
  {
    name: "more pixels in a row than a thread holds",
    input: grid(3, 21, 16, 1),
    output: grid(3, 21, 64),
    size: 3,
    filterRow: 48,
    stride: 1,
    epilogue: "relu",
  },
  {
    name: "an input gradient under the mask of the activation, of some of the slices",
    input: grid(5, 7, 16, 1),
    output: grid(5, 7, 64, 1),
    size: 3,
    filterRow: 48,
    stride: 1,
    epilogue: "mask",
    selected: [1, 4],
  },
];

/** A case with its data, and what the plain loops make of it. */
function prepare({ name, selected, ...shape }: Case) {
  const conv: Convolution = {
    ...shape,
    label: name,
    items: selected === undefined ? "slices" : "selected",
  };
  const slices = selected ?? [0, 1, 2];
  const { channels } = conv.output;
  const data = {
    x: images("x", slices.length, conv.input),
    filters: noise("filters", conv.size * conv.filterRow * channels),
    bias: noise("bias", channels),
    activation: images("activation", 5, conv.output),
  };
  const inputs = {
    x: data.x,
    filters: data.filters,
    step: step({ slices: slices.length }),
    ...(conv.epilogue === "relu" ? { bias: data.bias } : {}),
    ...(conv.epilogue === "mask" ? { activation: data.activation } : {}),
    ...(selected === undefined ? {} : { selected: selectedSlices(selected) }),
  };
  // Enough workgroups for all slices, although not all of them are selected.
  const run = { slices: selected === undefined ? 3 : 5, inputs };
  return { conv, run, expected: reference(conv, data, slices) };
}

for (const tiles of ["registers", "shared"] as const) {
  for (const each of CASES) {
    onGpu(`a convolution in ${tiles} is that of plain loops: ${each.name}`, async (gpu) => {
      const { conv, run, expected } = prepare(each);
      const actual = await runKernel(gpu, convolution(conv, tiles), {
        ...run,
        output: ["y", expected.length],
      });
      assertClose(actual, expected);
    });
  }
}

for (const each of CASES) {
  onGpu(`a convolution in partial sums is that of plain loops: ${each.name}`, async (gpu) => {
    const { conv, run, expected } = prepare(each);
    const output: [string, number] = ["y", expected.length];
    const inThree = { ...conv, partialSums: () => 3 };
    const { height, width, channels } = conv.output;
    const partials = await runKernel(gpu, convolution(inThree, "shared"), {
      ...run,
      output: ["partials", 3 * run.slices * height * width * channels],
    });
    const { x: _x, filters: _filters, ...others } = run.inputs;
    const inputs = { ...others, partials };
    const sum = await runKernel(gpu, sumConvolution(inThree), { ...run, inputs, output });
    assertClose(sum, expected);
    // A single partial sum gets its epilogue at once, and what follows has nothing to do.
    const inOne = { ...conv, partialSums: () => 1 };
    const actual = await runKernel(gpu, convolution(inOne, "shared"), { ...run, output });
    assertClose(actual, expected);
    const nothing = await runKernel(gpu, sumConvolution(inOne), { ...run, inputs, output });
    assert.ok(nothing.every((value) => value === 0));
  });
}

Deno.test("a convolution is split while it has few tiles and many terms", () => {
  const conv: Convolution = {
    label: "conv3",
    input: grid(15, 15, 192, 1),
    output: grid(15, 15, 384),
    size: 3,
    filterRow: 576,
    stride: 1,
    items: "slices",
    epilogue: "none",
  };
  const [products, sum] = splitConvolution(conv, "shared");
  // 8 by 6 tiles; 108 turns, of which a partial sum has at least 8.
  assert.deepEqual(products.workgroups(2), [8, 6, 11]);
  assert.deepEqual(sum.workgroups(2), [Math.ceil(2 * 225 * 96 / 64 / 11), 1, 11]);
  assert.deepEqual(products.workgroups(60), [211, 6, 1]);
  assert.deepEqual(sum.workgroups(60), [0]);
  for (let slices = 1; slices <= 60; slices++) {
    const [across, down, count] = products.workgroups(slices) as [number, number, number];
    assert.ok(
      count === 13 || across * down * count >= 512,
      `${slices} slices: ${count} partial sums`,
    );
    assert.ok(count === 1 || across * down * count * 64 * 64 <= PARTIAL_SUM_NUMBERS);
  }
  assert.equal(splitConvolution(conv, "registers").length, 1);
  const short = { ...conv, input: grid(15, 15, 16, 1), filterRow: 48 };
  assert.equal(splitConvolution(short, "shared").length, 1);
});
