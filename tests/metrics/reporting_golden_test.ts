/** The metrics of a report equal those of statsmodels, scikit-learn and dcurves. */
import assert from "node:assert/strict";
import { calibrationFit } from "../../lib/metrics/calibration_fit.ts";
import { varianceOfMean } from "../../lib/metrics/clusters.ts";
import { decisionCurve } from "../../lib/metrics/decision_curve.ts";
import { delongInterval, delongTest } from "../../lib/metrics/delong.ts";
import { shareRatio } from "../../lib/metrics/likelihood_ratio.ts";
import { holmAdjusted } from "../../lib/metrics/multiple.ts";
import {
  examsForInterval,
  hanleyMcNeilVariance,
  obuchowskiVariance,
} from "../../lib/metrics/power.ts";
import { averagePrecision, precisionRecallCurve } from "../../lib/metrics/precision_recall.ts";
import { normalQuantile } from "../../lib/metrics/normal.ts";
import { assertNear } from "../support/metrics_golden.ts";
import { endsOf, REPORTING_GOLDEN } from "../support/reporting_golden.ts";

/** How near every metric must be to its reference. */
const WITHIN = 1e-6;

const { cases, ratios, holm } = REPORTING_GOLDEN;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

function assertAllNear(actual: readonly number[], expected: readonly number[], what = ""): void {
  assert.equal(actual.length, expected.length, what);
  actual.forEach((value, i) => assertNear(value, expected[i], WITHIN, `${what} ${i}`));
}

for (const [index, golden] of cases.entries()) {
  const { labels, logits, others, patients } = golden;
  const probabilities = logits.map(sigmoid);

  Deno.test(`calibration is statsmodels', clustered or not: ${index}`, () => {
    for (
      const [clusters, expected] of [
        [undefined, golden.calibration],
        [patients, golden.clustered_calibration],
      ] as const
    ) {
      const fit = calibrationFit(labels, logits, 0.95, clusters);
      assertAllNear(endsOf(fit.slope), expected.slope, "slope");
      assertAllNear(endsOf(fit.intercept), expected.intercept, "intercept");
      assertAllNear(endsOf(fit.observedToExpected), expected.observed_to_expected, "ratio");
    }
  });

  Deno.test(`precision, recall and their average are scikit-learn's: ${index}`, () => {
    const curve = precisionRecallCurve(labels, logits);
    assertAllNear(curve.precision.toReversed(), golden.precision);
    assertAllNear(curve.recall.toReversed(), golden.recall);
    assert.deepEqual(curve.thresholds.toReversed(), [...golden.thresholds, Infinity]);
    assertNear(averagePrecision(labels, logits), golden.average_precision, WITHIN);
  });

  Deno.test(`net benefit is that of dcurves: ${index}`, () => {
    const { thresholds, model, all } = golden.net_benefit;
    const curve = decisionCurve(labels, probabilities, thresholds);
    assertAllNear(curve.map(({ value }) => value), model);
    assertAllNear(curve.map(({ all }) => all), all);
  });

  Deno.test(`clustered variances are statsmodels' and Obuchowski's: ${index}`, () => {
    const called = logits.map((logit) => logit >= 0 ? 1 : 0);
    assertNear(varianceOfMean(called, patients), golden.variance_of_mean, WITHIN);
    const [[first, both], [, second]] = golden.clustered_covariance;
    const interval = delongInterval(labels, logits, 0.95, patients);
    assertNear(interval.variance, first, 1e-12);
    assertNear(delongInterval(labels, others, 0.95, patients).variance, second, 1e-12);
    const { z, difference } = delongTest(labels, logits, others, 0.95, patients);
    assertNear(z, difference / Math.sqrt(first + second - 2 * both), 1e-9);
  });
}

Deno.test("the interval of a ratio is statsmodels'", () => {
  for (const { counts: [x, n, y, m], interval } of ratios) {
    const { low, high } = shareRatio({ successes: x, cases: n }, { successes: y, cases: m });
    assertAllNear([low, high], interval, `${x} of ${n}, ${y} of ${m}`);
  }
});

Deno.test("adjusted p values are statsmodels'", () => {
  assertAllNear(holmAdjusted(holm.p), holm.adjusted);
  assert.deepEqual(holmAdjusted([NaN, 0.01]), [NaN, 0.02]);
});

Deno.test("Hanley and McNeil's variance is the exact one of exponential scores", () => {
  // Scores above the negatives' by a factor: how often a pair, and two pairs with one case in common,
  // are ranked rightly, as sums over the shares of the common case's class below it.
  const steps = 200_000;
  const shares = Array.from({ length: steps }, (_, i) => (i + 0.5) / steps);
  const mean = (of: (share: number) => number) =>
    shares.reduce((sum, share) => sum + of(share), 0) / steps;
  for (const factor of [2, 8.35]) {
    const above = (share: number) => (1 - share) ** (1 / factor);
    const below = (share: number) => 1 - (1 - share) ** factor;
    const [auc, q1, q2] = [mean(above), mean((x) => above(x) ** 2), mean((x) => below(x) ** 2)];
    const [positives, negatives] = [51, 58];
    const exact = (auc * (1 - auc) + (positives - 1) * (q1 - auc ** 2) +
      (negatives - 1) * (q2 - auc ** 2)) / (positives * negatives);
    assertNear(hanleyMcNeilVariance(auc, { positives, negatives }), exact, 1e-8);
  }
});

Deno.test("Obuchowski's variance gives the numbers of exams that pROC publishes", () => {
  // tests/testthat/test-power.roc.test.R of pROC 1.19: the area of S100B of 113 patients against 0.5.
  const [auc, ratio] = [0.731368563685637, 1.7];
  const reach = normalQuantile(0.975) * Math.sqrt(0.0792 * (1 + 1 / ratio)) +
    normalQuantile(0.95) * Math.sqrt(obuchowskiVariance(auc, ratio));
  const positives = (reach / (auc - 0.5)) ** 2;
  assertNear(positives, 29.29764, 1e-5);
  assertNear(positives * ratio, 49.806, 1e-4);
});

Deno.test("an interval is as narrow as was asked for, and one exam less is too few", () => {
  for (const [auc, width, prevalence] of [[0.9, 0.05, 0.5], [0.75, 0.1, 0.2], [0.97, 0.02, 0.6]]) {
    const { positives, negatives } = examsForInterval({ auc, width, prevalence });
    const widthOf = (positives: number, negatives: number) =>
      2 * normalQuantile(0.975) * Math.sqrt(hanleyMcNeilVariance(auc, { positives, negatives }));
    assert(widthOf(positives, negatives) <= width);
    assert(widthOf(positives - 1, negatives - 1) > width);
    assert(Math.abs(positives / (positives + negatives) - prevalence) < 0.01);
  }
});
