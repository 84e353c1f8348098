import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { normalCdf, normalQuantile, twoSidedP } from "../../lib/metrics/normal.ts";
import { assertNear, METRICS_GOLDEN } from "../support/metrics_golden.ts";

const { normal } = METRICS_GOLDEN;

Deno.test("shares below a value are SciPy's, the far tails included", () => {
  normal.z.forEach((z, i) => {
    // SciPy itself loses digits in the far tails, where the exponential magnifies rounding.
    const digits = Math.abs(z) < 5 ? 4e-15 : 1e-12;
    assertNear(normalCdf(z), normal.cdf[i], normal.cdf[i] * digits, `cdf(${z})`);
  });
  // So these are from 60 digits of decimal arithmetic.
  const exact = [[-5, 2.866515718791939e-7], [-8, 6.220960574271784e-16], [
    -37,
    5.7255712225245768e-300,
  ]];
  for (const [z, cdf] of exact) assertNear(normalCdf(z), cdf, cdf * 4e-16, `cdf(${z})`);
});

Deno.test("quantiles are SciPy's", () => {
  normal.p.forEach((p, i) => {
    const expected = normal.quantile[i];
    assertNear(normalQuantile(p), expected, 1e-15 + Math.abs(expected) * 1e-14, `quantile(${p})`);
  });
});

Deno.test("the ends and the middle are exact", () => {
  assert.equal(normalCdf(0), 0.5);
  assert.equal(normalCdf(-Infinity), 0);
  assert.equal(normalCdf(Infinity), 1);
  assert(Number.isNaN(normalCdf(NaN)));
  assert.equal(normalQuantile(0.5), 0);
  assert.equal(normalQuantile(0), -Infinity);
  assert.equal(normalQuantile(1), Infinity);
  assert.equal(twoSidedP(0), 1);
  assert.equal(twoSidedP(Infinity), 0);
  assert(Number.isNaN(twoSidedP(NaN)));
  for (const p of [-0.1, 1.1, NaN]) assert.throws(() => normalQuantile(p), RangeError);
});

Deno.test("one undoes the other, and both rise", () => {
  const shares = fc.double({ min: 1e-300, max: 1 - 1e-15, noNaN: true });
  fc.assert(fc.property(shares, (p) => {
    assertNear(normalCdf(normalQuantile(p)), p, p * 1e-12);
  }));
  const values = fc.double({ min: -37, max: 37, noNaN: true });
  fc.assert(fc.property(values, values, (a, b) => {
    if (a < b) assert(normalCdf(a) <= normalCdf(b));
    assertNear(normalCdf(a) + normalCdf(-a), 1, 1e-15);
  }));
});
