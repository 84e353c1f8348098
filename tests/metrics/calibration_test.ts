import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { brierScore, calibrationCurve } from "../../lib/metrics/calibration.ts";
import { assertNear, METRICS_GOLDEN } from "../support/metrics_golden.ts";

for (const [index, { labels, probabilities, ...expected }] of METRICS_GOLDEN.cases.entries()) {
  Deno.test(`Brier score and calibration curve are scikit-learn's: set ${index + 1}`, () => {
    assertNear(brierScore(labels, probabilities), expected.brier, 1e-15);
    for (const { bins, ...curve } of expected.calibration) {
      const found = calibrationCurve(labels, probabilities, bins);
      assert.equal(found.length, bins);
      const filled = found.filter(({ count }) => count > 0);
      assert.equal(filled.length, curve.positive_share.length);
      filled.forEach(({ positiveShare, meanProbability }, i) => {
        assertNear(positiveShare, curve.positive_share[i], 1e-15);
        assertNear(meanProbability, curve.mean_probability[i], 1e-14);
      });
    }
  });
}

Deno.test("an empty bin is there and says so", () => {
  const [low, , high] = calibrationCurve([0, 1], [0, 1], 3);
  assert.deepEqual([low.count, low.from, low.positiveShare, high.to], [1, 0, 0, 1]);
  const [, middle] = calibrationCurve([0, 1], [0, 1], 3);
  assert.equal(middle.count, 0);
  assert(Number.isNaN(middle.meanProbability) && Number.isNaN(middle.positiveShare));
});

Deno.test("every case is in exactly one bin, between whose edges its probability lies", () => {
  const cases = fc.array(
    fc.tuple(
      fc.constantFrom(0, 1),
      fc.oneof(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
      ),
    ),
    { maxLength: 50 },
  );
  fc.assert(fc.property(cases, fc.integer({ min: 1, max: 25 }), (all, bins) => {
    const curve = calibrationCurve(all.map(([l]) => l), all.map(([, p]) => p), bins);
    assert.equal(curve.reduce((sum, { count }) => sum + count, 0), all.length);
    for (const { from, to, count, meanProbability } of curve) {
      if (count > 0) assert(from - 1e-12 <= meanProbability && meanProbability <= to + 1e-12);
    }
  }));
});

Deno.test("what is no probability is refused", () => {
  for (const metric of [brierScore, calibrationCurve]) {
    for (const value of [-0.1, 1.1, Infinity]) {
      assert.throws(() => metric([1], [value]), {
        name: "RangeError",
        message: `A probability must be in 0–1: current value is ${value}`,
      });
    }
    assert.throws(() => metric([1, 0], [0.5]), RangeError);
    assert.throws(() => metric([2], [0.5]), RangeError);
  }
  assert.throws(() => calibrationCurve([1], [0.5], 0), {
    message: "There must be at least one bin: current value is 0",
  });
  assert(Number.isNaN(brierScore([], [])));
});
