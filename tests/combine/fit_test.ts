import assert from "node:assert/strict";
import { combinedProbability } from "../../lib/combine/combination.ts";
import { fitCombination } from "../../lib/combine/fit.ts";
import type { PlanePredictions } from "../../lib/combine/predictions.ts";
import { createRandom } from "../../lib/random.ts";
import { type Label, PLANES } from "../../lib/terms.ts";

/** Patients whose sagittal model is the best and whose coronal one guesses. */
function patients(count: number): PlanePredictions[] {
  const random = createRandom(5, "patients");
  return Array.from({ length: count }, (_, i) => {
    const label = (i % 3 === 0 ? 1 : 0) as Label;
    const say = (strength: number) =>
      1 / (1 + Math.exp(-(random.normal() + strength * (2 * label - 1))));
    return { label, probabilities: { axial: say(0.7), coronal: say(0), sagittal: say(1.5) } };
  });
}

Deno.test("the fit is where the penalised likelihood is flat, and finds who to believe", () => {
  const cases = patients(150);
  const { coefficients, intercept, exams, positives, auc } = fitCombination(cases, "tune");
  // The gradient of |w|²/2 + Σ log loss: w + Σ (p − y)·x, and Σ (p − y) for the intercept.
  const slopes = cases.map(({ label, probabilities }) =>
    combinedProbability({ coefficients, intercept }, probabilities) - label
  );
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  for (const plane of PLANES) {
    const pull = sum(slopes.map((slope, i) => slope * cases[i].probabilities[plane]));
    assert.ok(Math.abs(coefficients[plane] + pull) < 1e-9, plane);
  }
  assert.ok(Math.abs(sum(slopes)) < 1e-9);
  assert.ok(coefficients.sagittal > coefficients.axial);
  assert.ok(coefficients.axial > Math.abs(coefficients.coronal));
  assert.deepEqual([exams, positives], [150, 50]);
  assert.ok(auc > 0.9 && auc < 1);
});

Deno.test("the operating point is chosen on the exams that the weights were fitted on", () => {
  const cases = patients(60);
  const fitted = fitCombination(cases, "valid");
  const { threshold, rule, exams } = fitted.operatingPoint;
  assert.deepEqual([rule, exams, fitted.fitOn], ["youden", "valid", "valid"]);
  const index = (from: number) => {
    const share = (label: Label) => {
      const of = cases.filter((each) => each.label === label);
      return of.filter(({ probabilities }) => combinedProbability(fitted, probabilities) >= from)
        .length / of.length;
    };
    return share(1) - share(0);
  };
  const all = cases.map(({ probabilities }) => combinedProbability(fitted, probabilities));
  assert.ok(Math.abs(index(threshold) - Math.max(...all.map(index))) < 1e-12);
});

Deno.test("the operating point keeps to a rule, or is refused in one line", () => {
  const cases = patients(60);
  const { operatingPoint } = fitCombination(cases, "tune", "sensitivity=0.95");
  assert.deepEqual([operatingPoint.rule, operatingPoint.exams], ["sensitivity=0.95", "tune"]);
  assert.ok(
    operatingPoint.threshold <
      fitCombination(cases, "tune", "specificity=1").operatingPoint.threshold,
  );
  // A finding that the models see nothing of is found only by calling all patients positive.
  const hidden = [[1, 0.05], [0, 0.2], [0, 0.3], [0, 0.4], [1, 0.8], [1, 0.9], [1, 0.95]].map(
    ([label, p]) => ({
      label: label as Label,
      probabilities: { axial: p, coronal: 0.5, sagittal: p },
    }),
  );
  assert.throws(() => fitCombination(hidden, "tune", "sensitivity=1"), {
    name: "OptionError",
    message: "Cannot choose an operating point by these 7 patients: No threshold reaches the " +
      "sensitivity 1 but by calling all 7 exams positive: ask for less, or use youden",
  });
});

Deno.test("patients of one kind are refused", () => {
  const healthy = patients(9).filter(({ label }) => label === 0);
  assert.throws(() => fitCombination(healthy, "tune"), {
    name: "OptionError",
    message: "Cannot fit a combination: of 6 patients 0 have the finding: " +
      "patients with it and patients without it are needed",
  });
});
