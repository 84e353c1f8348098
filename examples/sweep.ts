/**
 * A sweep over learning rates: the same exams, the same first weights, the same orders.
 *
 * The best of many on the validation exams looks better than it is: evaluate it on others.
 *
 * ```sh
 * deno run -A examples/sweep.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, train } from "../mod.ts";
import { makeKnees, QUICK, TRAINING } from "./knees.ts";

const RATES = QUICK ? [1e-4, 2e-4] : [2e-5, 1e-4, 2e-4, 1e-3];

const { train: knees, valid } = await makeKnees();
const rows: { rate: number; auc: number; loss: number }[] = [];
for (const learningRate of RATES) {
  using model = await createMRNet({ weights: "none", seed: 1 });
  try {
    const { epochs } = await train(model, { train: knees, valid }, { ...TRAINING, learningRate });
    const { valAuc, valLoss } = epochs.at(-1)!;
    rows.push({ rate: learningRate, auc: valAuc, loss: valLoss });
  } catch (error) {
    // Too high a rate may drive the weights to infinity, which training says by an error.
    console.log(`${learningRate}: ${error instanceof Error ? error.message : error}`);
  }
}
console.log("learning rate   AUC    loss");
for (const { rate, auc, loss } of rows.sort((a, b) => a.loss - b.loss)) {
  console.log(`${rate.toExponential(0).padEnd(15)} ${auc.toFixed(3)}  ${loss.toFixed(4)}`);
}
