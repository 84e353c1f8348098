import assert from "node:assert/strict";
import { checkTuneSplit, isTuneExam } from "../../lib/data/tune.ts";
import { OptionError } from "../../lib/errors.ts";

const IDS = Array.from({ length: 1130 }, (_, i) => String(i).padStart(4, "0"));
const kept = (fraction: number, seed: number) =>
  IDS.filter((id) => isTuneExam(id, { fraction, seed }));

Deno.test("about the share that was asked for is kept out", () => {
  // Three standard deviations of a binomial of 1130 draws.
  for (const fraction of [0.05, 0.1, 0.3, 0.5]) {
    const spread = 3 * Math.sqrt(IDS.length * fraction * (1 - fraction));
    assert.ok(Math.abs(kept(fraction, 0).length - fraction * IDS.length) < spread, `${fraction}`);
  }
});

Deno.test("a larger share keeps out the exams of a smaller one and more", () => {
  const small = kept(0.1, 3);
  const large = new Set(kept(0.2, 3));
  assert.ok(small.every((id) => large.has(id)) && small.length < large.size);
});

Deno.test("another seed keeps out other exams, the same seed the same ones", () => {
  assert.deepEqual(kept(0.1, 1), kept(0.1, 1));
  assert.notDeepEqual(kept(0.1, 1), kept(0.1, 2));
});

Deno.test("what is no share or no seed is refused", () => {
  for (const fraction of [0, 1, -0.1, NaN, Infinity]) {
    assert.throws(() => checkTuneSplit({ fraction, seed: 0 }), OptionError);
  }
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(() => checkTuneSplit({ fraction: 0.1, seed }), {
      message: `Cannot choose the exams to keep out with seed ${seed}: ` +
        "give a whole number of 0 or more",
    });
  }
});
