import assert from "node:assert/strict";
import { grid, imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { convolution } from "../../../lib/engine/webgpu/kernels/convolution.ts";
import type { Convolution } from "../../../lib/engine/webgpu/kernels/convolution_base.ts";
import { maxPool } from "../../../lib/engine/webgpu/kernels/max_pool.ts";
import { imageBytes } from "../../../lib/engine/webgpu/precision.ts";
import { assertClose, images, noise, onGpu, runKernel, step } from "./support.ts";

/** Float32 numbers as 16-bit floats, rounded to the nearest. */
function toHalfPrecision(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) => view.setFloat16(2 * at, value, true));
  return bytes;
}

function fromHalfPrecision(words: Float32Array, count: number): Float32Array {
  const view = new DataView(words.buffer);
  return Float32Array.from({ length: count }, (_, at) => view.getFloat16(2 * at, true));
}

onGpu(
  "numbers in half precision are read and written as they are, and NaN stays NaN",
  async (gpu) => {
    const input = { ...grid(3, 3, 8), half: true };
    const output = { ...grid(1, 1, 8), half: true };
    const { buffer } = toHalfPrecision(new Float32Array(imageSize(input)).fill(-65504));
    const view = new DataView(buffer as ArrayBuffer);
    const values = [0.333251953125, -2, 65504, 6e-8, 0, -0.0999755859375, 1024.5, 7];
    values.forEach((value, channel) => view.setFloat16(2 * (8 * 4 + channel), value, true));
    const words = await runKernel(gpu, maxPool("pool", input, output), {
      slices: 1,
      inputs: { step: step({ slices: 1 }), x: new Uint8Array(buffer) },
      output: ["y", imageSize(output) / 2],
    });
    const expected = values.map((value) =>
      fromHalfPrecision(new Float32Array(toHalfPrecision(Float32Array.of(value, 0)).buffer), 1)[0]
    );
    assert.deepEqual([...fromHalfPrecision(words, 8)], expected);
  },
);

const CASES: [name: string, factor: number, bias: number][] = [
  ["in range", 1, 0],
  ["beyond the largest half", 1e6, 0],
  ["not a number", 1, NaN],
];

for (const tiles of ["registers", "shared"] as const) {
  onGpu(`a convolution in ${tiles} in half precision is that of the same numbers`, async (gpu) => {
    const input = { ...grid(3, 4, 16, 1), half: true };
    const output = { ...grid(3, 4, 64, 1), half: true };
    assert.equal(imageBytes(output), 2 * imageSize(output));
    const conv: Convolution = {
      label: "half precision",
      input,
      output,
      size: 3,
      filterRow: 48,
      stride: 1,
      items: "slices",
      epilogue: "relu",
    };
    const stored = toHalfPrecision(images("x", 2, input));
    const x = fromHalfPrecision(
      new Float32Array(stored.buffer as ArrayBuffer),
      2 * imageSize(input),
    );
    for (const [name, factor, bias] of CASES) {
      const inputs = {
        step: step({ slices: 2 }),
        filters: noise("filters", 9 * 16 * 64).map((value) => value * factor),
        bias: new Float32Array(64).fill(bias),
      };
      const count = 2 * imageSize(output);
      const wide = await runKernel(
        gpu,
        convolution({
          ...conv,
          input: { ...input, half: false },
          output: { ...output, half: false },
        }, tiles),
        { slices: 2, inputs: { ...inputs, x }, output: ["y", count] },
      );
      const words = await runKernel(gpu, convolution(conv, tiles), {
        slices: 2,
        inputs: { ...inputs, x: stored },
        output: ["y", count / 2],
      });
      const actual = fromHalfPrecision(words, count);
      if (name === "not a number") {
        assert.deepEqual([...actual].map(Number.isNaN), [...wide].map(Number.isNaN));
        assert.ok(actual.some(Number.isNaN));
      } else {
        // Rounded to 11 bits; what is too large is as large as a half can be.
        const expected = wide.map((value) => Math.min(value, 65504));
        assertClose(actual, expected, 2 ** -11);
      }
    }
  });
}
