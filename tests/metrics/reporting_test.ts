/** The metrics of a report where there is little to say, and what they refuse. */
import assert from "node:assert/strict";
import { bootstrapAveragePrecision } from "../../lib/metrics/bootstrap.ts";
import { calibrationFit } from "../../lib/metrics/calibration_fit.ts";
import { decisionCurve } from "../../lib/metrics/decision_curve.ts";
import { shareRatio } from "../../lib/metrics/likelihood_ratio.ts";
import {
  chooseThreshold,
  type OperatingRule,
  parseOperatingRule,
} from "../../lib/metrics/operating_rule.ts";
import { examsForDifference, examsForInterval } from "../../lib/metrics/power.ts";
import { averagePrecision, precisionRecallCurve } from "../../lib/metrics/precision_recall.ts";
import { metricsAt } from "../../lib/metrics/threshold.ts";
import { coverage } from "../../tools/coverage.ts";
import { assertNear } from "../support/metrics_golden.ts";

Deno.test("slope and intercept undo what was done to good probabilities", () => {
  // Of ten exams with the same logit as many are positive as their probability says.
  const logits: number[] = [];
  const labels: number[] = [];
  for (const share of [1, 2, 4, 7, 9]) {
    for (let i = 0; i < 10; i++) {
      logits.push(Math.log(share / (10 - share)));
      labels.push(i < share ? 1 : 0);
    }
  }
  const good = calibrationFit(labels, logits);
  assertNear(good.slope.value, 1, 1e-9);
  assertNear(good.intercept.value, 0, 1e-9);
  assertNear(good.observedToExpected.value, 1, 1e-9);
  const extreme = calibrationFit(labels, logits.map((logit) => 2 * logit));
  assertNear(extreme.slope.value, 0.5, 1e-9);
  const high = calibrationFit(labels, logits.map((logit) => logit + 1));
  assertNear(high.slope.value, 1, 1e-9);
  assertNear(high.intercept.value, -1, 1e-9);
  assert(high.observedToExpected.high < 1);
});

Deno.test("calibration is not a number where nothing tells it, and says nothing infinite", () => {
  const { slope, intercept } = calibrationFit([0, 0, 1, 1], [-2, -1, 1, 2]);
  assert(Number.isNaN(slope.value) && Number.isFinite(intercept.value));
  assert(Number.isNaN(calibrationFit([1, 0, 1], [1, 1, 1]).slope.value));
  const one = calibrationFit([1, 1], [0.5, 1]);
  assert(Number.isNaN(one.slope.value) && Number.isNaN(one.intercept.value));
  assert(Number.isNaN(calibrationFit([0, 1, 0, 1], [-Infinity, 0, 1, 2]).slope.value));
  const none = calibrationFit([0, 0], [1, 2]);
  assert(none.observedToExpected.value === 0 && Number.isNaN(none.observedToExpected.high));
  assert(Number.isNaN(calibrationFit([], []).observedToExpected.value));
});

Deno.test("precision needs both classes, and has no width without a mistake", () => {
  assert(Number.isNaN(averagePrecision([1, 1], [1, 2])));
  assert(Number.isNaN(averagePrecision([0, 0], [1, 2])));
  assert(precisionRecallCurve([0, 0], [1, 2]).recall.every(Number.isNaN));
  assert(Number.isNaN(bootstrapAveragePrecision([1, 1], [1, 2], { seed: 1 }).low));
  const perfect = bootstrapAveragePrecision([0, 0, 1, 1], [1, 2, 3, 4], { seed: 1 });
  assert.deepEqual(perfect, { value: 1, low: 1, high: 1 });
});

Deno.test("acting on a model that knows all is worth the share of positive cases", () => {
  const curve = decisionCurve([0, 0, 0, 1], [0, 0, 0, 1]);
  assert.equal(curve.length, 99);
  for (const { value, all } of curve) assert(value === 0.25 && all <= 0.25);
  for (const threshold of [0, 1, NaN]) {
    assert.throws(() => decisionCurve([0, 1], [0, 1], [threshold]), {
      name: "RangeError",
      message: `A threshold must be above 0 and below 1: current value is ${threshold}`,
    });
  }
});

