/**
 * Which of several equal values gets the gradient. In PyTorch it is the first.
 *
 * MRI is full of ties: the background is one grey value, and a slice may be there twice.
 */
import assert from "node:assert/strict";
import type { LabelledExam } from "../../lib/data/dataset.ts";
import type { EngineName } from "../../lib/engine/engine.ts";
import { maxOverSlices } from "../../lib/model/max_over_slices.ts";
import * as tf from "../support/tf.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import { onEachEngine } from "../support/engines.ts";
import {
  compareTensors,
  gradientOf,
  type MakeNetwork,
  readGolden,
  type Sketches,
  worst,
} from "../support/network_golden.ts";
import { seededExam } from "../support/seeded.ts";
import { NETWORK_TOLERANCES } from "../support/tolerances.ts";

/** An input, its maximum, a gradient of the maximum and the input's gradient. */
interface Maximum<T> {
  x: T;
  y: T;
  dy: T;
  dx: T;
}

const golden = await readGolden<{
  max_pool: Maximum<number[][][][]>[];
  max_over_slices: Maximum<number[][]>;
  network: { seed: number; background: number; gradient_present: Sketches };
}>("ties");

/**
 * Where the pool of TensorFlow.js 4.22 gives the gradient to the first of equal pixels. On WebGPU and
 * WebAssembly it goes to the last, on WebAssembly nowhere where the largest is not above 0. In MRNet
 * that makes no difference, as the last tests here show: what is equal after a convolution came from
 * equal pixels, and ReLU stops the gradient at 0. Training takes this toolkit's own pools there.
 */
const FIRST_OF_EQUALS: readonly EngineName[] = ["cpu"];

for (const { x, y, dy, dx } of golden.max_pool) {
  const size = `${x[0][0].length}x${x[0][0][0].length}`;
  onEachEngine(`a pool gives the gradient to the first of equal pixels, ${size}`, async () => {
    const [value, gradient] = tf.tidy(() => {
      // PyTorch's images are [batch, channels, height, width].
      const input: tf.Tensor4D = tf.transpose(tf.tensor4d(x), [0, 2, 3, 1]);
      const outer: tf.Tensor4D = tf.transpose(tf.tensor4d(dy), [0, 2, 3, 1]);
      const pool = (input: tf.Tensor4D) => tf.maxPool(input, 3, 2, "valid");
      const gradient = tf.grad(pool as (x: tf.Tensor) => tf.Tensor)(input, outer);
      return [pool(input), gradient].map((each) => tf.transpose(each, [0, 3, 1, 2]));
    });
    assert.deepEqual(await value.array(), y);
    assert.deepEqual(await gradient.array(), dx);
    tf.dispose([value, gradient]);
  }, { engines: FIRST_OF_EQUALS });
}

onEachEngine("a pool gives the gradient of each window to one of its largest pixels", async () => {
  // Windows of a positive constant, which do not overlap, so that each gradient is told apart.
  const outer = [[1, 2, 3], [4, 5, 6]];
  const gradient = tf.tidy(() => {
    const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 3, 3, "valid");
    const dx = tf.grad(pool)(
      tf.fill([1, 6, 9, 1], 7),
      tf.reshape(tf.tensor2d(outer), [1, 2, 3, 1]),
    );
    // Window by window: [rows of windows, columns of windows, pixels of one].
    return tf.reshape(tf.transpose(tf.reshape(dx, [2, 3, 3, 3]), [0, 2, 1, 3]), [2, 3, 9]);
  });
  const windows = await gradient.array() as number[][][];
  gradient.dispose();
  const given = windows.map((row) => row.map((pixels) => pixels.filter((value) => value !== 0)));
  assert.deepEqual(given, outer.map((row) => row.map((value) => [value])));
});

onEachEngine("the maximum over slices gives the gradient to the first of equals", async () => {
  const { x, y, dy, dx } = golden.max_over_slices;
  const [value, gradient] = tf.tidy(() => {
    const largest = maxOverSlices as (x: tf.Tensor) => tf.Tensor;
    const input = tf.tensor2d(x);
    return [largest(input), tf.grad(largest)(input, tf.tensor2d(dy))];
  });
  assert.deepEqual(await value.array(), y);
  assert.deepEqual(await gradient.array(), dx);
  tf.dispose([value, gradient]);
});

onEachEngine("one slice is its own maximum and gets the whole gradient", async () => {
  const gradient = tf.tidy(() => {
    const largest = maxOverSlices as (x: tf.Tensor) => tf.Tensor;
    return tf.grad(largest)(tf.tensor2d([[1, 2, 3]]), tf.tensor2d([[4, 5, 6]]));
  });
  assert.deepEqual(await gradient.array(), [[4, 5, 6]]);
  gradient.dispose();
});

/** An exam whose background is 0 throughout and whose first slice is there again as the last. */
function evenExam(): LabelledExam {
  const { seed, background } = golden.network;
  const exam = seededExam(seed, { slices: 3, height: 64, width: 64 });
  const voxels = exam.voxels.map((value) => value < background ? 0 : value);
  voxels.copyWithin(2 * 64 * 64, 0, 64 * 64);
  return { exam: { ...exam, voxels }, label: 1 };
}

const WAYS: Record<string, MakeNetwork> = {
  "in training": createNetwork,
  "in TensorFlow.js's operations": (model, options) =>
    Promise.resolve(new TensorNetwork(model, options)),
};

for (const [way, makeNetwork] of Object.entries(WAYS)) {
  const name = `an even background and a repeated slice give PyTorch's gradients ${way}`;
  onEachEngine(name, async () => {
    const gradient = await gradientOf(evenExam(), makeNetwork);
    const difference = worst(compareTensors(gradient, golden.network.gradient_present));
    const bound = NETWORK_TOLERANCES["2x64x64"].gradients;
    assert(difference <= bound, `${difference} is above ${bound}`);
  }, { engines: ["webgpu", "wasm"] });
}
