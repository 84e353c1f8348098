/**
 * A training's progress as its state keeps it.
 */
import assert from "node:assert/strict";
import { parseProgress, progressJson } from "../../lib/train/progress_json.ts";
import type { EpochReport } from "../../lib/train/reports.ts";

const EPOCH: EpochReport = {
  ...{ epoch: 1, trainLoss: 0.6, trainAuc: NaN, valLoss: 0.5, valAuc: 0.9, threshold: 0.375 },
  ...{ rule: "sensitivity=0.95", learningRate: 1e-5, seconds: 2.5, isBest: true },
};

/** The JSON of one epoch, read back from text. */
function jsonOf(epoch: EpochReport): { epochs: unknown[][] } & Record<string, unknown> {
  const progress = { epochs: [epoch], train: [], valid: [], seconds: 3, skipped: [] };
  return JSON.parse(JSON.stringify(progressJson(progress)));
}

Deno.test("an epoch is read back whole, with the rule of its threshold", () => {
  assert.deepEqual(parseProgress(jsonOf(EPOCH)).epochs, [EPOCH]);
});

Deno.test("an epoch of a state from before there were rules was chosen by Youden's index", () => {
  const json = jsonOf(EPOCH);
  json.epochs[0].pop();
  assert.deepEqual(parseProgress(json).epochs, [{ ...EPOCH, rule: "youden" }]);
});

Deno.test("an epoch with a rule that is none, or with more than that, is refused", () => {
  for (const wrong of [["sensitivity=2"], [1], [null], ["youden", 1]]) {
    const json = jsonOf(EPOCH);
    json.epochs[0].splice(-1, 1, ...wrong);
    assert.throws(() => parseProgress(json), {
      name: "RangeError",
      message: "its list of epochs is wrong at 1",
    });
  }
});
