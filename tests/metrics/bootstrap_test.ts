import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { bootstrapRoc, quantile } from "../../lib/metrics/bootstrap.ts";
import { delongInterval } from "../../lib/metrics/delong.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import { createRandom } from "../../lib/random.ts";
import { assertNear, METRICS_GOLDEN, unzip } from "../support/metrics_golden.ts";
import { assertWithin } from "../support/time.ts";

const { labels, scores } = METRICS_GOLDEN.delong;

Deno.test("the same seed gives the same metrics, another seed others", () => {
  const once = bootstrapRoc(labels, scores.ndka, { seed: 3, samples: 200 });
  assert.deepEqual(bootstrapRoc(labels, scores.ndka, { seed: 3, samples: 200 }), once);
  assert.notDeepEqual(bootstrapRoc(labels, scores.ndka, { seed: 4, samples: 200 }), once);
});

Deno.test("the areas are those of cases drawn within each class, one class after the other", () => {
  const random = createRandom(5, "bootstrap");
  const of = (label: number) => labels.flatMap((each, i) => each === label ? [i] : []);
  const draw = (from: number[]) => from.map(() => from[random.integer(from.length)]);
  const areas = Array.from({ length: 300 }, () => {
    const drawn = [...draw(of(1)), ...draw(of(0))];
    return rocAuc(drawn.map((i) => labels[i]), drawn.map((i) => scores.s100b[i]));
  }).sort((a, b) => a - b);
  const { low, high } = bootstrapRoc(labels, scores.s100b, { seed: 5, samples: 300 });
  assertNear(low, quantile(areas, 0.025), 1e-12);
  assertNear(high, quantile(areas, 0.975), 1e-12);
});

Deno.test("the interval agrees with DeLong's", () => {
  for (const each of Object.values(scores)) {
    const { low, high } = bootstrapRoc(labels, each, { seed: 1 });
    const delong = delongInterval(labels, each);
    assertNear(low, delong.low, 0.015);
    assertNear(high, delong.high, 0.015);
  }
});

Deno.test("the band is that of the curves drawn, from its corner to the other", () => {
  // Every draw of two equal cases a class is the same: a curve with one corner, at (0, 1).
  const { low, high, band } = bootstrapRoc([1, 1, 0, 0], [2, 2, 1, 1], { seed: 1, samples: 20 });
  assert.deepEqual([low, high], [1, 1]);
  assert.equal(band.fpr.length, 101);
  assert.deepEqual([...new Set([...band.low, ...band.high])], [1]);
  // And of tied scores a straight line.
  const tied = bootstrapRoc([1, 1, 0, 0], [1, 1, 1, 1], { seed: 1, samples: 20 });
  tied.band.fpr.forEach((fpr, i) => {
    assertNear(tied.band.low[i], fpr, 1e-15);
    assertNear(tied.band.high[i], fpr, 1e-15);
  });
});

Deno.test("ends are in order, within 0–1, and rise along the band", () => {
  const cases = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 9 })), {
    minLength: 2,
    maxLength: 30,
  }).filter((all) => new Set(all.map(([label]) => label)).size === 2);
  fc.assert(
    fc.property(cases, fc.integer({ min: 0, max: 2 ** 31 }), (all, seed) => {
      const { labels, scores } = unzip(all);
      const { low, high, band } = bootstrapRoc(labels, scores, { seed, samples: 40 });
      assert(0 <= low && low <= high && high <= 1);
      band.fpr.forEach((_, i) => {
        assert(0 <= band.low[i] && band.low[i] <= band.high[i] && band.high[i] <= 1);
        // Interpolation may undo an equality in the last digit.
        if (i > 0) assert(band.low[i] >= band.low[i - 1] - 1e-12);
        if (i > 0) assert(band.high[i] >= band.high[i - 1] - 1e-12);
      });
      assert.equal(band.high.at(-1), 1);
      assert.equal(band.low.at(-1), 1);
    }),
    { numRuns: 40 },
  );
});

Deno.test("one class has no curve, and no draws give nothing", () => {
  const { low, high, band } = bootstrapRoc([1, 1], [0.1, 0.2], { seed: 1, samples: 5 });
  assert(Number.isNaN(low) && Number.isNaN(high));
  assert(band.low.every(Number.isNaN) && band.high.every(Number.isNaN));
  for (const samples of [0, -1, 1.5, NaN]) {
    assert.throws(() => bootstrapRoc([1, 0], [1, 0], { seed: 1, samples }), {
      name: "RangeError",
      message: `There must be at least one draw: current value is ${samples}`,
    });
  }
});

Deno.test("quantiles interpolate as NumPy's do", () => {
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(quantile([1, 2, 3, 4], 0), 1);
  assert.equal(quantile([1, 2, 3, 4], 1), 4);
  assert.equal(quantile([7], 0.3), 7);
});

Deno.test("two thousand draws of MRNet's validation set take well under a second", () => {
  const random = createRandom(1, "scores");
  const labels = Array.from({ length: 120 }, (_, i) => i < 54 ? 1 : 0);
  const scores = labels.map((label) => random.normal() + label);
  const start = performance.now();
  bootstrapRoc(labels, scores, { seed: 1 });
  // About 60 ms; the bound only tells it from sorting every draw.
  assertWithin(performance.now() - start, 2000);
});
