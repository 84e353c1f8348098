/** How far two raters agree, held against statsmodels and scikit-learn (`tools/make_agreement_golden.py`). */
import assert from "node:assert/strict";
import { cohensKappa, mcnemarTest, type PairedDecisions } from "../../lib/metrics/agreement.ts";
import { assertNear } from "../support/metrics_golden.ts";

const GOLDEN: {
  tables: { decisions: number[]; kappa: [number, number, number]; p: number }[];
} = JSON.parse(Deno.readTextFileSync(`${import.meta.dirname}/../golden/agreement.json`));

function decisionsOf([both, firstOnly, secondOnly, neither]: number[]): PairedDecisions {
  return { both, firstOnly, secondOnly, neither };
}

Deno.test("cohensKappa and its interval are statsmodels', whoever of the two comes first", () => {
  for (const { decisions, kappa: [value, low, high] } of GOLDEN.tables) {
    const [both, firstOnly, secondOnly, neither] = decisions;
    for (const pair of [decisions, [both, secondOnly, firstOnly, neither]]) {
      const kappa = cohensKappa(decisionsOf(pair));
      assertNear(kappa.value, value, 1e-12, `${pair}: kappa`);
      assertNear(kappa.low, Math.max(-1, low), 1e-12, `${pair}: low`);
      assertNear(kappa.high, Math.min(1, high), 1e-12, `${pair}: high`);
    }
  }
  const { low, high } = cohensKappa(decisionsOf([59, 6, 16, 80]), 0.5);
  assert.ok(low > 0.616 && high < 0.83, "an interval of a lower level is narrower");
});

Deno.test("cohensKappa is 1 where all agree, and no number where chance alone would", () => {
  assert.deepEqual(cohensKappa(decisionsOf([3, 0, 0, 5])), { value: 1, low: 1, high: 1 });
  for (const counts of [[0, 0, 0, 0], [7, 0, 0, 0], [0, 0, 0, 7]]) {
    assert.deepEqual(cohensKappa(decisionsOf(counts)), { value: NaN, low: NaN, high: NaN });
  }
});

Deno.test("mcnemarTest is statsmodels' exact test, for thousands of cases too", () => {
  for (const { decisions, p } of GOLDEN.tables) {
    const own = mcnemarTest(decisionsOf(decisions));
    assertNear(own / p, 1, 1e-10, `${decisions}: p`);
  }
  assert.equal(mcnemarTest(decisionsOf([9, 0, 0, 9])), 1);
  assertNear(mcnemarTest(decisionsOf([0, 5000, 5000, 0])), 1, 1e-12);
  assert.ok(mcnemarTest(decisionsOf([0, 5000, 4000, 0])) < 1e-20);
});

Deno.test("counts that are none are refused", () => {
  for (const count of [-1, 1.5, NaN, Infinity]) {
    assert.throws(() => mcnemarTest(decisionsOf([1, count, 1, 1])), {
      name: "RangeError",
      message:
        `The count 'firstOnly' must be a whole number of 0 or more: current value is ${count}`,
    });
    assert.throws(() => cohensKappa(decisionsOf([1, 1, 1, count])), /The count 'neither' must/);
  }
});
