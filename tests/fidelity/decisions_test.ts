/**
 * Schedules, early stop and rounding decide as PyTorch, the original script and NumPy do.
 */
import assert from "node:assert/strict";
import { earlyStopping } from "../../lib/train/early_stopping.ts";
import { round4 } from "../../lib/train/rounding.ts";
import { createSchedule, type ScheduleName } from "../../lib/train/schedule.ts";
import { readGolden } from "../support/network_golden.ts";

const golden = await readGolden<{
  curves: {
    name: string;
    /** Validation losses, one an epoch. */
    losses: number[];
    /** The learning rate after each epoch. */
    rates: { schedule: ScheduleName; lr: number; gamma: number | null; after: number[] }[];
    /** The epoch, counted from 1, that training stops after; null where it does not. */
    stops: { patience: number; epoch: number | null }[];
  }[];
  values: number[];
  rounded: number[];
}>("decisions");

for (const { name, losses, rates, stops } of golden.curves) {
  for (const { schedule, lr, gamma, after } of rates) {
    const factor = gamma === null ? "" : `, factor ${gamma}`;
    Deno.test(`${schedule} from ${lr}${factor} is PyTorch's to the last bit: ${name}`, () => {
      const ours = createSchedule(schedule, lr, gamma ?? 0.5);
      assert.deepEqual(losses.map((loss) => ours(loss)), after);
    });
  }

  Deno.test(`training stops when the original script does: ${name}`, () => {
    for (const { patience, epoch } of stops) {
      const stopping = earlyStopping(patience);
      const last = losses.findIndex((loss) => stopping(loss));
      assert.equal(last === -1 ? null : last + 1, epoch, `patience ${patience}`);
    }
  });
}

Deno.test("four decimals are NumPy's, ties included", () => {
  assert(golden.values.length > 300);
  assert.deepEqual(golden.values.map(round4), golden.rounded);
});
