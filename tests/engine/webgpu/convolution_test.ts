import { type Grid, grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { type Convolution, convolution } from "../../../lib/engine/webgpu/kernels/convolution.ts";
import {
  assertClose,
  image,
  images,
  indexOf,
  noise,
  onGpu,
  runKernel,
  step,
  winningSlices,
} from "./support.ts";

/** The convolution in plain loops, in double precision. */
function reference(
  conv: Convolution,
  data: { x: Float32Array; filters: Float32Array; bias?: Float32Array; activation?: Float32Array },
  slices: number[],
): Float32Array {
  const { input, output, size, filterRow, stride, finish } = conv;
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
          if (finish === "relu") sum = Math.max(0, sum + data.bias![channel]);
          if (finish === "mask") {
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
  finish: Convolution["finish"];
  /** The slices that are computed, of as many as the last of them. */
  winners?: number[];
}

const CASES: Case[] = [
  {
    name: "one grey channel, 11×11 stride 4, and the next layer's border",
    input: image(38, 45, 2),
    output: grid(8, 10, 64, 2),
    size: 11,
    filterRow: 12,
    stride: 4,
    finish: "relu",
  },
  {
    name: "more pixels in a row than a thread holds",
    input: grid(3, 21, 16, 1),
    output: grid(3, 21, 64),
    size: 3,
    filterRow: 48,
    stride: 1,
    finish: "relu",
  },
  {
    name: "an input gradient under the mask of the activation, of some of the slices",
    input: grid(5, 7, 16, 1),
    output: grid(5, 7, 64, 1),
    size: 3,
    filterRow: 48,
    stride: 1,
    finish: "mask",
    winners: [1, 4],
  },
];

for (const tiles of ["registers", "shared"] as const) {
  for (const { name, winners, ...shape } of CASES) {
    onGpu(`a convolution in ${tiles} is that of plain loops: ${name}`, async (gpu) => {
      const conv: Convolution = {
        ...shape,
        label: name,
        items: winners === undefined ? "slices" : "winners",
      };
      const slices = winners ?? [0, 1, 2];
      const { channels } = conv.output;
      const data = {
        x: images("x", slices.length, conv.input),
        filters: noise("filters", conv.size * conv.filterRow * channels),
        bias: noise("bias", channels),
        activation: images("activation", 5, conv.output),
      };
      const expected = reference(conv, data, slices);
      const inputs = {
        x: data.x,
        filters: data.filters,
        step: step({ slices: slices.length }),
        ...(conv.finish === "relu" ? { bias: data.bias } : {}),
        ...(conv.finish === "mask" ? { activation: data.activation } : {}),
        ...(winners === undefined ? {} : { winners: winningSlices(winners) }),
      };
      const actual = await runKernel(gpu, convolution(conv, tiles), {
        // Enough workgroups for all slices, although not all of them won.
        slices: winners === undefined ? 3 : 5,
        inputs,
        output: ["y", expected.length],
      });
      assertClose(actual, expected);
    });
  }
}
