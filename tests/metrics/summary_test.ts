import assert from "node:assert/strict";
import { DataError } from "../../lib/errors.ts";
import { delongInterval, delongTest } from "../../lib/metrics/delong.ts";
import {
  compareModels,
  type LabelledPrediction,
  summarizePredictions,
} from "../../lib/metrics/summary.ts";
import { METRICS_GOLDEN } from "../support/metrics_golden.ts";
import { drawPredictions } from "../support/evaluation.ts";

const { labels, probabilities, brier } = METRICS_GOLDEN.cases[1];
const predictions: LabelledPrediction[] = labels.map((label, i) => ({
  id: String(i),
  label: label === 1 ? 1 : 0,
  probability: probabilities[i],
}));

Deno.test("a summary holds every metric, each as its own function gives it", () => {
  const thresholds = [{ threshold: 0.5, kind: "half" }, { threshold: 0.3, kind: "given" }] as const;
  const summary = summarizePredictions(predictions, { seed: 9, samples: 50, thresholds });
  assert.equal(summary.exams, 200);
  assert.equal(summary.positives, labels.filter((label) => label === 1).length);
  assert(Math.abs(summary.brier - brier) < 1e-15);
  const { auc, low, high } = delongInterval(labels, probabilities);
  assert.equal(summary.auc.value, auc);
  assert.deepEqual(summary.auc.delong, { low, high });
  assert.equal(summary.auc.bootstrap.seed, 9);
  assert.equal(summary.auc.bootstrap.samples, 50);
  assert.deepEqual(summary.thresholds.map(({ threshold, kind }) => [threshold, kind]), [
    [0.5, "half"],
    [0.3, "given"],
  ]);
  assert.equal(summary.calibration.length, 10);
  assert.equal(summary.roc.fpr.at(-1), 1);
  assert(Number.isNaN(summary.loss), "these predictions have no loss");
});

Deno.test("the loss is the mean of the exams' losses", () => {
  const [a, b] = drawPredictions(2, 1);
  const { loss } = summarizePredictions([a, b], { seed: 1, samples: 1 });
  assert.equal(loss, (a.loss + b.loss) / 2);
});

Deno.test("exams of one class leave undefined what needs two", () => {
  const ones = predictions.filter(({ label }) => label === 1);
  const { auc, thresholds: [standard] } = summarizePredictions(ones, { seed: 1, samples: 5 });
  for (const value of [auc.value, auc.delong.low, auc.bootstrap.low, standard.specificity.value]) {
    assert(Number.isNaN(value));
  }
  assert(standard.sensitivity.value > 0);
});

Deno.test("two models are compared exam by exam, whatever their order", () => {
  const second = predictions.map((each, i) => ({ ...each, probability: (i * 37 % 200) / 200 }));
  const expected = delongTest(labels, probabilities, second.map((each) => each.probability));
  assert.deepEqual(compareModels(predictions, second.toReversed()), expected);
});

Deno.test("models evaluated on different exams are not compared", () => {
  const begin = "Cannot compare the two models:";
  const end = "both must be evaluated on the same exams";
  const [first] = predictions;
  const cases: [LabelledPrediction[], string][] = [
    [predictions.slice(1), `${begin} one was evaluated on 200 exams, the other 199: ${end}`],
    [
      [{ ...first, id: "other" }, ...predictions.slice(1)],
      `${begin} only one of them was evaluated on exam '0': ${end}`,
    ],
    [
      [{ ...first, label: first.label === 1 ? 0 : 1 }, ...predictions.slice(1)],
      `${begin} the exam '0' has the label ${first.label} and ${1 - first.label}: ${end}`,
    ],
    [
      [predictions[1], ...predictions.slice(1)],
      `${begin} one was evaluated on 200 exams, the other 199: ${end}`,
    ],
  ];
  for (const [second, message] of cases) {
    assert.throws(() => compareModels(predictions, second), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.equal(error.message, message);
      return true;
    });
  }
});
