/**
 * Exams that are in no file: anything with labels and a way to read an exam is a dataset.
 *
 * Here an exam is grain, and the finding a bright square in one of its slices.
 *
 * ```sh
 * deno run -A examples/own_data.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, type Dataset, evaluate, type Label, train } from "../mod.ts";

const [SLICES, SIDE] = [2, 64];

/** Grey values `[slices, side, side]` of 0 to 255, as MRNet's files have them. */
function makeVoxels(index: number, label: Label): Uint8Array {
  const grain = (i: number) => 40 + (i * 37 + index * 101) % 60;
  const voxels = Uint8Array.from({ length: SLICES * SIDE * SIDE }, (_, i) => grain(i));
  const [slice, top, left] = [index % SLICES, 8 + index * 5 % 24, 8 + index * 7 % 24];
  for (let row = top; label === 1 && row < top + 24; row++) {
    const begin = (slice * SIDE + row) * SIDE + left;
    voxels.fill(230, begin, begin + 24);
  }
  return voxels;
}

/** A dataset of made-up arrays; its exams are made when they are read. */
function makeDataset(first: number, count: number): Dataset {
  const labels = Array.from({ length: count }, (_, i) => ({
    id: `exam_${first + i}`,
    label: i % 2 as Label,
  }));
  const read = (index: number) => {
    const { id, label } = labels[index];
    const voxels = makeVoxels(first + index, label);
    return Promise.resolve({ id, slices: SLICES, height: SIDE, width: SIDE, voxels });
  };
  return { labels, read };
}

const valid = makeDataset(100, 12);
using model = await createMRNet({ weights: "none", seed: 1 });
await train(model, { train: makeDataset(0, 20), valid }, {
  epochs: 2,
  learningRate: 2e-4,
  augment: false,
  seed: 1,
  onEpoch: ({ epoch, trainLoss, valAuc }) =>
    console.log(`epoch ${epoch}: loss ${trainLoss}, AUC ${valAuc}`),
});
const { auc } = await evaluate(model, valid);
console.log(`AUC ${auc.toFixed(3)} on ${valid.labels.length} exams that it was not trained on`);
