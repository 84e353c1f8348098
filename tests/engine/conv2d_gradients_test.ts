import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { createRandom, type Random } from "../../lib/random.ts";
import * as tf from "../support/tf.ts";

type Pad = Parameters<typeof tf.conv2d>[3];

/** A convolution of a size that leaves something over at its edges more often than not. */
interface Case {
  x: [number, number, number, number];
  filter: [number, number, number, number];
  strides: [number, number];
  pad: Pad;
}

function drawCase(random: Random): Case {
  const between = (low: number, high: number) => low + random.integer(high - low + 1);
  const edges = (): [number, number] => [between(0, 2), between(0, 2)];
  const pads: Pad[] = ["valid", "same", [[0, 0], edges(), edges(), [0, 0]], between(0, 2)];
  const pad = pads[random.integer(pads.length)];
  // With a number for the padding TensorFlow.js takes height and stride of the filter for its width
  // and stride too, and on WebAssembly writes past the end of its output where they differ.
  const square = typeof pad === "number";
  const [height, channels] = [between(1, 5), between(1, 3)];
  const width = square ? height : between(1, 5);
  // The library's own forward kernel is wrong where "same" meets a stride beyond the filter.
  const farthest = pad === "same" ? Math.min(height, width) : 4;
  const stride = between(1, farthest);
  return {
    x: [between(1, 3), height + between(0, 6), width + between(0, 6), channels],
    filter: [height, width, channels, between(1, 4)],
    strides: [stride, square ? stride : between(1, farthest)],
    pad,
  };
}

/** The output and both gradients, `dy` being random too, as plain numbers. */
async function compute({ x, filter, strides, pad }: Case, seed: number): Promise<number[][]> {
  const random = createRandom(seed, "conv");
  const drawn = (shape: number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return tf.tensor(Float32Array.from({ length: size }, () => random.uniform(-1, 1)), shape);
  };
  const results = tf.tidy(() => {
    const [image, weights] = [drawn(x), drawn(filter)] as [tf.Tensor4D, tf.Tensor4D];
    const forward = (image: tf.Tensor, weights: tf.Tensor) =>
      tf.conv2d(image as tf.Tensor4D, weights as tf.Tensor4D, strides, pad);
    const y = forward(image, weights);
    return [y, ...tf.grads(forward)([image, weights], drawn(y.shape) as typeof y)];
  });
  const numbers = await Promise.all(results.map(async (each) => [...await each.data()]));
  tf.dispose(results);
  return numbers;
}

function assertClose(actual: number[][], expected: number[][], what: string): void {
  for (const [index, name] of ["output", "input gradient", "filter gradient"].entries()) {
    assert.equal(actual[index].length, expected[index].length, `${name} of ${what}`);
    const off = actual[index].findIndex((value, i) =>
      !(Math.abs(value - expected[index][i]) < 2e-5)
    );
    assert.equal(off, -1, `${name} of ${what}: ${actual[index][off]}, not ${expected[index][off]}`);
  }
}

const FIXED: Case[] = [
  // AlexNet's first and second convolution, on slices of the least size.
  { x: [2, 64, 64, 1], filter: [11, 11, 1, 4], strides: [4, 4], pad: 2 },
  { x: [2, 7, 7, 4], filter: [5, 5, 4, 6], strides: [1, 1], pad: 2 },
  { x: [1, 1, 1, 1], filter: [1, 1, 1, 1], strides: [1, 1], pad: "valid" },
  // A stride that leaves rows and columns of the input unused.
  { x: [1, 8, 9, 2], filter: [2, 3, 2, 3], strides: [3, 4], pad: "valid" },
  // A padding wider than the filter reaches.
  { x: [1, 3, 3, 1], filter: [1, 1, 1, 2], strides: [1, 1], pad: 2 },
];

Deno.test({
  name: "both gradients of a convolution on WebAssembly are those of the plain engine",
  // The engines outlive the test on purpose.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const random = createRandom(20, "cases");
    const cases = [...FIXED, ...Array.from({ length: 80 }, () => drawCase(random))];
    await startEngine("cpu");
    const expected: number[][][] = [];
    for (const [seed, each] of cases.entries()) expected.push(await compute(each, seed));
    await startEngine("wasm");
    const before = tf.memory().numTensors;
    for (const [seed, each] of cases.entries()) {
      assertClose(await compute(each, seed), expected[seed], JSON.stringify(each));
    }
    assert.equal(tf.memory().numTensors, before);
  },
});
