/**
 * The augmentation's reference numbers, and how far an engine is from them.
 */
import { augment, type Augmentation } from "../../lib/data/augment.ts";
import type { ExamSize } from "../../lib/data/exam.ts";
import { createRandom } from "../../lib/random.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import * as tf from "./tf.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { goldenState, readGolden, worstNumber } from "./network_golden.ts";
import { product, seededExam } from "./seeded.ts";

/** A case of tests/golden/augment.json. */
export interface AugmentationCase extends ExamSize, Augmentation {
  /** The resampled exam, `[slices, height, width]` in one list. */
  values: number[];
}

/** What the network says of a resampled exam. */
export interface AugmentedStep extends ExamSize, Augmentation {
  logits: [number, number];
}

const golden = await readGolden<{
  seed: number;
  cases: AugmentationCase[];
  step_seed: number;
  steps: AugmentedStep[];
}>("augment");

/** Every case of tests/golden/augment.json. */
export const AUGMENTATION_CASES: readonly AugmentationCase[] = golden.cases;

/** Steps on resampled exams. */
export const AUGMENTED_STEPS: readonly AugmentedStep[] = golden.steps;

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

/**
 * The largest relative difference of the logits of the exam that a training step has resampled: the
 * network's own resampling, whatever form that has on the current engine.
 */
export async function compareAugmentedStep(
  { logits, slices, height, width, ...change }: AugmentedStep,
): Promise<number> {
  const exam = seededExam(golden.step_seed, { slices, height, width });
  const model = new MRNet(goldenState());
  const network = await createNetwork(model);
  try {
    const result = await network.step({ exam, label: 1 }, [1, 1], change);
    return worstNumber(result.logits, logits);
  } finally {
    network.dispose();
    model.dispose();
  }
}
