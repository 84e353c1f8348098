import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { fitLogistic, logisticProbability } from "../../lib/metrics/logistic.ts";
import { assertNear, METRICS_GOLDEN } from "../support/metrics_golden.ts";

for (const { name, features, labels, c, ...expected } of METRICS_GOLDEN.logistic) {
  Deno.test(`weights and probabilities are scikit-learn's: ${name}`, () => {
    const model = fitLogistic(features, labels, c);
    const scale = Math.max(1, ...expected.weights.map(Math.abs));
    model.weights.forEach((weight, i) => assertNear(weight, expected.weights[i], 1e-7 * scale));
    assertNear(model.intercept, expected.intercept, 1e-7 * Math.max(1, Math.abs(model.intercept)));
    // These are of LogisticRegression's default solver, L-BFGS.
    features.forEach((row, i) => {
      assertNear(logisticProbability(model, row), expected.probabilities[i], 1e-6);
    });
  });
}

const finite = fc.double({ min: -100, max: 100, noNaN: true });
const problems = fc.integer({ min: 1, max: 4 }).chain((size) =>
  fc.array(
    fc.tuple(fc.constantFrom(0, 1), fc.array(finite, { minLength: size, maxLength: size })),
    { minLength: 2, maxLength: 30 },
  )
).filter((all) => new Set(all.map(([label]) => label)).size === 2);

Deno.test("at the fit the objective has no slope", () => {
  fc.assert(fc.property(problems, fc.double({ min: 0.01, max: 100, noNaN: true }), (all, c) => {
    const model = fitLogistic(all.map(([, row]) => row), all.map(([label]) => label), c);
    const errors = all.map(([label, row]) => logisticProbability(model, row) - label);
    const slopes = model.weights.map((weight, j) =>
      weight + c * all.reduce((sum, [, row], i) => sum + errors[i] * row[j], 0)
    );
    slopes.push(c * errors.reduce((sum, error) => sum + error, 0));
    const size = c * all.reduce((sum, [, row]) => sum + 1 + Math.max(...row.map(Math.abs)), 0);
    for (const slope of slopes) assertNear(slope, 0, 1e-6 * Math.max(1, size));
  }));
});

Deno.test("turning the labels round turns the model round", () => {
  fc.assert(fc.property(problems, (all) => {
    const features = all.map(([, row]) => row);
    const model = fitLogistic(features, all.map(([label]) => label));
    const turned = fitLogistic(features, all.map(([label]) => 1 - label));
    for (const row of features) {
      const sum = logisticProbability(model, row) + logisticProbability(turned, row);
      assertNear(sum, 1, 1e-6);
    }
  }));
});

Deno.test("features that say nothing get no weight, and the intercept the prevalence", () => {
  const model = fitLogistic([[0], [0], [0], [0]], [1, 0, 0, 0]);
  assert.equal(Math.abs(model.weights[0]), 0);
  assertNear(logisticProbability(model, [0]), 0.25, 1e-15);
});

Deno.test("what cannot be fitted is refused with what was found", () => {
  const cases: [number[][], number[], number, string][] = [
    [[[1]], [1, 0], 1, "Labels and features must go together: there are 2 and 1"],
    [[[1], [2]], [1, 2], 1, "A label must be 0 or 1: current value is 2"],
    [[[1], [2]], [1, 1], 1, "Both classes must be present: there is only one"],
    [[[1], [2, 3]], [1, 0], 1, "Every case must have the same features: there are 1 and 2"],
    [[[1], [NaN]], [1, 0], 1, "A feature must be a finite number: current value is NaN"],
    [[[1], [2]], [1, 0], 0, "C must be above 0: current value is 0"],
    [[], [], 1, "Both classes must be present: there is only one"],
  ];
  for (const [features, labels, c, message] of cases) {
    assert.throws(() => fitLogistic(features, labels, c), { name: "RangeError", message });
  }
  assert.throws(() => logisticProbability({ weights: [1], intercept: 0 }, []), {
    message: "A feature is needed for each of 1 weights: there are 0",
  });
});
