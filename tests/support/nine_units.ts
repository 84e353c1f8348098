/**
 * A plan of nine small trainings, and the same trainings done serially by run_all: whatever does the
 * units, what they leave must be equal to the bit.
 */
import assert from "node:assert/strict";
import { planStatus } from "../../lib/plan/gather.ts";
import { baseName } from "../../lib/files.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { runCli } from "./cli.ts";
import { writePlanes } from "./combined.ts";
import type { TemporaryFolder } from "./folders.ts";
import { onlyRun, outcomeOf, type RunOutcome } from "./run_outcome.ts";

/** How all are trained: three short epochs, so that there is a state to go on from in the middle. */
const TRAINING = [
  ...["--weights", "none", "--backend", "wasm", "--threads", "1", "--seed", "1", "--tune", "0.4"],
  ...["--epochs", "3", "--lr", "1e-4"],
];

const PERMISSIONS = { permissions: ["-A"] } as const;

/** Writes the exams, and the plan into `plan`. */
export async function planNine(folder: TemporaryFolder): Promise<void> {
  await writePlanes(folder, { train: 12, valid: 4 }, TASKS);
  const { code, err } = await runCli(folder, ["plan", "all", "--out", "plan", ...TRAINING], {
    ...PERMISSIONS,
  });
  assert.equal(code, 0, err);
}

/** Trains the nine one after the other, in a process of its own. */
export async function trainSerially(folder: TemporaryFolder): Promise<void> {
  const { code, err } = await runCli(folder, ["run_all", ...TRAINING], PERMISSIONS);
  assert.equal(code, 0, err);
}

/** Compares what the units left, and what was gathered of them, with what run_all left. */
export async function assertLikeSerial(folder: TemporaryFolder): Promise<void> {
  const { units } = await planStatus(folder.at("plan"));
  assert.deepEqual(units.filter(({ done }) => !done), []);
  for (const task of TASKS) {
    for (const plane of PLANES) {
      const own = folder.at("plan/units", `${task}-${plane}`);
      const unit = await _outcome(`${own}/logs/${task}/${plane}`, `${own}/models`);
      const serial = await _outcome(folder.at("logs", task, plane), folder.at("models"));
      serial.models = serial.models.filter((name) => name.includes(`_${task}_${plane}_`));
      assert.equal(serial.models.length, 1);
      assert.deepEqual(unit, serial, `${task} ${plane}`);
    }
  }
  const gathered = await _results(folder, "plan/results.json");
  assert.equal(gathered.length, 12);
  assert.deepEqual(gathered, await _results(folder, "logs/run_all/mrnet/results.json"));
}

async function _outcome(logs: string, models: string): Promise<RunOutcome> {
  return await outcomeOf(await onlyRun(logs), models);
}

/** A table of results; its files are named without their folders. */
async function _results(folder: TemporaryFolder, file: string): Promise<object[]> {
  const rows: { model: string }[] = JSON.parse(await folder.text(file));
  return rows.map(({ model, ...row }) => ({ ...row, model: baseName(model) }));
}
