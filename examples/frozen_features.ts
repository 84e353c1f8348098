/**
 * Frozen features: the convolutions stay as they are. First a logistic regression is fitted on what they
 * make of each exam, without a step of training; then the model's own linear layer is trained alone.
 *
 * ```sh
 * deno run -A examples/frozen_features.ts             # the convolutions are random
 * deno run -A examples/frozen_features.ts --imagenet  # those of ImageNet, 233 MB to fetch once
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, type Dataset, evaluate, type Exam, metrics, train } from "../mod.ts";
import { makeKnees, QUICK, TRAINING } from "./knees.ts";

const { train: knees, valid } = await makeKnees();
const weights = Deno.args.includes("--imagenet") ? "imagenet" : "none";
using model = await createMRNet({ weights, seed: 1 });

/** As in MRNet: of each channel the mean over a slice, and of that the maximum over the slices. */
async function pooled(exam: Exam): Promise<number[]> {
  const { features: { slices, height, width, values } } = await model.predictWithFeatures(exam);
  const channels = values.length / (slices * height * width);
  const means = Array.from({ length: slices }, () => new Array<number>(channels).fill(0));
  for (const [i, value] of values.entries()) {
    means[Math.floor(i / (height * width * channels))][i % channels] += value / (height * width);
  }
  return means[0].map((_, channel) => Math.max(...means.map((slice) => slice[channel])));
}

/** A row of features for each exam of a dataset. */
async function featuresOf(exams: Dataset): Promise<number[][]> {
  const rows: number[][] = [];
  for (const index of exams.labels.keys()) rows.push(await pooled(await exams.read(index)));
  return rows;
}

const rows = await featuresOf(knees);
// Each channel to mean 0 and deviation 1 over the training exams, so that all are penalised alike.
const scales = rows[0].map((_, channel) => {
  const column = rows.map((row) => row[channel]);
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
});
const scaled = (row: number[]) =>
  row.map((value, channel) => (value - scales[channel].mean) / scales[channel].deviation);

const labelsOf = ({ labels }: Dataset) => labels.map(({ label }) => label);
const fitted = metrics.fitLogistic(rows.map(scaled), labelsOf(knees), 0.01);
const scores = (await featuresOf(valid)).map((row) =>
  metrics.logisticProbability(fitted, scaled(row))
);
const { auc, low, high } = metrics.delongInterval(labelsOf(valid), scores);
console.log(
  `logistic regression: AUC ${auc.toFixed(3)} (${low.toFixed(3)}–${
    high.toFixed(3)
  }) on ${scores.length} knees`,
);

// There is no backward pass through the convolutions, so an epoch takes less time.
await train(model, { train: knees, valid }, {
  ...TRAINING,
  epochs: QUICK ? 1 : 10,
  freeze: "features",
  learningRate: (epoch) => 0.02 / epoch,
  weightDecay: 0,
  keepBest: true,
});
console.log(`linear layer: AUC ${(await evaluate(model, valid)).auc.toFixed(3)}`);
