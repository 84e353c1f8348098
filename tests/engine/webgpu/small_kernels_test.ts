import assert from "node:assert/strict";
import { sourceOf } from "../../../lib/data/augment.ts";
import type { Gpu } from "../../../lib/engine/webgpu/gpu.ts";
import { imageSize } from "../../../lib/engine/webgpu/grid.ts";
import { adam } from "../../../lib/engine/webgpu/kernels/adam.ts";
import {
  foldFilters,
  rotateFilters180,
} from "../../../lib/engine/webgpu/kernels/filter_layouts.ts";
import { head } from "../../../lib/engine/webgpu/kernels/head.ts";
import { prepareInput } from "../../../lib/engine/webgpu/kernels/prepare_input.ts";
import { selectedBytes } from "../../../lib/engine/webgpu/selected_slices.ts";
import { assertClose, image, indexOf, noise, onGpu, runKernel, step } from "./support.ts";

const SIZE = [9, 14] as const;

for (const type of ["uint8", "float32"] as const) {
  onGpu(`${type} voxels are resampled bilinearly, the edge repeated`, async (gpu) => {
    const [height, width] = SIZE;
    const shape = image(height, width, 2);
    const voxels = noise("voxels", 2 * height * width).map((value) => Math.abs(value * 60) & 255);
    const change = { degrees: 20, down: 1.3, right: -2.2, flip: true };
    for (const source of [sourceOf(change, SIZE), [1, 0, 0, 0, 1, 0] as const]) {
      const [a, b, c, d, e, f] = source;
      const expected = new Float32Array(2 * imageSize(shape));
      for (let at = 0; at < voxels.length; at++) {
        const [column, row] = [at % width, Math.floor(at / width) % height];
        const slice = Math.floor(at / (height * width));
        const [x, y] = [a * column + b * row + c, d * column + e * row + f];
        const value = (y: number, x: number) => {
          const inside = (at: number, size: number) => Math.max(0, Math.min(size - 1, at));
          return voxels[(slice * height + inside(y, height)) * width + inside(x, width)];
        };
        const [top, left] = [Math.floor(y), Math.floor(x)];
        const line = (y: number) =>
          value(y, left) * (left + 1 - x) + value(y, left + 1) * (x - left);
        expected[indexOf(shape, slice, row, column)] = line(top) * (top + 1 - y) +
          line(top + 1) * (y - top);
      }
      const bytes = Uint8Array.from(voxels);
      const actual = await runKernel(gpu, prepareInput(shape, type), {
        slices: 2,
        inputs: { step: step({ slices: 2, source }), voxels: type === "uint8" ? bytes : voxels },
        output: ["image", expected.length],
      });
      if (source[0] === 1) assert.deepEqual(actual, expected);
      else assertClose(actual, expected, 1e-5);
    }
  });
}

onGpu("voxels are scaled and offset, and the border stays zero", async (gpu) => {
  const [height, width] = SIZE;
  const shape = image(height, width, 2);
  const pixels = height * width;
  const voxels = Uint8Array.from(noise("voxels", 2 * pixels), (value) => Math.abs(value * 60));
  const source = [1, 0, 0, 0, 1, 0] as const;
  const expected = new Float32Array(2 * imageSize(shape));
  voxels.forEach((value, at) => {
    const [slice, row] = [Math.floor(at / pixels), Math.floor(at / width) % height];
    expected[indexOf(shape, slice, row, at % width)] = value * 0.25 - 3;
  });
  const actual = await runKernel(gpu, prepareInput(shape, "uint8"), {
    slices: 2,
    inputs: { step: step({ slices: 2, source, scale: 0.25, offset: -3 }), voxels },
    output: ["image", expected.length],
  });
  assert.deepEqual(actual, expected);
});

