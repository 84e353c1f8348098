/**
 * The metrics of more cases than a function can be handed as arguments, some 125,000.
 */
import assert from "node:assert/strict";
import { bootstrapRoc } from "../../lib/metrics/bootstrap.ts";
import { brierScore, calibrationCurve } from "../../lib/metrics/calibration.ts";
import { delongInterval, delongTest } from "../../lib/metrics/delong.ts";
import { fitLogistic } from "../../lib/metrics/logistic.ts";
import { rocAuc, rocCurve } from "../../lib/metrics/roc.ts";
import { summarizePredictions } from "../../lib/metrics/summary.ts";
import { metricsAt, youdenPoint } from "../../lib/metrics/threshold.ts";
import type { Label } from "../../lib/terms.ts";

const CASES = 150_000;
const labels = Array.from({ length: CASES }, (_, i): Label => i % 3 === 0 ? 1 : 0);
// Spread evenly over 0 to 1, positive cases half a step higher: most scores occur once.
const scores = labels.map((label, i) => ((i * 7919) % CASES + label * CASES / 2) / (1.5 * CASES));

Deno.test("every metric takes 150,000 cases", () => {
  const auc = rocAuc(labels, scores);
  assert.ok(auc > 0.8 && auc < 0.9, String(auc));
  const interval = delongInterval(labels, scores);
  assert.equal(interval.auc, auc);
  assert.ok(interval.high - interval.low < 0.005 && interval.low < auc);
  assert.equal(delongTest(labels, scores, scores).p, 1);
  assert.ok(rocCurve(labels, scores).thresholds.length > 125_000);
  const drawn = bootstrapRoc(labels, scores, { seed: 1, samples: 5 });
  assert.ok(drawn.low < auc && auc < drawn.high);
  assert.ok(youdenPoint(labels, scores).index > 0.4);
  assert.ok(metricsAt(labels, scores, 0.5).sensitivity.value > 0.5);
  assert.ok(brierScore(labels, scores) < 0.3);
  assert.equal(calibrationCurve(labels, scores).length, 10);
  const { weights } = fitLogistic(scores.map((score) => [score]), labels);
  assert.ok(weights[0] > 0);
});

Deno.test("a summary takes 150,000 predictions", () => {
  const predictions = labels.map((label, i) => ({ id: String(i), label, probability: scores[i] }));
  const { auc, exams } = summarizePredictions(predictions, { seed: 1, samples: 5 });
  assert.equal(exams, CASES);
  assert.ok(auc.delong.low > 0.8);
});
