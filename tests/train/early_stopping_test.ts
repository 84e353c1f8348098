import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { earlyStopping } from "../../lib/train/early_stopping.ts";

/** After which epoch training stops, counted from 1; 0 where it does not. */
function stopsAfter(patience: number, losses: readonly number[]): number {
  const stopping = earlyStopping(patience);
  return losses.findIndex((loss) => stopping(loss)) + 1;
}

Deno.test("training stops after as many epochs without a lower loss as there is patience", () => {
  assert.equal(stopsAfter(1, [1, 1]), 2);
  assert.equal(stopsAfter(1, [3, 2, 1, 1, 0.5]), 4);
  assert.equal(stopsAfter(3, [1, 2, 2, 2]), 4);
  assert.equal(stopsAfter(5, [1, 1, 1, 1, 1]), 0);
  assert.equal(stopsAfter(5, [1, 1, 1, 1, 1, 1]), 6);
});

Deno.test("the smallest improvement starts the count anew, an equal loss does not", () => {
  assert.equal(stopsAfter(2, [1, 1, 0.9999, 0.9999, 0.9999]), 5);
  assert.equal(stopsAfter(2, [1, 1, 1]), 3);
  assert.equal(stopsAfter(2, [0.5, 0.9, 0.6]), 3);
});

Deno.test("a loss that is not a number is no improvement", () => {
  assert.equal(stopsAfter(2, [NaN, NaN]), 2);
  assert.equal(stopsAfter(2, [1, NaN, 0.5, NaN, NaN]), 5);
});

Deno.test("the last epochs before the stop hold no lower loss than the epochs before them", () => {
  const losses = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), losses, (patience, losses) => {
    const stop = stopsAfter(patience, losses);
    const idle = (epoch: number) => {
      const before = losses.slice(0, Math.max(0, epoch - patience));
      return before.length > 0 &&
        Math.min(...losses.slice(epoch - patience, epoch)) >= Math.min(...before);
    };
    const epochs = losses.map((_, i) => i + 1);
    return stop === (epochs.find(idle) ?? 0);
  }));
});

Deno.test("without patience training never stops early", () => {
  assert.equal(stopsAfter(0, Array(200).fill(1)), 0);
});
