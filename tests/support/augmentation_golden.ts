/**
 * The augmentation's reference numbers, and how far an engine is from them.
 *
 * @module
 */
import { augment, type Augmentation } from "../../lib/data/augment.ts";
import type { ExamSize } from "../../lib/data/exam.ts";
import { createRandom } from "../../lib/random.ts";
import * as tf from "../../lib/tf.ts";
import { readGolden } from "./network_golden.ts";
import { product } from "./seeded.ts";

/** A case of tests/golden/augment.json. */
export interface AugmentationCase extends ExamSize, Augmentation {
  /** The resampled exam, `[slices, height, width]` in one list. */
  values: number[];
}

const golden = readGolden<{ seed: number; cases: AugmentationCase[] }>("augment");

/** Every case of tests/golden/augment.json. */
export const AUGMENTATION_CASES: readonly AugmentationCase[] = golden.cases;

/** The largest difference of a pixel on the current engine, in grey values of 0–255. */
export async function compareAugmentation(
  { slices, height, width, values, ...change }: AugmentationCase,
): Promise<number> {
  const shape: [number, number, number] = [slices, height, width];
  const random = createRandom(golden.seed);
  const voxels = Float32Array.from({ length: product(shape) }, () => random.integer(256));
  const augmented = tf.tidy(() => augment(tf.tensor3d(voxels, shape), change));
  const ours = await augmented.data();
  augmented.dispose();
  return Math.max(...values.map((value, i) => Math.abs(value - ours[i])));
}
