/** What is asked of a cluster; tests/plan/engines/slurm_test.ts has a real one. */
import assert from "node:assert/strict";
import { arraysOf, parseQueue } from "../../lib/plan/engines/slurm.ts";
import { rangesOf } from "../../lib/plan/engines/ranges.ts";
import { formatPlan, openPlan } from "../../lib/plan/plan_file.ts";
import type { TrainPlan } from "../../lib/plan/plan.ts";
import { submitPlan } from "../../lib/plan/submit.ts";
import { writeUnit } from "../../lib/plan/unit_file.ts";
import { lockRun } from "../../lib/logs/run_lock.ts";
import { runCli } from "../support/cli.ts";
import { FakeSlurm } from "../support/fake_slurm.ts";
import { TemporaryFolder } from "../support/folders.ts";

/** Writes a plan of so many seeds; nothing of it can be trained. */
async function writePlan(folder: TemporaryFolder, units: number, name = "plan"): Promise<void> {
  const plan: TrainPlan = {
    ...{ asked: {}, kind: "seeds", data: "data", prefix: "mrnet", labels: {}, exams: {} },
    ...{ tune: { fraction: 0.1, seed: 0 }, evaluateOn: ["valid"] },
    settings: [{ name: "", options: {}, weights: { file: "none" } }],
    units: Array.from({ length: units }, (_, index) => ({
      ...{ index, id: `acl-axial-seed${index}`, task: "acl", plane: "axial", network: "alexnet" },
      ...{ setting: 1, seed: index, threads: 3 },
    })),
  };
  await folder.write(`${name}/plan.json`, formatPlan(plan));
}

/** Marks units as done. */
async function pretend(out: string, ...indexes: number[]): Promise<void> {
  const opened = await openPlan(out);
  for (const index of indexes) {
    const unit = opened.plan.units[index];
    await Deno.mkdir(`${out}/units/${unit.id}`, { recursive: true });
    await writeUnit(out, opened, unit, {
      ...{ checkpoint: "models/a.safetensors", sha256: "a".repeat(64), epoch: 1, epochs: 1 },
      ...{ computed: { engine: "wasm", threads: 1, precision: "float32" }, leftOut: [] },
      ...{ tune: [], valid: [] },
    });
  }
}

/** Submits the plan of a folder as a user does. */
async function submit(folder: TemporaryFolder, ...args: string[]) {
  return await runCli(folder, ["submit", "plan", "--engine", "slurm", ...args], {
    permissions: [
      ...["--allow-read=plan", "--allow-write=plan", "--allow-run=sbatch,squeue,scontrol"],
    ],
    env: FakeSlurm.env(folder),
  });
}

/** The name of the jobs, as sbatch was given it. */
const nameIn = (call: string) => /--job-name=(mrnet-[0-9a-f]{10})-0 /.exec(call)![1];

Deno.test("numbers are written as ranges, and arrays begin where tasks would be numbered too high", () => {
  assert.equal(rangesOf([]), "");
  assert.equal(rangesOf([0]), "0");
  assert.equal(rangesOf([0, 1, 2, 5, 7, 8]), "0-2,5,7-8");
  assert.deepEqual(arraysOf([], 3), []);
  assert.deepEqual(arraysOf([0, 1, 2, 3, 7], 3), [
    { first: 0, units: [0, 1, 2] },
    { first: 3, units: [3] },
    { first: 6, units: [7] },
  ]);
});

Deno.test("the queue says which units it has, and forgets those that have ended", () => {
  const lines = [
    ...["mrnet-0-1000|7|2|RUNNING", "mrnet-0-0|6|3|PENDING", "mrnet-0-0|6|4|SUSPENDED"],
    ...["mrnet-0-0|6|5|FAILED", "mrnet-0-0|5|6|CANCELLED", "mrnet-01-0|8|7|RUNNING"],
    ...["mrnet-0-gather|9|N/A|CANCELLED", "other|10|N/A|RUNNING", ""],
  ];
  assert.deepEqual(parseQueue(lines.join("\n"), "mrnet-0"), {
    ...{ units: new Set([1002, 3, 4]), jobs: ["7", "6"], gather: false },
  });
  const gather = parseQueue("mrnet-0-gather|9|N/A|PENDING\n", "mrnet-0");
  assert.deepEqual(gather, { units: new Set(), jobs: [], gather: true });
});

