import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { bootstrapRoc } from "../../lib/metrics/bootstrap.ts";
import { delongInterval, delongTest } from "../../lib/metrics/delong.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import { wilsonInterval } from "../../lib/metrics/threshold.ts";
import { assertNear, METRICS_GOLDEN, unzip } from "../support/metrics_golden.ts";

const { labels, scores, ...published } = METRICS_GOLDEN.delong;

Deno.test("variance and interval are those published for 113 patients", () => {
  for (const [name, variance] of Object.entries(published.variance)) {
    assertNear(delongInterval(labels, scores[name]).variance, variance, 1e-15, name);
  }
  const [low, auc, high] = published.interval.ndka;
  const found = delongInterval(labels, scores.ndka);
  assertNear(found.auc, auc, 1e-14);
  assertNear(found.low, low, 1e-14);
  assertNear(found.high, high, 1e-14);
});

Deno.test("the test of two models is the one published for 113 patients, either way round", () => {
  for (const { first, second, z, p, low, high } of published.tests) {
    const found = delongTest(labels, scores[first], scores[second]);
    assertNear(found.z, z, 1e-12, "z");
    assertNear(found.p, p, 1e-12, "p");
    assertNear(found.low, low, 1e-12, "low");
    assertNear(found.high, high, 1e-12, "high");
    const back = delongTest(labels, scores[second], scores[first]);
    assert.equal(back.z, -found.z);
    assert.equal(back.p, found.p);
    assert.equal(back.low, -found.high);
  }
});

Deno.test("another level gives another interval", () => {
  const wide = delongInterval(labels, scores.ndka, 0.99);
  const narrow = delongInterval(labels, scores.ndka, 0.5);
  assert(wide.low < narrow.low && narrow.high < wide.high);
});

Deno.test("a level that no interval has is refused by all that take one", () => {
  const [labels, first] = [[0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9]];
  const uses = [
    (level: number) => delongInterval(labels, first, level),
    (level: number) => delongTest(labels, first, first, level),
    (level: number) => bootstrapRoc(labels, first, { seed: 1, samples: 5, level }),
    (level: number) => wilsonInterval(1, 2, level),
  ];
  for (const level of [2, 1, 0, -1, NaN]) {
    const message = `A level must be above 0 and below 1: current value is ${level}`;
    for (const use of uses) assert.throws(() => use(level), { name: "RangeError", message });
  }
});

Deno.test("classes that are separated without fault have no variance", () => {
  const found = delongInterval([0, 0, 1, 1], [1, 2, 3, 4]);
  assert.deepEqual(found, { auc: 1, variance: 0, low: 1, high: 1 });
  assert.deepEqual(delongTest([0, 0, 1, 1], [1, 2, 3, 4], [10, 20, 30, 40]), {
    difference: 0,
    low: 0,
    high: 0,
    z: 0,
    p: 1,
  });
  const opposite = delongTest([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1]);
  assert.deepEqual([opposite.difference, opposite.z, opposite.p], [1, Infinity, 0]);
});

Deno.test("what too few cases leave undefined is not a number", () => {
  for (const one of [[], [1, 1], [0]]) {
    const { auc, variance, low, high } = delongInterval(one, one.map((_, i) => i));
    for (const value of [auc, variance, low, high]) assert(Number.isNaN(value));
  }
  const single = delongInterval([1, 0, 0], [0.5, 0.2, 0.7]);
  assert.equal(single.auc, 0.5);
  assert(Number.isNaN(single.variance) && Number.isNaN(single.low) && Number.isNaN(single.high));
  assert(Number.isNaN(delongTest([1, 0, 0], [0.5, 0.2, 0.7], [0.1, 0.2, 0.7]).p));
});

Deno.test("cases that do not go together are refused", () => {
  assert.throws(() => delongInterval([1, 0], [1]), RangeError);
  assert.throws(() => delongTest([1, 0], [1, 2], [1]), RangeError);
  assert.throws(() => delongTest([1, 0], [1, NaN], [1, 2]), RangeError);
});

const cases = fc.array(
  fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })),
  { minLength: 4, maxLength: 40 },
).filter((all) => all.filter(([label]) => label === 1).length >= 2)
  .filter((all) => all.filter(([label]) => label === 0).length >= 2);

/** DeLong's formulas as they are printed, pair by pair. */
function byPairs(labels: number[], scores: number[]) {
  const of = (label: number) => scores.filter((_, i) => labels[i] === label);
  const [negatives, positives] = [of(0), of(1)];
  const win = (x: number, y: number) => x > y ? 1 : x === y ? 0.5 : 0;
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    v10: positives.map((x) => mean(negatives.map((y) => win(x, y)))),
    v01: negatives.map((y) => mean(positives.map((x) => win(x, y)))),
  };
}

function covariance(a: number[], b: number[]): number {
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  return a.reduce((sum, x, i) => sum + (x - ma) * (b[i] - mb), 0) / (a.length - 1);
}

Deno.test("ranks give what the printed formulas give pair by pair, ties included", () => {
  fc.assert(fc.property(cases, (all) => {
    const { labels, scores } = unzip(all.map(([label, score]) => [label, score]));
    const other = all.map(([, , score]) => score);
    const [a, b] = [byPairs(labels, scores), byPairs(labels, other)];
    const cov = (x: typeof a, y: typeof a) =>
      covariance(x.v10, y.v10) / a.v10.length + covariance(x.v01, y.v01) / a.v01.length;
    const found = delongInterval(labels, scores);
    assert.equal(found.auc, rocAuc(labels, scores));
    assertNear(found.variance, cov(a, a), 1e-14);
    const variance = cov(a, a) + cov(b, b) - 2 * cov(a, b);
    const test = delongTest(labels, scores, other);
    if (variance > 1e-12) assertNear(test.z, test.difference / Math.sqrt(variance), 1e-9);
  }));
});

Deno.test("only the order of the scores matters, and a model equals itself", () => {
  fc.assert(fc.property(cases, (all) => {
    const { labels, scores } = unzip(all.map(([label, score]) => [label, score]));
    const stretched = scores.map((score) => Math.exp(score) - 7);
    assert.deepEqual(delongInterval(labels, stretched), delongInterval(labels, scores));
    const { difference, z, p } = delongTest(labels, scores, stretched);
    assert.deepEqual([difference, z, p], [0, 0, 1]);
  }));
});
