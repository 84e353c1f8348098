/**
 * Augmentation resamples as PyTorch's `grid_sample` does in double precision, and goes the ways that
 * its documentation says.
 */
import assert from "node:assert/strict";
import { augment } from "../../lib/data/augment.ts";
import * as tf from "../support/tf.ts";
import {
  AUGMENTATION_CASES,
  AUGMENTED_STEPS,
  compareAugmentation,
  compareAugmentedStep,
} from "../support/augmentation_golden.ts";
import { onEachEngine } from "../support/engines.ts";
import { AUGMENTATION_TOLERANCE, AUGMENTED_STEP_TOLERANCE } from "../support/tolerances.ts";

for (const reference of AUGMENTATION_CASES) {
  const { slices, height, width, degrees, down, right, flip } = reference;
  const what = `${degrees}°, ${down} down, ${right} right${flip ? ", flipped" : ""}`;
  onEachEngine(`${slices}x${height}x${width} resampled: ${what}`, async () => {
    const difference = await compareAugmentation(reference);
    assert(difference <= AUGMENTATION_TOLERANCE, `${difference} grey values apart`);
  });
}

for (const step of AUGMENTED_STEPS) {
  const { degrees, down, right, flip } = step;
  const what = `${degrees}°, ${down} down, ${right} right${flip ? ", flipped" : ""}`;
  onEachEngine(`a step resamples its exam likewise: ${what}`, async () => {
    const difference = await compareAugmentedStep(step);
    assert(difference <= AUGMENTED_STEP_TOLERANCE, `the logits differ by ${difference}`);
    // The plain engine resamples with the operations tested above, and takes half a minute a step.
  }, { engines: ["webgpu", "wasm"] });
}

/** Where one bright pixel of a 9×9 image goes, as `[row, column]`. */
async function moved(row: number, column: number, change: Partial<Parameters<typeof augment>[1]>) {
  const augmented = tf.tidy(() => {
    const image = tf.buffer([1, 9, 9]);
    image.set(255, 0, row, column);
    const identity = { degrees: 0, down: 0, right: 0, flip: false };
    return augment(image.toTensor() as tf.Tensor3D, { ...identity, ...change });
  });
  const values = await augmented.data();
  augmented.dispose();
  const brightest = values.indexOf(Math.max(...values));
  return [Math.floor(brightest / 9), brightest % 9];
}

onEachEngine("a positive rotation turns right towards down, about the centre", async () => {
  assert.deepEqual(await moved(4, 7, { degrees: 90 }), [7, 4]);
  assert.deepEqual(await moved(7, 4, { degrees: 90 }), [4, 1]);
  assert.deepEqual(await moved(4, 7, { degrees: -90 }), [1, 4]);
  assert.deepEqual(await moved(4, 4, { degrees: 25 }), [4, 4]);
});

onEachEngine("positive shifts go down and to the right", async () => {
  assert.deepEqual(await moved(2, 3, { down: 2 }), [4, 3]);
  assert.deepEqual(await moved(2, 3, { right: 4 }), [2, 7]);
  assert.deepEqual(await moved(6, 6, { down: -3, right: -5 }), [3, 1]);
});

onEachEngine("a flip exchanges left and right and comes after the shift", async () => {
  assert.deepEqual(await moved(2, 1, { flip: true }), [2, 7]);
  assert.deepEqual(await moved(2, 1, { flip: true, right: 2 }), [2, 5]);
});

onEachEngine("the rotation comes before the shift", async () => {
  assert.deepEqual(await moved(4, 6, { degrees: 90, right: 1 }), [6, 5]);
});

onEachEngine("beyond the edge the edge's pixels repeat", async () => {
  const augmented = tf.tidy(() => {
    const image = tf.tensor3d([[[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]]);
    return augment(image, { degrees: 0, down: -1, right: 2, flip: false });
  });
  assert.deepEqual(await augmented.array(), [[[5, 5, 5, 6], [9, 9, 9, 10], [9, 9, 9, 10]]]);
  augmented.dispose();
});
