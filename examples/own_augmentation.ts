/**
 * An augmentation of one's own: a function that makes another exam of each training exam, in every
 * epoch anew. Here the contrast varies, and grain is added.
 *
 * ```sh
 * deno run -A examples/own_augmentation.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, evaluate, type Exam, type Random, train } from "../mod.ts";
import { makeKnees, TRAINING } from "./knees.ts";

/**
 * A new exam with another contrast and some grain; the one that was read may be kept in memory. The
 * random numbers are those of the seed, the epoch and the exam, so each run draws the same.
 */
function vary(exam: Exam, random: Random): Exam {
  const contrast = random.uniform(0.8, 1.2);
  const voxels = Float32Array.from(exam.voxels, (grey) => {
    const varied = 128 + contrast * (grey - 128) + random.uniform(-4, 4);
    return Math.min(255, Math.max(0, varied));
  });
  return { ...exam, voxels };
}

const datasets = await makeKnees();
using model = await createMRNet({ weights: "none", seed: 1 });
// It takes the place of the built-in rotations, shifts and flips.
const { epochs } = await train(model, datasets, { ...TRAINING, augmentation: vary });
for (const { epoch, trainLoss, valLoss } of epochs) {
  console.log(`epoch ${epoch}: loss ${trainLoss} on varied exams, ${valLoss} on those as they are`);
}
console.log(`AUC ${(await evaluate(model, datasets.valid)).auc.toFixed(3)}`);
