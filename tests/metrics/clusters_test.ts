/** Cases that belong together, in every interval that knows of it. */
import assert from "node:assert/strict";
import { bootstrapAveragePrecision, bootstrapRoc } from "../../lib/metrics/bootstrap.ts";
import { calibrationCurve } from "../../lib/metrics/calibration.ts";
import { calibrationFit } from "../../lib/metrics/calibration_fit.ts";
import { effectiveShare } from "../../lib/metrics/clusters.ts";
import { decisionCurve } from "../../lib/metrics/decision_curve.ts";
import { delongInterval, delongTest } from "../../lib/metrics/delong.ts";
import { metricsAt } from "../../lib/metrics/threshold.ts";
import { createRandom } from "../../lib/random.ts";
import { assertNear } from "../support/metrics_golden.ts";

const random = createRandom(3, "clusters");
const logits = Array.from({ length: 50 }, () => random.normal());
const labels = logits.map((logit) => random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0);
const others = logits.map((logit) => logit + random.normal());
const probabilities = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
const own = logits.map((_, i) => `patient ${i}`);

/** Every case twice, as of a patient with two exams that are alike. */
function twice<T>(values: readonly T[]): T[] {
  return values.flatMap((value) => [value, value]);
}

/** Every interval by a name. */
function intervals(copies: <T>(values: readonly T[]) => T[], patients?: string[]) {
  const [y, x, o, p] = [copies(labels), copies(logits), copies(others), copies(probabilities)];
  const draws = { seed: 1, samples: 200, clusters: patients };
  const { threshold: _, confusion: __, ...shares } = metricsAt(y, p, 0.5, patients);
  return {
    auc: delongInterval(y, x, 0.95, patients),
    difference: delongTest(y, x, o, 0.95, patients),
    bootstrap: bootstrapRoc(y, x, draws),
    averagePrecision: bootstrapAveragePrecision(y, x, draws),
    netBenefit: decisionCurve(y, p, [0.5], patients)[0],
    bin: calibrationCurve(y, p, 3, patients)[1],
    ...shares,
    ...calibrationFit(y, x, 0.95, patients),
  };
}

Deno.test("a patient with the same exam twice says no more than with one", () => {
  const [once, copied] = [intervals((values) => [...values], own), intervals(twice, twice(own))];
  for (const [name, { low, high }] of Object.entries(once)) {
    const { low: from, high: to } = copied[name as keyof typeof copied];
    // Corrections for few cases count exams, not patients.
    assertNear(from, low, 0.02 * Math.max(1, Math.abs(low)), `${name} low`);
    assertNear(to, high, 0.02 * Math.max(1, Math.abs(high)), `${name} high`);
    const narrow = intervals(twice)[name as keyof typeof once];
    assert(narrow.high - narrow.low < 0.85 * (to - from), `${name} without clusters is narrower`);
  }
});

Deno.test("patients with one exam each change no interval that has a formula", () => {
  const [given, none] = [
    intervals((values) => [...values], own),
    intervals((values) => [...values]),
  ];
  for (const name of ["auc", "difference", "sensitivity", "ppv", "netBenefit", "bin"] as const) {
    assert.deepEqual(given[name], none[name], name);
  }
});

Deno.test("exams that all turn out alike count once a patient", () => {
  assert.deepEqual(effectiveShare([1, 1, 1, 1], ["a", "a", "b", "b"]), { successes: 2, cases: 2 });
  assert.deepEqual(effectiveShare([0, 0, 0], ["a", "a", "b"]), { successes: 0, cases: 2 });
  // They never count more often than they are.
  assert.deepEqual(effectiveShare([1, 0, 1, 0], ["a", "a", "b", "b"]), { successes: 2, cases: 4 });
});

Deno.test("what one patient leaves undefined is not a number", () => {
  const patients = labels.map(() => "one");
  const { variance, low } = delongInterval(labels, logits, 0.95, patients);
  assert(Number.isNaN(variance) && Number.isNaN(low));
  const { slope, intercept, observedToExpected } = calibrationFit(labels, logits, 0.95, patients);
  for (const each of [slope, intercept, observedToExpected]) {
    assert(Number.isFinite(each.value) && Number.isNaN(each.low) && Number.isNaN(each.high));
  }
});

Deno.test("clusters that do not go with the cases are refused", () => {
  const message = "Cases and clusters must go together: there are 50 and 1";
  for (
    const use of [
      () => delongInterval(labels, logits, 0.95, ["a"]),
      () => delongTest(labels, logits, others, 0.95, ["a"]),
      () => bootstrapRoc(labels, logits, { seed: 1, clusters: ["a"] }),
      () => calibrationFit(labels, logits, 0.95, ["a"]),
      () => decisionCurve(labels, probabilities, [0.5], ["a"]),
      () => metricsAt(labels, probabilities, 0.5, ["a"]),
      () => calibrationCurve(labels, probabilities, 10, ["a"]),
    ]
  ) assert.throws(use, { name: "RangeError", message });
});
