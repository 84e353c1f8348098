import assert from "node:assert/strict";
import { readMRNet } from "../../lib/model/weights/read.ts";
import { DataError, OptionError } from "../../lib/errors.ts";
import type { DoneModel } from "../../lib/plan/done_model.ts";
import { errorFrom, errorReply } from "../../lib/plan/job_messages.ts";
import { limitJobs } from "../../lib/plan/jobs.ts";
import { makePlan } from "../../lib/plan/make_plan.ts";
import { openPlan } from "../../lib/plan/plan_file.ts";
import { readUnit } from "../../lib/plan/unit_file.ts";
import { runUnits } from "../../lib/plan/units.ts";
import { TASKS } from "../../lib/terms.ts";
import { cliCommand } from "../support/cli.ts";
import { writePlanes } from "../support/combined.ts";
import { copyFolder, TemporaryFolder } from "../support/folders.ts";

/** A plan of two seeds of one task and plane. */
async function prepare(folder: TemporaryFolder): Promise<string> {
  await writePlanes(folder, { train: 24, valid: 6 }, TASKS);
  const out = folder.at("plan");
  await makePlan({
    ...{ kind: "seeds", seeds: 2, tasks: ["acl"], planes: ["axial"], out },
    ...{ data: folder.at("data"), weights: "none", seed: 1, threads: 1, engine: "wasm" },
    ...{ epochs: 2, learningRate: 1e-4, tune: { fraction: 0.5, seed: 0 } },
  });
  return out;
}

/** The results of all units and the tensors of their models. */
async function outcomeOf(out: string) {
  const opened = await openPlan(out);
  const outcomes = [];
  for (const unit of opened.plan.units) {
    const { checkpoint, sha256: _, ...result } = await readUnit(out, opened, unit) as DoneModel;
    const { tensors } = await readMRNet(`${out}/units/${unit.id}/${checkpoint}`);
    outcomes.push({ ...result, tensors });
  }
  return outcomes;
}

/** Does the units of a plan side by side as another process, which does not check the worker's types. */
function sideBySide(folder: TemporaryFolder): Deno.ChildProcess {
  const options = { permissions: ["-A"] };
  return cliCommand(folder, ["unit", "plan", "--jobs", "2", "--log_every", "1"], options).spawn();
}

Deno.test("units side by side come to the bits of one after the other, and a TERM saves them", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  await copyFolder(out, folder.at("serial"));
  const serial = await runUnits(folder.at("serial"));
  assert.deepEqual([serial.done, serial.left], [2, 0]);
  // Both have begun to train: each has saved its first state.
  const process = sideBySide(folder);
  const states = ["seed1", "seed2"].map((seed) => `plan/units/acl-axial-${seed}/logs`);
  const hasBegun = async (logs: string) => (await folder.files(logs)).join().includes("state.s");
  while (!(await Promise.all(states.map(hasBegun))).every((begun) => begun)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.kill("SIGTERM");
  const stopped = await process.output();
  assert.equal(stopped.code, 75, new TextDecoder().decode(stopped.stderr));
  const { code, stdout, stderr } = await sideBySide(folder).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.match(text, /Unit 0 \(acl-axial-seed1\) is done\.\n/);
  assert.match(text, /\n2 of 2 units are done\n$/);
  assert.deepEqual(await outcomeOf(out), await outcomeOf(folder.at("serial")));
});

Deno.test("a unit that fails does not keep the others from being done", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  await folder.write("plan/units/acl-axial-seed1/unit.json", "{}");
  const failed: string[] = [];
  const stop = new AbortController();
  const { failed: count } = await runUnits(out, {
    signal: stop.signal,
    onFailure: ({ id }, error) => failed.push(`${id}: ${error.name}`),
    onUnit: () => ({ onExam: () => stop.abort() }),
  });
  assert.deepEqual([failed, count], [["acl-axial-seed1: DataError"], 1]);
});

Deno.test("no more units are done at once than threads allow, and at least one", () => {
  const cores = navigator.hardwareConcurrency;
  assert.deepEqual(limitJobs(1, 64), { jobs: 1 });
  assert.deepEqual(limitJobs(cores + 1, 1).reason, `each takes 1 of ${cores} threads`);
  assert.throws(
    () => limitJobs(0, 1),
    /^OptionError: Cannot do 0 units side by side: give a whole/,
  );
});

Deno.test("an error of a worker is of its own class, and a fault stays one", () => {
  const known = errorFrom(errorReply(new DataError("Cannot")));
  assert.ok(known instanceof DataError && known.message === "Cannot");
  assert.ok(!(errorFrom(errorReply(new TypeError("x"))) instanceof OptionError));
});
