/** Many trainings from the command line, as a user or a scheduler does them. */
import assert from "node:assert/strict";
import { lockRun } from "../../lib/logs/run_lock.ts";
import { TASKS } from "../../lib/terms.ts";
import { cliCommand, runCli, withoutDriver } from "../support/cli.ts";
import { writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const VARIABLES = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"];
const ALLOWED = {
  permissions: [
    ...["--allow-read=data,models,plan", "--allow-write=models,plan"],
    `--allow-env=${VARIABLES.join()}`,
  ],
};

/** Plans one training of each of two folds. */
const PLAN = [
  ...["plan", "folds", "2", "--stratify", "--out", "plan", "-t", "acl", "-p", "axial"],
  ...["--weights", "none", "--backend", "wasm", "--threads", "1", "--seed", "1", "--tune", "0.5"],
  ...["--epochs", "2", "--lr", "1e-4"],
];

/** Does a unit until its first epoch is over, and sends a signal then. */
async function stopInEpoch2(folder: TemporaryFolder, index: number, signal: Deno.Signal) {
  const process = cliCommand(folder, ["unit", "plan", "--index", `${index}`], ALLOWED).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes("epoch 1 / 2")) {
    const { done, value } = await reader.read();
    if (done) assert.fail(seen);
    seen += value;
  }
  process.kill(signal);
  const err = withoutDriver(await new Response(process.stderr).text());
  const { code } = await process.status;
  await reader.cancel();
  return { code, err };
}

Deno.test("a unit exits 0 when it is done, 75 when it is saved, 2 for an index outside", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 24, valid: 6 }, TASKS);
  const planned = await runCli(folder, PLAN, ALLOWED);
  assert.equal(planned.code, 0, planned.err);
  assert.equal(
    planned.out,
    "plan/plan.json: 2 units, 0 (acl-axial-fold1) to 1 (acl-axial-fold2)\n",
  );
  const again = await runCli(folder, PLAN, ALLOWED);
  assert.deepEqual([again.code, again.out], [0, planned.out]);
  assert.match(again.err, /^That plan is there already; nothing was changed\.\n/);

  // A second copy, such as a scheduler starts that lost sight of the first.
  await Deno.mkdir(folder.at("plan/units/acl-axial-fold1"), { recursive: true });
  const lock = (await lockRun(folder.at("plan/units/acl-axial-fold1")))!;
  const copy = await runCli(folder, ["unit", "plan", "--index", "0"], ALLOWED);
  assert.deepEqual([copy.code, copy.out], [
    ...[75, "Unit 0 (acl-axial-fold1) is being done by another process.\n"],
  ]);
  await lock.release();

  // A TERM in the middle, as a scheduler sends one; and the death of a machine.
  const stopped = await stopInEpoch2(folder, 1, "SIGTERM");
  assert.equal(stopped.code, 75, stopped.err);
  assert.match(stopped.err, /^Unit: {3}1 \(acl-axial-fold2\)\n/);
  assert.notEqual((await stopInEpoch2(folder, 0, "SIGKILL")).code, 0);
  const killed = await runCli(folder, ["unit", "plan", "--index", "0"], ALLOWED);
  assert.equal(killed.code, 0, killed.err);
  assert.match(killed.err, /\nGoes on after 1 epoch/);

  const array = (name: string, value: string) =>
    runCli(folder, ["unit", "plan"], {
      ...ALLOWED,
      env: { [name]: value },
    });
  const done = await array("JOB_COMPLETION_INDEX", "1");
  assert.equal(done.code, 0, done.err);
  assert.match(done.err, /\nGoes on after 1 epoch/);
  assert.match(done.out, /\nUnit 1 \(acl-axial-fold2\) is done\.\n$/);
  const already = await array("SLURM_ARRAY_TASK_ID", "1");
  assert.deepEqual([already.code, already.out], [0, "Unit 1 (acl-axial-fold2) is done already.\n"]);
  const odd = await array("SLURM_ARRAY_TASK_ID", "x");
  assert.equal(odd.code, 2);
  assert.match(
    odd.err,
    /error: invalid value of SLURM_ARRAY_TASK_ID: 'x' \(must be a whole number\)/,
  );

  const outside = await runCli(folder, ["unit", "plan", "--index", "2"], ALLOWED);
  assert.equal(outside.code, 2);
  assert.match(
    outside.err,
    /error: argument --index: invalid value: 2 \(the plan has units 0 to 1\)\n$/,
  );
  const none = await runCli(folder, ["unit", "data", "--index", "0"], ALLOWED);
  assert.equal(none.code, 1);
  assert.match(
    none.err,
    /^Cannot read the plan 'data\/plan.json': there is no such file or folder: make/,
  );
});
