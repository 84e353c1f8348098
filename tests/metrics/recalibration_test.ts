/** Recalibration equals scikit-learn's and statsmodels'. */
import assert from "node:assert/strict";
import { isotonicRegression } from "../../lib/metrics/isotonic.ts";
import {
  fitRecalibration,
  recalibrated,
  recalibratedThreshold,
  RECALIBRATION_METHODS,
  type RecalibrationMap,
} from "../../lib/metrics/recalibration.ts";
import { createRandom } from "../../lib/random.ts";
import { assertNear } from "../support/metrics_golden.ts";

/** What `tools/make_recalibration_golden.py` wrote. */
interface RecalibrationGolden {
  cases: {
    labels: number[];
    logits: number[];
    at: number[];
    platt: { slope: number; intercept: number };
    temperature: number;
    isotonic: { scores: number[]; values: number[]; predicted: number[] };
  }[];
}

const { cases }: RecalibrationGolden = JSON.parse(
  Deno.readTextFileSync(`${import.meta.dirname}/../golden/recalibration.json`),
);
const WITHIN = 1e-6;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

for (const [index, { labels, logits, at, ...golden }] of cases.entries()) {
  Deno.test(`Platt's scaling and the temperature are statsmodels': ${index}`, () => {
    const platt = fitRecalibration(labels, logits, "platt");
    const temperature = fitRecalibration(labels, logits, "temperature");
    assert(platt.method === "platt" && temperature.method === "temperature");
    assertNear(platt.slope, golden.platt.slope, WITHIN);
    assertNear(platt.intercept, golden.platt.intercept, WITHIN);
    assertNear(temperature.temperature, golden.temperature, WITHIN);
    for (const logit of at) {
      const expected = sigmoid(golden.platt.slope * logit + golden.platt.intercept);
      assertNear(recalibrated(platt, logit).probability, expected, WITHIN);
      const scaled = sigmoid(logit / golden.temperature);
      assertNear(recalibrated(temperature, logit).probability, scaled, WITHIN);
    }
  });

  Deno.test(`isotonic regression is scikit-learn's: ${index}`, () => {
    const { scores, values } = isotonicRegression(labels, logits);
    assert.deepEqual(scores, golden.isotonic.scores);
    values.forEach((value, i) => assertNear(value, golden.isotonic.values[i], WITHIN));
    const map = fitRecalibration(labels, logits, "isotonic");
    const least = 1 / (labels.length + 2);
    const bound = (value: number) => Math.min(1 - least, Math.max(least, value));
    // Between two ends a line leads from one bound value to the other.
    const isLevel = (logit: number) => {
      const next = scores.findIndex((score) => score > logit);
      return next <= 0 || values[next - 1] === values[next];
    };
    at.forEach((logit, i) => {
      const { probability, logit: own } = recalibrated(map, logit);
      if (isLevel(logit)) assertNear(probability, bound(golden.isotonic.predicted[i]), WITHIN);
      assertNear(sigmoid(own), probability, 1e-12);
    });
    const inside = values.every((value) => value === bound(value));
    if (inside) {
      at.forEach((logit, i) =>
        assertNear(recalibrated(map, logit).probability, golden.isotonic.predicted[i], WITHIN)
      );
    }
  });
}

Deno.test("no map turns the order of exams round, and a moved threshold calls the same ones positive", () => {
  for (const seed of [1, 2, 3]) {
    const random = createRandom(seed);
    const logits = Array.from({ length: 90 }, () => 4 * random.normal());
    const labels = logits.map((logit) => random.uniform() < sigmoid(logit / 3 - 1) ? 1 : 0);
    const sorted = logits.toSorted((a, b) => a - b);
    for (const method of RECALIBRATION_METHODS) {
      const map = fitRecalibration(labels, logits, method);
      const said = sorted.map((logit) => recalibrated(map, logit).probability);
      said.forEach((value, i) => assert(value > 0 && value < 1 && value >= (said[i - 1] ?? 0)));
      for (const threshold of [0.001, 0.2, 0.5, 0.83, 0.9999]) {
        const moved = recalibratedThreshold(map, threshold);
        sorted.forEach((logit, i) => {
          const [before, now] = [sigmoid(logit) >= threshold, said[i] >= moved];
          // Of a level piece all are positive, however few were before.
          if (method === "isotonic" && said[i] === moved) assert(now);
          else assert.equal(now, before, `${method} ${threshold} ${logit}`);
        });
      }
      assert.deepEqual([0, 1].map((end) => recalibratedThreshold(map, end)), [0, 1]);
    }
  }
});

Deno.test("Youden's threshold lies at the end of a level piece, so no decision changes with it", async () => {
  const { chooseThreshold } = await import("../../lib/metrics/operating_rule.ts");
  for (const { labels, logits } of cases) {
    const probabilities = logits.map(sigmoid);
    const threshold = chooseThreshold(labels, probabilities, "youden");
    const map = fitRecalibration(labels, logits, "isotonic");
    const moved = recalibratedThreshold(map, threshold);
    logits.forEach((logit, i) =>
      assert.equal(recalibrated(map, logit).probability >= moved, probabilities[i] >= threshold)
    );
  }
});

Deno.test("what no map can be fitted to is refused in words", () => {
  const refuses = (labels: number[], logits: number[], message: RegExp) => {
    for (const method of RECALIBRATION_METHODS) {
      assert.throws(() => fitRecalibration(labels, logits, method), message);
    }
  };
  refuses([], [], /there are no exams/);
  refuses([1, 1], [0, 1], /all 2 exams are with the finding/);
  refuses([0, 0], [0, 1], /all 2 exams are without the finding/);
  refuses([0, 1], [0, Infinity], /a logit is not finite/);
  refuses([1, 0, 1, 0], [-2, 2, -1, 3], /have no higher logits than those without it/);
  refuses([1, 0, 1, 0], [1, 1, 1, 1], /have no higher logits than those without it/);
  const faultless = [[0, 0, 1, 1], [-3, -1, 1, 2]] as const;
  assert.throws(
    () => fitRecalibration(...faultless, "temperature"),
    /on the right side of 0.5, so that no temperature is best: use platt/,
  );
  // Platt's targets give a slope where the best likelihood would have none.
  const map = fitRecalibration(...faultless, "platt") as RecalibrationMap & { method: "platt" };
  assert(map.slope > 0.3 && map.slope < 3, `${map.slope}`);
  assert.throws(() => fitRecalibration([0, 1], [0, 1], "own" as "platt"), /no method 'own'/);
});
