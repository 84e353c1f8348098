/**
 * Calibration: does 0.7 mean seven in ten? A model's probabilities are often too sure or not sure
 * enough; two numbers, fitted on exams that are not evaluated on, set that right (J. Platt, 1999).
 *
 * ```sh
 * deno run -A examples/calibration.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, type Dataset, evaluate, metrics, train } from "../mod.ts";
import { makeKnees, TRAINING } from "./knees.ts";

const { train: knees, valid } = await makeKnees();
using model = await createMRNet({ weights: "none", seed: 1 });
// Stopped early the model tells the classes apart already, but is far from sure enough.
await train(model, { train: knees, valid }, { ...TRAINING, epochs: Math.min(TRAINING.epochs, 2) });

/** The logit of the finding for each exam. */
async function logitsOf(exams: Dataset): Promise<{ labels: number[]; logits: number[] }> {
  const { predictions } = await evaluate(model, exams);
  return {
    labels: predictions.map(({ label }) => label),
    logits: predictions.map(({ logits }) => logits[1]),
  };
}

/** Prints how far the probabilities are from the labels, and where. */
function show(title: string, labels: number[], probabilities: number[]): void {
  console.log(`${title}: Brier score ${metrics.brierScore(labels, probabilities).toFixed(4)}`);
  for (const bin of metrics.calibrationCurve(labels, probabilities, 5)) {
    if (bin.count === 0) continue;
    const [said, was] = [bin.meanProbability, bin.positiveShare].map((value) => value.toFixed(2));
    console.log(`  said ${said}, was ${was} (${bin.count} exams)`);
  }
}

// Every other exam of either class fits, the rest shows what came of it. MRNet has a tune split for it.
const { labels, logits } = await logitsOf(valid);
const order = [...labels.keys()].sort((a, b) => labels[a] - labels[b]);
const [fitted, rest] = [0, 1].map((parity) =>
  order.filter((_, position) => position % 2 === parity)
);
const scaling = metrics.fitLogistic(
  fitted.map((index) => [logits[index]]),
  fitted.map((index) => labels[index]),
  // Hardly any penalty: two numbers need none, and the logits of such a model lie close together.
  1000,
);

const [shown, right] = [logits, labels].map((values) => rest.map((index) => values[index]));
show("as the model says it", right, shown.map((z) => 1 / (1 + Math.exp(-z))));
show(
  `scaled by ${scaling.weights[0].toFixed(2)} and shifted by ${scaling.intercept.toFixed(2)}`,
  right,
  shown.map((z) => metrics.logisticProbability(scaling, [z])),
);