onGpu(
  "filters are summed over their inputs, and rotated with their channels exchanged",
  async (gpu) => {
    const filters = noise("filters", 3 * 3 * 3 * 8);
    const folded = new Float32Array(3 * 4 * 8);
    for (let at = 0; at < filters.length; at++) {
      const [channel, tap] = [at % 8, Math.floor(at / 24)];
      folded[(Math.floor(tap / 3) * 4 + tap % 3) * 8 + channel] += filters[at];
    }
    const shape = { label: "filters", size: 3, inChannels: 3, outChannels: 8 };
    const run = { slices: 1, inputs: { filters } };
    const sums = await runKernel(gpu, foldFilters(shape, { filterRow: 4 }), {
      ...run,
      output: ["folded", 96],
    });
    assertClose(sums, folded);

    const square = noise("square", 3 * 3 * 4 * 8);
    const rotated = square.map((_, at) => {
      const [input, output, tap] = [at % 4, Math.floor(at / 4) % 8, Math.floor(at / 32)];
      return square[((8 - tap) * 4 + input) * 8 + output];
    });
    const actual = await runKernel(gpu, rotateFilters180({ ...shape, inChannels: 4 }), {
      slices: 1,
      inputs: { filters: square },
      output: ["rotated", square.length],
    });
    assert.deepEqual(actual, rotated);
  },
);

/** Numbers in each of the head's outputs. */
const HEAD_OUTPUTS = { gradient: 514, selected: selectedBytes(256) / 4, results: 16 };

/** What the head writes to one of its outputs. */
async function runHead(
  gpu: Gpu,
  name: keyof typeof HEAD_OUTPUTS,
  inputs: { step: Uint8Array; means: Float32Array; linear: Float32Array },
): Promise<Float32Array> {
  const others = Object.entries(HEAD_OUTPUTS).filter(([other]) => other !== name)
    .map(([other, numbers]) => [other, new Float32Array(numbers)]);
  return await runKernel(gpu, head(256, 49), {
    slices: inputs.means.length / 256,
    inputs: { ...inputs, ...Object.fromEntries(others) },
    output: [name, HEAD_OUTPUTS[name]],
  });
}

onGpu("the head's loss, logits, gradients and argmax are those of plain loops", async (gpu) => {
  // Multiples of 0.5, so that slices tie; the last slice is never the first to have a value.
  const means = noise("means", 3 * 256).map((value) => Math.round(value * 2) / 2);
  means.copyWithin(512, 0, 256);
  const linear = noise("linear", 514).map((value) => value / 16);
  const [label, weights] = [1, [0.5, 3] as const];
  const argmax = Array.from({ length: 256 }, (_, c) => means[256 + c] > means[c] ? 1 : 0);
  const best = argmax.map((slice, c) => means[slice * 256 + c]);
  const logits = [0, 1].map((o) =>
    best.reduce((sum, value, c) => sum + value * linear[o * 256 + c], linear[512 + o])
  );
  const targets = [1 - label, label];
  const loss = logits.reduce(
    (sum, z, o) => sum + weights[o] * (Math.log1p(Math.exp(z)) - targets[o] * z) / 2,
    0,
  );
  const d = logits.map((z, o) => weights[o] * (1 / (1 + Math.exp(-z)) - targets[o]) / 2);
  const inputs = { step: step({ slices: 3, slot: 2, label, weights }), means, linear };
  const results = await runHead(gpu, "results", inputs);
  assertClose(results.slice(8, 11), Float32Array.from([loss, ...logits]), 1e-5);
  const gradient = await runHead(gpu, "gradient", inputs);
  assertClose(
    gradient,
    Float32Array.from([...best.map((v) => d[0] * v), ...best.map((v) => d[1] * v), ...d]),
    1e-5,
  );
  const state = new Uint32Array((await runHead(gpu, "selected", inputs)).buffer);
  assert.deepEqual([...state.slice(0, 3)], [2, 0, 1]);
  assert.deepEqual([...state.slice(257, 513)], argmax);
  const order = argmax.map((_, c) => c).sort((a, b) => argmax[a] - argmax[b] || a - b);
  assert.deepEqual([...state.slice(513, 769)], order);
  const zeros = argmax.filter((slice) => slice === 0).length;
  assert.deepEqual([...state.slice(769, 772)], [0, zeros, 256]);
  const perChannel = best.map((_, c) => (d[0] * linear[c] + d[1] * linear[256 + c]) / 49);
  assertClose(
    new Float32Array(state.buffer, 4 * (769 + 257), 256),
    Float32Array.from(perChannel),
    1e-5,
  );
});

