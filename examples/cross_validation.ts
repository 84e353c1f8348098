/**
 * Cross-validation: each exam is predicted by a model that was not trained on it, and the AUC is over
 * all of them.
 *
 * ```sh
 * deno run -A examples/cross_validation.ts
 * ```
 */
// deno-lint-ignore-file no-console
import { createMRNet, type Dataset, evaluate, metrics, train } from "../mod.ts";
import { makeKnees, QUICK, TRAINING } from "./knees.ts";

const FOLDS = QUICK ? 2 : 4;

const { train: all } = await makeKnees();

// Dealt out class by class, so that each fold has as many of either as can be.
const byClass = [0, 1].flatMap((wanted) =>
  all.labels.flatMap(({ label }, index) => label === wanted ? [index] : [])
);
const foldOf = new Map(byClass.map((index, position) => [index, position % FOLDS]));

/** The exams of these positions, as a dataset of their own. */
function pick(isWanted: (index: number) => boolean): Dataset {
  const chosen = [...all.labels.keys()].filter(isWanted);
  return {
    labels: chosen.map((index) => all.labels[index]),
    read: (position) => all.read(chosen[position]),
  };
}

const [labels, probabilities]: [number[], number[]] = [[], []];
for (let fold = 0; fold < FOLDS; fold++) {
  const held = pick((index) => foldOf.get(index) === fold);
  using model = await createMRNet({ weights: "none", seed: 1 });
  // A fixed number of epochs: nothing of the training may be chosen by the exams that are held out.
  const rest = pick((index) => foldOf.get(index) !== fold);
  await train(model, { train: rest, valid: held }, { ...TRAINING, patience: 0 });
  const { auc, predictions } = await evaluate(model, held);
  console.log(`fold ${fold + 1} of ${FOLDS}: AUC ${auc.toFixed(3)} on ${held.labels.length} exams`);
  for (const { label, probability } of predictions) {
    labels.push(label);
    probabilities.push(probability);
  }
}
const { auc, low, high } = metrics.delongInterval(labels, probabilities);
console.log(`all folds: AUC ${auc.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`);
