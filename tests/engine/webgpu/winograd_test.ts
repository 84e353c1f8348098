import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { convolution } from "../../../lib/engine/webgpu/kernels/convolution.ts";
import type { Convolution } from "../../../lib/engine/webgpu/kernels/convolution_base.ts";
import {
  POINTS,
  tilesOf,
  transformFilters,
  winogradConvolution,
} from "../../../lib/engine/webgpu/kernels/winograd.ts";
import { assertClose, images, noise, onGpu, runKernel, selectedSlices, step } from "./support.ts";

const CASES: Record<string, { conv: Omit<Convolution, "label">; selected?: number[] }> = {
  "forward, with tiles that stand over both edges and the next layer's border": {
    conv: {
      input: grid(7, 5, 16, 1),
      output: grid(7, 5, 64, 1),
      size: 3,
      filterRow: 48,
      stride: 1,
      items: "slices",
      epilogue: "relu",
    },
  },
  "an input gradient under the mask of the activation, of some of the slices": {
    conv: {
      input: grid(9, 18, 16, 1),
      output: grid(9, 18, 64, 1),
      size: 3,
      filterRow: 48,
      stride: 1,
      items: "selected",
      epilogue: "mask",
    },
    selected: [1, 4],
  },
};

for (const tiles of ["registers", "shared"] as const) {
  for (const [name, { conv: shape, selected }] of Object.entries(CASES)) {
    onGpu(`Winograd in ${tiles} is the convolution: ${name}`, async (gpu) => {
      const conv: Convolution = { ...shape, label: name };
      const { input, output } = conv;
      const count = selected?.length ?? 3;
      const slices = selected === undefined ? 3 : 5;
      const state: Record<string, Uint8Array | Uint32Array> = {
        step: step({ slices: count }),
        ...(selected === undefined ? {} : { selected: selectedSlices(selected) }),
      };
      const epilogue: Record<string, Float32Array> = conv.epilogue === "relu"
        ? { bias: noise("bias", output.channels) }
        : { activation: images("activation", 5, output) };
      const x = images("x", count, input);
      const filters = noise("filters", 9 * input.channels * output.channels);
      const expected = await runKernel(gpu, convolution(conv, tiles), {
        slices,
        inputs: { ...state, ...epilogue, x, filters },
        output: ["y", count * imageSize(output)],
      });

      const { image, products, back } = winogradConvolution(conv, tiles);
      const filter = { label: name, size: 3, inChannels: 16, outChannels: 64 };
      const transformed = await runKernel(gpu, transformFilters(filter), {
        slices,
        inputs: { filters },
        output: ["transformed", POINTS * input.channels * output.channels],
      });
      const points = await runKernel(gpu, image, {
        slices,
        inputs: { ...state, x },
        output: ["points", POINTS * count * tilesOf(output) * input.channels],
      });
      const multiplied = await runKernel(gpu, products, {
        slices,
        inputs: { ...state, x: points, filters: transformed },
        output: ["y", POINTS * count * tilesOf(output) * output.channels],
      });
      const actual = await runKernel(gpu, back, {
        slices,
        inputs: { ...state, ...epilogue, x: multiplied },
        output: ["y", expected.length],
      });
      assertClose(actual, expected, 5e-6);
    });
  }
}