onGpu("a slice whose mean is NaN is the argmax of its channel, wherever it stands", async (gpu) => {
  const linear = noise("linear", 514);
  for (const slice of [0, 1, 2]) {
    const means = noise("means", 3 * 256).map(Math.abs);
    means[slice * 256 + 7] = NaN;
    const inputs = { step: step({ slices: 3 }), means, linear };
    const results = await runHead(gpu, "results", inputs);
    assert.deepEqual([...results.slice(0, 3)], [NaN, NaN, NaN]);
    const state = new Uint32Array((await runHead(gpu, "selected", inputs)).buffer);
    assert.equal(state[257 + 7], slice);
  }
});

onGpu("logits beyond what an exponential holds give a loss and a gradient", async (gpu) => {
  const means = new Float32Array(256);
  for (const logits of [[-300, 300], [300, -300], [-89, 89], [0, -1e30]]) {
    const linear = new Float32Array(514);
    linear.set(logits, 512);
    const inputs = { step: step({ slices: 1, label: 1, weights: [1, 3] }), means, linear };
    const [loss, ...seen] = (await runHead(gpu, "results", inputs)).slice(0, 3);
    const softplus = logits.map((z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))));
    const expected = (softplus[0] + 3 * (softplus[1] - logits[1])) / 2;
    assert.ok(
      Math.abs(loss - expected) <= 1e-6 * Math.max(1, expected),
      `${loss}, not ${expected}`,
    );
    assert.deepEqual(seen, logits.map(Math.fround));
    const d = (await runHead(gpu, "gradient", inputs)).slice(512);
    logits.forEach((z, o) => {
      const expected = [1, 3][o] / 2 * (1 / (1 + Math.exp(-z)) - o);
      assert.ok(Math.abs(d[o] - expected) <= 1e-6, `${d[o]}, not ${expected}`);
    });
  }
});

onGpu("Adam moves every parameter, the ones behind the last whole vector too", async (gpu) => {
  const count = 1001;
  const data = {
    gradient: noise("gradient", 1004),
    parameters: noise("parameters", 1004),
    first: noise("first", 1004),
    second: noise("second", 1004).map(Math.abs),
  };
  const [stepSize, correction] = [1e-3, 0.3];
  const expected = data.parameters.slice(0, count).map((p, at) => {
    const g = data.gradient[at] + 0.1 * p;
    const m = 0.9 * data.first[at] + 0.1 * g;
    const v = 0.999 * data.second[at] + 0.001 * g * g;
    return p - stepSize * m / (Math.sqrt(v) / correction + 1e-8);
  });
  const { parameters, ...rest } = data;
  const kernel = adam(count);
  // A buffer that is both given and read back is copied from, so it is asked for by its new values.
  const { STORAGE, COPY_DST, COPY_SRC, UNIFORM } = GPUBufferUsage;
  const held = Object.fromEntries(
    Object.entries({ parameters, ...rest, step: step({ stepSize, correction }) }).map((
      [name, values],
    ) => {
      const usage = name === "step" ? UNIFORM | COPY_DST : STORAGE | COPY_DST | COPY_SRC;
      const buffer = gpu.buffer(name, values.byteLength, usage);
      gpu.upload(buffer, new Uint8Array(values.buffer as ArrayBuffer));
      return [name, buffer];
    }),
  );
  gpu.run([await gpu.prepare(kernel, held)], 1);
  const actual = new Float32Array(await gpu.read(held.parameters, 4 * count));
  for (const buffer of Object.values(held)) gpu.free(buffer);
  assertClose(actual, expected);
});