Deno.test("units are submitted as an array, and once", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlan(folder, 9);
  const slurm = await FakeSlurm.write(folder);
  await pretend(folder.at("plan"), 2);
  const first = await submit(folder, "--", "--partition=long", "-t", "60");
  assert.equal(first.code, 0, first.err);
  assert.equal(first.out, "job 101: units 0-1,3-8\njob 102: gather\n");
  const [array, gather] = await slurm.calls();
  const name = nameIn(array);
  assert.equal(
    array,
    `--partition=long -t 60 --parsable --job-name=${name}-0 --array=0-1,3-8 plan/unit.sbatch 0`,
  );
  assert.equal(
    gather,
    "--partition=long -t 60 --parsable --dependency=afterok:101 --kill-on-invalid-dep=yes " +
      "plan/gather.sbatch",
  );
  assert.match(await folder.text("plan/unit.sbatch"), /^#SBATCH --cpus-per-task=3$/m);

  const rows = [0, 1, 3, 4, 5, 6, 7, 8].map((unit) => `${name}-0|101|${unit}|PENDING`);
  await slurm.queue(...rows, `${name}-gather|102|N/A|PENDING`);
  const again = await submit(folder);
  assert.deepEqual([again.code, again.out], [0, "Nothing was submitted.\n"], again.err);
  assert.match(again.err, /^Done: +units 2\nIn the queue: units 0-1,3-8\n$/);

  // One failed, by which Slurm gave up gathering; another one is done.
  await pretend(folder.at("plan"), 0);
  await slurm.queue(`${name}-0|101|1|FAILED`, ...rows.slice(2));
  const rest = await submit(folder);
  assert.equal(rest.out, "job 103: units 1\njob 104: gather\n", rest.err);
  assert.match((await slurm.calls())[3], /--dependency=afterok:103,afterany:101 /);

  await pretend(folder.at("plan"), 1, 3, 4, 5, 6, 7, 8);
  const done = await submit(folder);
  assert.equal(done.out, "Nothing was submitted.\n");
  assert.match(done.err, /Done: +units 0-8\nGather: .* gather plan\n$/);
  assert.equal((await slurm.calls()).length, 4);
});

Deno.test("a large plan has several arrays, and another plan's jobs are not its own", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlan(folder, 10);
  const slurm = await FakeSlurm.write(folder);
  await slurm.size(4);
  await slurm.queue("mrnet-0123456789-0|1|0|RUNNING");
  const { out, err } = await submit(folder);
  assert.equal(
    out,
    "job 101: units 0-3\njob 102: units 4-7\njob 103: units 8-9\njob 104: gather\n",
    err,
  );
  const calls = await slurm.calls();
  assert.match(calls[2], /--job-name=mrnet-\w{10}-8 --array=0-1 plan\/unit.sbatch 8$/);
  assert.match(calls[3], /--dependency=afterok:101:102:103 /);
  await slurm.size(0);
  const none = await submit(folder);
  assert.equal(none.code, 1);
  assert.match(
    none.err,
    /^Cannot submit the plan 'plan' to Slurm: this cluster takes no job arrays .*\n$/,
  );
});

Deno.test("--print writes the scripts and runs nothing", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlan(folder, 1003);
  const { code, out, err } = await runCli(
    folder,
    ["submit", "plan", "--engine", "slurm", "--print", "--", "--comment=a b"],
    { permissions: ["--allow-read=plan", "--allow-write=plan"] },
  );
  assert.equal(code, 0, err);
  assert.match(
    out,
    new RegExp(
      "^job1=\\$\\(sbatch '--comment=a b' --parsable --job-name=mrnet-\\w+-0 --array=0-1000 " +
        "plan/unit.sbatch 0\\)\n" +
        "job2=\\$\\(sbatch '--comment=a b' --parsable --job-name=mrnet-\\w+-1001 --array=0-1 " +
        "plan/unit.sbatch 1001\\)\n" +
        "sbatch '--comment=a b' --parsable --dependency=afterok:\\$job1:\\$job2 " +
        "--kill-on-invalid-dep=yes plan/gather.sbatch\n$",
    ),
  );
  assert.equal(err, "Wrote plan/unit.sbatch\nWrote plan/gather.sbatch\n");
});

Deno.test("what cannot be submitted is said in one line", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlan(folder, 2);
  const permissions = ["--allow-read=plan", "--allow-write=plan"];
  const absent = await runCli(folder, ["submit", "plan", "--engine", "slurm"], {
    ...{ permissions, env: { PATH: folder.at("nothing") } },
  });
  assert.deepEqual([absent.code, absent.out], [1, ""]);
  assert.equal(
    absent.err,
    "Cannot submit the plan 'plan' to Slurm: this machine has no 'sbatch': submit where the " +
      "cluster takes jobs, or only write the scripts with --print\n",
  );
  const slurm = await FakeSlurm.write(folder);
  await slurm.refuse("sbatch: error: invalid partition specified: x\nsbatch: error: failed\n");
  const refused = await submit(folder, "--", "-p", "x");
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.equal(
    refused.err,
    "Cannot submit the plan 'plan' to Slurm: 'sbatch' refused: sbatch: error: invalid partition " +
      "specified: x sbatch: error: failed\n",
  );
  for (const option of ["--array=0-3", "-a", "-a1", "--job-name", "-Jx", "--wrap=x", "-D/"]) {
    const sbatch = ["-t", "60", option];
    await assert.rejects(submitPlan(folder.at("plan"), { engine: "slurm", sbatch }), {
      name: "OptionError",
      message:
        `Cannot give sbatch '${option}': arrays, names and folders of the jobs follow from ` +
        "the plan: leave it out",
    });
  }
  assert.match(
    (await submit(folder, "long")).err,
    /^Cannot give sbatch 'long': its options begin with/,
  );
  await using _lock = {
    lock: await lockRun(folder.at("plan")),
    async [Symbol.asyncDispose]() {
      await this.lock?.release();
    },
  };
  assert.match(
    (await submit(folder)).err,
    /^Cannot submit the plan 'plan': another process is submitting/,
  );
  await assert.rejects(submitPlan(folder.at("plan"), { engine: "pbs" as "slurm" }), {
    name: "OptionError",
    message:
      "Cannot submit a plan to 'pbs': there is no such engine: choose from slurm, bullmq, kubernetes",
  });
});
