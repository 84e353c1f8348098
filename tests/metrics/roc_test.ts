import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { rocAuc, rocCurve, RunningAuc } from "../../lib/metrics/roc.ts";
import { assertWithin } from "../support/time.ts";

interface Golden {
  name: string;
  labels: number[];
  scores: number[];
  auc: number;
  running: (number | null)[];
  fpr: number[];
  tpr: number[];
  finite_thresholds: number[];
}

const golden: Golden[] = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../golden/roc.json`),
).cases;

/** scikit-learn sums trapezoids, so its last digits differ. */
function near(actual: number, expected: number): void {
  assert(Math.abs(actual - expected) < 1e-14, `${actual} is not ${expected}`);
}

for (const { name, labels, scores, ...expected } of golden) {
  Deno.test(`area and curve are scikit-learn's: ${name}`, () => {
    near(rocAuc(labels, scores), expected.auc);
    const curve = rocCurve(labels, scores);
    assert.deepEqual(curve.fpr, expected.fpr);
    assert.deepEqual(curve.tpr, expected.tpr);
    assert.deepEqual(curve.thresholds, [Infinity, ...expected.finite_thresholds]);
  });

  Deno.test(`the running area is scikit-learn's after every case: ${name}`, () => {
    const running = new RunningAuc();
    labels.forEach((label, i) => {
      running.add(label, scores[i]);
      const area = expected.running[i];
      if (area === null) assert(Number.isNaN(running.value));
      else near(running.value, area);
    });
  });
}

Deno.test("the area does not exist where only one class is present", () => {
  assert(Number.isNaN(rocAuc([], [])));
  assert(Number.isNaN(rocAuc([1, 1], [0.2, 0.4])));
  assert(Number.isNaN(rocAuc([0], [0.2])));
  assert(Number.isNaN(new RunningAuc().value));
  assert.deepEqual(rocCurve([0, 0], [1, 2]), {
    fpr: [0, 0.5, 1],
    tpr: [NaN, NaN, NaN],
    thresholds: [Infinity, 2, 1],
  });
});

Deno.test("typed arrays, infinite scores and both zeros are ranked", () => {
  assert.equal(rocAuc(Uint8Array.of(0, 1), Float32Array.of(0.25, 0.5)), 1);
  assert.equal(rocAuc([0, 1, 1, 0], [-Infinity, Infinity, Infinity, Infinity]), 0.75);
  assert.equal(rocAuc([0, 1], [0, -0]), 0.5);
  const running = new RunningAuc();
  running.add(0, 0);
  running.add(1, -0);
  assert.equal(running.value, 0.5);
});

Deno.test("input that has no rank is refused with the value found", () => {
  const running = new RunningAuc();
  for (const add of [(l: number, s: number) => rocAuc([l], [s]), running.add.bind(running)]) {
    assert.throws(() => add(2, 0.5), {
      name: "RangeError",
      message: "A label must be 0 or 1: current value is 2",
    });
    assert.throws(() => add(1, NaN), {
      name: "RangeError",
      message: "A score must be a number: current value is NaN",
    });
  }
  for (const metric of [rocAuc, rocCurve]) {
    assert.throws(() => metric([1, 0], [0.5]), {
      name: "RangeError",
      message: "Labels and scores must go together: there are 2 and 1",
    });
  }
});

/** Cases with many ties. */
const cases = fc.array(
  fc.tuple(
    fc.constantFrom(0, 1),
    fc.oneof(fc.integer({ min: -2, max: 2 }), fc.float({ noNaN: true })),
  ),
  { maxLength: 60 },
);

Deno.test("the area is the share of pairs in the right order, ties counting half", () => {
  fc.assert(fc.property(cases, (pairs) => {
    const of = (label: number) => pairs.filter(([own]) => own === label).map(([, score]) => score);
    const [negatives, positives] = [of(0), of(1)];
    let wins = 0;
    for (const positive of positives) {
      for (const negative of negatives) {
        wins += positive > negative ? 1 : positive === negative ? 0.5 : 0;
      }
    }
    const area = rocAuc(pairs.map(([label]) => label), pairs.map(([, score]) => score));
    assert.equal(area, wins / (positives.length * negatives.length));
  }));
});

Deno.test("the running area equals the area of the cases so far, to the last bit", () => {
  fc.assert(fc.property(cases, (pairs) => {
    const running = new RunningAuc();
    pairs.forEach(([label, score], i) => {
      running.add(label, score);
      const soFar = pairs.slice(0, i + 1);
      assert.equal(running.value, rocAuc(soFar.map(([l]) => l), soFar.map(([, s]) => s)));
    });
  }));
});

Deno.test("the running area of an epoch of 1130 exams costs next to nothing", () => {
  const started = performance.now();
  const running = new RunningAuc();
  for (let i = 0; i < 1130; i++) running.add(i % 7 === 0 ? 1 : 0, Math.sin(i * 12.9898));
  assert(running.value > 0 && running.value < 1);
  // About 1 ms; the bound only tells it from sorting again after every exam.
  assertWithin(performance.now() - started, 200);
});
