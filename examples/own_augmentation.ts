/**
 * An augmentation of one's own: what a dataset gives may be another each time it is read. Here the
 * contrast of a training exam varies, and grain is added.
 *
 * ```sh
 * deno run -A examples/own_augmentation.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, type Dataset, evaluate, type Exam, train } from "../mod.ts";
import { makeKnees, TRAINING } from "./knees.ts";

/** Random numbers of 0 to 1, the same ones for the same seed (Marsaglia's xorshift). */
function randomFrom(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** A new exam with another contrast and some grain; the one that was read may be kept in memory. */
function vary(exam: Exam, random: () => number): Exam {
  const contrast = 0.8 + 0.4 * random();
  const voxels = Float32Array.from(exam.voxels, (grey) => {
    const varied = 128 + contrast * (Number(grey) - 128) + 8 * (random() - 0.5);
    return Math.min(255, Math.max(0, varied));
  });
  return { ...exam, voxels };
}

const { train: knees, valid } = await makeKnees();
let reads = 0;
const varied: Dataset = {
  labels: knees.labels,
  read: async (index) => vary(await knees.read(index), randomFrom(++reads)),
};

using model = await createMRNet({ weights: "none", seed: 1 });
// `augment: false` in TRAINING leaves out the built-in rotations, shifts and flips; both together work.
const { epochs } = await train(model, { train: varied, valid }, TRAINING);
for (const { epoch, trainLoss, valLoss } of epochs) {
  console.log(`epoch ${epoch}: loss ${trainLoss} on varied exams, ${valLoss} on those as they are`);
}
console.log(`AUC ${(await evaluate(model, valid)).auc.toFixed(3)}`);
