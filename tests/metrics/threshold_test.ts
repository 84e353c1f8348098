import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  confusionMatrix,
  metricsAt,
  wilsonInterval,
  youdenPoint,
} from "../../lib/metrics/threshold.ts";
import { assertNear, METRICS, METRICS_GOLDEN, unzip } from "../support/metrics_golden.ts";

for (const [index, { labels, probabilities, ...expected }] of METRICS_GOLDEN.cases.entries()) {
  Deno.test(`counts and rates are scikit-learn's, intervals SciPy's: set ${index + 1}`, () => {
    for (const at of expected.thresholds) {
      const found = metricsAt(labels, probabilities, at.threshold);
      assert.deepEqual(found.confusion, {
        truePositives: at.tp,
        falsePositives: at.fp,
        trueNegatives: at.tn,
        falseNegatives: at.fn,
      });
      for (const metric of METRICS) assertNear(found[metric].value, at[metric], 1e-15, metric);
      assertNear(found.sensitivity.low, at.sensitivity_interval[0], 1e-14);
      assertNear(found.sensitivity.high, at.sensitivity_interval[1], 1e-14);
    }
  });

  Deno.test(`Youden's index is largest where scikit-learn's curve says: set ${index + 1}`, () => {
    const { threshold, index } = youdenPoint(labels, probabilities);
    assertNear(index, expected.youden.index, 1e-14);
    // Midway below the score that scikit-learn gives, so the decisions are the same.
    assert.deepEqual(
      confusionMatrix(labels, probabilities, threshold),
      confusionMatrix(labels, probabilities, expected.youden.at),
    );
    assert(!probabilities.includes(threshold));
  });
}

Deno.test("a score at the threshold is positive", () => {
  assert.deepEqual(confusionMatrix([1, 0], [0.5, 0.5], 0.5), {
    truePositives: 1,
    falsePositives: 1,
    trueNegatives: 0,
    falseNegatives: 0,
  });
});

Deno.test("a rate of no cases is not a number", () => {
  const negatives = metricsAt([0, 0], [0.2, 0.4], 0.5);
  assert(Number.isNaN(negatives.sensitivity.value) && Number.isNaN(negatives.ppv.value));
  assert(Number.isNaN(negatives.sensitivity.low) && Number.isNaN(negatives.sensitivity.high));
  assert.equal(negatives.specificity.value, 1);
  assert.equal(negatives.npv.value, 1);
  for (const metric of METRICS) assert(Number.isNaN(metricsAt([], [], 0.5)[metric].value));
  assert.throws(() => metricsAt([1], [1], NaN), {
    message: "A threshold must be a number: current value is NaN",
  });
});

Deno.test("Wilson's interval is never outside 0–1, holds the share, and narrows with more cases", () => {
  const counts = fc.integer({ min: 1, max: 2000 })
    .chain((total) => fc.tuple(fc.integer({ min: 0, max: total }), fc.constant(total)));
  fc.assert(fc.property(counts, ([successes, total]) => {
    const { value, low, high } = wilsonInterval(successes, total);
    assert(0 <= low && low <= value && value <= high && high <= 1);
    const more = wilsonInterval(successes * 10, total * 10);
    assert(more.high - more.low < high - low);
    const mirrored = wilsonInterval(total - successes, total);
    assertNear(mirrored.low, 1 - high, 1e-12);
  }));
  assert.equal(wilsonInterval(0, 5).low, 0);
  assert.equal(wilsonInterval(5, 5).high, 1);
});

Deno.test("of equally good thresholds the highest is taken", () => {
  // At 0.9 and at 0.3 the index is 1/2.
  assert.deepEqual(youdenPoint([1, 0, 1, 0], [0.9, 0.5, 0.3, 0.1]), { threshold: 0.7, index: 0.5 });
});

Deno.test("a model that is worse than chance is left with the best it has", () => {
  const { threshold, index } = youdenPoint([1, 0], [0.1, 0.9]);
  assert.deepEqual([threshold, index], [0.1, 0]);
});

Deno.test("no threshold between neighbours of floating point calls the lower one positive", () => {
  const low = 0.5;
  const high = 0.5 + Number.EPSILON / 2;
  assert.equal(youdenPoint([0, 1], [low, high]).threshold, high);
  assert.equal(youdenPoint([0, 1], [-Infinity, Infinity]).threshold, Infinity);
});

Deno.test("one class has no operating point", () => {
  for (const labels of [[], [1], [0, 0]]) {
    const { threshold, index } = youdenPoint(labels, labels.map(() => 0.5));
    assert(Number.isNaN(threshold) && Number.isNaN(index));
  }
});

Deno.test("no threshold is better than the one that is found, and its index is as stated", () => {
  const cases = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 6 })), {
    minLength: 2,
    maxLength: 30,
  }).filter((all) => new Set(all.map(([label]) => label)).size === 2);
  fc.assert(fc.property(cases, (all) => {
    const { labels, scores } = unzip(all);
    const indexAt = (threshold: number) => {
      const { sensitivity, specificity } = metricsAt(labels, scores, threshold);
      return sensitivity.value + specificity.value - 1;
    };
    const { threshold, index } = youdenPoint(labels, scores);
    assertNear(indexAt(threshold), index, 1e-12);
    for (const score of scores) assert(indexAt(score) <= index + 1e-12);
  }));
});