Deno.test("likelihood ratios of empty cells are 0, infinite or not a number, and have intervals", () => {
  const { positiveLikelihoodRatio: positive, negativeLikelihoodRatio: negative } = metricsAt(
    [0, 0, 0, 1, 1, 1],
    [0.1, 0.2, 0.3, 0.7, 0.8, 0.9],
    0.5,
  );
  assert(positive.value === Infinity && positive.high === Infinity && positive.low > 1);
  assert(negative.value === 0 && negative.low === 0 && negative.high < 1);
  assert(Number.isNaN(shareRatio({ successes: 0, cases: 0 }, { successes: 1, cases: 2 }).high));
  const nothing = shareRatio({ successes: 0, cases: 5 }, { successes: 0, cases: 5 });
  assert(Number.isNaN(nothing.value) && nothing.low === 0 && nothing.high === Infinity);
  const all = shareRatio({ successes: 5, cases: 5 }, { successes: 5, cases: 5 });
  assert(all.value === 1 && all.low < 1 && all.low > 0 && all.high > 1 && all.high < Infinity);
});

const LABELS = [0, 0, 0, 1, 0, 1, 1, 0, 1, 1];
const SCORES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

Deno.test("rules choose the threshold that they promise", () => {
  const chosen = (rule: OperatingRule) => chooseThreshold(LABELS, SCORES, rule);
  assert.equal(chosen("sensitivity=1"), 2.5);
  assert.equal(chosen("sensitivity=0.8"), 4.5);
  assert.equal(chosen("sensitivity=0.4"), 7.5);
  assert.equal(chosen("specificity=1"), 7.5);
  assert.equal(chosen("specificity=0.8"), 4.5);
  // A finding that is worth ten false alarms is not missed; ten that are worth one are.
  assert.equal(chosen("cost=10"), 2.5);
  assert.equal(chosen("cost=0.1"), 7.5);
  // With equal costs the fewest mistakes are made: two, at several thresholds.
  const { confusion } = metricsAt(LABELS, SCORES, chosen("cost=1"));
  assert.equal(confusion.falsePositives + confusion.falseNegatives, 2);
  assert(Number.isNaN(chooseThreshold([1, 1], [1, 2], "cost=1")));
});

Deno.test("a sensitivity or specificity that no threshold reaches is refused in one line", () => {
  assert.throws(() => chooseThreshold([1, 0, 0, 1], [0, 1, 2, 3], "sensitivity=0.95"), {
    name: "RangeError",
    message: "No threshold reaches the sensitivity 0.95 but by calling all 4 exams positive",
  });
  assert.throws(() => chooseThreshold([1, 0, 1, 0], [0, 1, 2, 3], "specificity=0.9"), {
    name: "RangeError",
    message: "No threshold reaches the specificity 0.9 but by calling all 4 exams negative",
  });
  assert.throws(() => chooseThreshold([1, 0], [0, 1], "best" as OperatingRule), {
    name: "RangeError",
    message: /^There is no rule 'best': it must be youden, sensitivity=S /,
  });
});

Deno.test("a rule is read as it is written, or not at all", () => {
  for (const rule of ["youden", "sensitivity=0.95", "specificity=1", "cost=5"]) {
    assert.equal(parseOperatingRule(rule), rule);
  }
  for (
    const text of ["", "sensitivity", "sensitivity=", "sensitivity=0", "sensitivity=1.1", "cost=-1"]
  ) assert.equal(parseOperatingRule(text), undefined, text);
});

Deno.test("numbers of exams that nobody can have are refused", () => {
  const refused = (call: () => unknown, message: string) =>
    assert.throws(call, { name: "RangeError", message });
  refused(
    () => examsForInterval({ auc: 1, width: 0.1 }),
    "The auc must be above 0 and below 1: current value is 1",
  );
  refused(
    () => examsForInterval({ auc: 0.9, width: 0 }),
    "The width must be above 0 and below 1: current value is 0",
  );
  refused(
    () => examsForDifference({ auc: 0.9, otherAuc: 0.9 }),
    "The two areas must differ: current value of both is 0.9",
  );
  refused(
    () => examsForDifference({ auc: 0.9, otherAuc: 0.8, correlation: 1 }),
    "A correlation must be from 0 to below 1: current value is 1",
  );
});

Deno.test("intervals hold the truth about as often as they promise, by patient too", () => {
  // The short form of `deno task coverage`: of 200 sets 95 % are 190, and by chance rarely below 178.
  for (const [exams, patients] of [[120, 120], [240, 120]]) {
    for (const { metric, held } of coverage({ draws: 200, exams, patients })) {
      assert(held >= 0.89 && held <= 0.995, `${metric} of ${patients} patients: ${held}`);
    }
  }
});
