import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { createSchedule, plateau, SCHEDULES, stepDecay } from "../../lib/train/schedule.ts";

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-12 * expected, `${actual} instead of ${expected}`);

Deno.test("plateau bears three epochs without a lower loss and reduces after the fourth", () => {
  const schedule = plateau(1);
  const rates = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5].map((loss) => schedule(loss));
  assert.deepEqual(rates, [1, 1, 1, 1, 0.3, 0.3]);
});

Deno.test("plateau counts anew after it has reduced, and after an improvement", () => {
  const schedule = plateau(1, { factor: 0.1, patience: 1 });
  const rates = [1, 1, 1, 1, 1, 0.9, 0.9, 0.8, 0.8, 0.8].map((loss) => schedule(loss));
  rates.forEach((rate, i) => near(rate, [1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001][i]));
});

Deno.test("a loss that falls by less than a ten-thousandth is no improvement", () => {
  const rates = (loss: number) => {
    const schedule = plateau(1, { patience: 0 });
    schedule(1);
    return schedule(loss);
  };
  assert.equal(rates(0.9998), 1);
  assert.equal(rates(0.9999), 0.3);
  assert.equal(rates(0.99995), 0.3);
});

Deno.test("many small improvements that add up do count, for the best stays where it was", () => {
  const schedule = plateau(1, { patience: 1 });
  const losses = [1, 0.99995, 0.9998, 0.99975, 0.9996];
  assert.deepEqual(losses.map((loss) => schedule(loss)), [1, 1, 1, 1, 1]);
});

Deno.test("a loss that is not a number is never an improvement", () => {
  const schedule = plateau(1, { patience: 0 });
  assert.equal(schedule(NaN), 0.3);
  assert.equal(schedule(0.5), 0.3);
  near(schedule(NaN), 0.09);
});

Deno.test("plateau leaves a rate alone that would change by 1e-8 or less", () => {
  const reduced = (rate: number) => {
    const schedule = plateau(rate, { factor: 0.5, patience: 0 });
    schedule(1);
    return schedule(1);
  };
  assert.equal(reduced(2e-8), 2e-8);
  assert.equal(reduced(4e-8), 2e-8);
  // At the reference's rate and factor that is reached after the sixth reduction.
  const schedule = plateau(1e-5, { patience: 0 });
  const rates = Array.from({ length: 12 }, () => schedule(1));
  assert.ok(rates.at(-1)! > 4e-9);
  assert.equal(rates.at(-1), rates.at(-2));
});

Deno.test("step multiplies after every third epoch, whatever the loss does", () => {
  const schedule = stepDecay(8, 0.5);
  const rates = [9, 1, 7, 2, NaN, 3, 3, 3, 3].map((loss) => schedule(loss));
  assert.deepEqual(rates, [8, 8, 4, 4, 4, 2, 2, 2, 1]);
  const faster = stepDecay(1, 0.1, 1);
  near(faster(1), 0.1);
  near(faster(1), 0.01);
});

Deno.test("each schedule is made by its name, none never changes the rate", () => {
  assert.deepEqual(SCHEDULES, ["plateau", "step", "none"]);
  const last = (name: (typeof SCHEDULES)[number]) => {
    const schedule = createSchedule(name, 1, 0.5);
    return [1, 1, 1, 1, 1].map((loss) => schedule(loss)).at(-1);
  };
  assert.equal(last("plateau"), 0.3);
  assert.equal(last("step"), 0.5);
  assert.equal(last("none"), 1);
});

Deno.test("no schedule ever raises the rate or brings it to nothing", () => {
  const losses = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 60 });
  fc.assert(fc.property(fc.constantFrom(...SCHEDULES), losses, (name, losses) => {
    const schedule = createSchedule(name, 1e-4, 0.5);
    let before = 1e-4;
    return losses.every((loss) => {
      const rate = schedule(loss);
      const falls = rate > 0 && rate <= before;
      before = rate;
      return falls;
    });
  }));
});
