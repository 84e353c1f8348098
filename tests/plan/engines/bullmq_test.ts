/** Units that workers take from a queue in a real Redis, which dies meanwhile, as one of the workers. */
import assert from "node:assert/strict";
import type { Queue, Worker } from "npm:bullmq@6.7.0";
import type { Redis as IORedis } from "npm:ioredis@5.11.1";
import type {
  JobQueue,
  NewJob,
  QueueWorker,
  RedisClient,
} from "../../../lib/plan/engines/bullmq_client.ts";
import { parseUnitJob } from "../../../lib/plan/engines/queue_job.ts";
import { workOnQueue } from "../../../lib/plan/engines/queue_work.ts";
import { makePlan } from "../../../lib/plan/make_plan.ts";
import type { TrainPlanOptions } from "../../../lib/plan/options.ts";
import { openPlan } from "../../../lib/plan/plan_file.ts";
import { submitPlan } from "../../../lib/plan/submit.ts";
import { TASKS } from "../../../lib/terms.ts";
import { CLI, type Outcome, runCli } from "../../support/cli.ts";
import { writePlanes } from "../../support/combined.ts";
import { TemporaryFolder } from "../../support/folders.ts";
import { assertLikeSerial, planNine, trainSerially } from "../../support/nine_units.ts";
import { Process } from "../../support/process.ts";
import { PASSWORD, type Redis, testWithRedis } from "../../support/redis.ts";

// The compiler holds what is used of the packages against what they are.
type Same<Used, Real extends Used> = Real;
export type Client = Same<RedisClient, IORedis>;
export type RealQueue = Same<Pick<JobQueue, "getJob" | "getJobCounts">, Queue>;
export type RealWorker = Same<Pick<QueueWorker, "close">, Worker>;
export type Bulk = Same<NewJob, Parameters<Queue["addBulk"]>[0][number] & NewJob>;

const LOCK = `--lock=${new URL("../../../deno.queue.lock", import.meta.url).pathname}`;

const HOW: Partial<TrainPlanOptions> = {
  ...{ weights: "none", seed: 1, threads: 1, engine: "wasm", epochs: 2, learningRate: 1e-4 },
  tune: { fraction: 0.5, seed: 0 },
};

/** Plans trainings of small exams in `plan`, from whatever folder. */
async function prepare(folder: TemporaryFolder, more: Partial<TrainPlanOptions> = {}) {
  await writePlanes(folder, { train: 24, valid: 6 }, TASKS);
  const out = folder.at("plan");
  await makePlan({ kind: "all", data: folder.at("data"), out, ...HOW, ...more });
  return out;
}

/** Runs a command that uses the queue. */
async function run(folder: TemporaryFolder, redis: Redis, ...args: string[]): Promise<Outcome> {
  const outcome = await runCli(folder, args, {
    ...{ permissions: ["-A", LOCK], env: { REDIS_URL: redis.url } },
  });
  assert.ok(!`${outcome.out}${outcome.err}`.includes(PASSWORD), "the password is shown");
  return outcome;
}

const submit = (folder: TemporaryFolder, redis: Redis, plan = "plan") =>
  run(folder, redis, "submit", plan, "--engine", "bullmq");

/** A worker that gives up on another one after a few seconds. */
function worker(folder: TemporaryFolder, redis: Redis, ...more: string[]): Process {
  const args = ["work", "--redis", redis.url, "--lock", "4", ...more];
  return new Process(folder, ["run", "--quiet", "-A", LOCK, CLI, ...args]);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The process of the unit that a worker does, and the unit's number. */
async function unitProcess(worker: Process): Promise<{ pid: number; index: number } | undefined> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    const [, parent] = /.*\) \w (\d+) /s.exec(await read("stat")) ?? [];
    if (Number(parent) !== worker.pid) continue;
    const index = (await read("cmdline")).split("\0").at(-2);
    if (/^\d+$/.test(index ?? "")) return { pid: Number(name), index: Number(index) };
  }
  return undefined;
}

/** Whether a process does anything else at a TERM than to die. */
async function catchesTerm(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${caught}`) >> 14n & 1n) === 1n;
}

/** Stops the process of a worker's unit in the middle: there is a state, and no result. */
async function stopInside(folder: TemporaryFolder, worker: Process): Promise<number> {
  const { plan: { units } } = await openPlan(folder.at("plan"));
  let stopped: number | undefined;
  await until(async () => {
    const found = await unitProcess(worker);
    if (found === undefined) return false;
    const own = `plan/units/${units[found.index].id}`;
    const has = async (name: string) =>
      (await folder.files(own)).some((file) => file.endsWith(name));
    // The state may be that of a worker before, so the process must listen to a TERM, too.
    if (!await has("state.safetensors") || !await catchesTerm(found.pid)) return false;
    try {
      Deno.kill(found.pid, "SIGSTOP");
    } catch {
      return false;
    }
    if (await has("unit.json")) {
      Deno.kill(found.pid, "SIGCONT");
      return false;
    }
    stopped = found.pid;
    return true;
  });
  return stopped!;
}

/** Submits nine units twice, and has two workers do them, of which one dies and one is asked to end. */
async function onTwoWorkers(folder: TemporaryFolder, redis: Redis): Promise<void> {
  const first = await submit(folder, redis);
  assert.deepEqual(
    [first.code, first.out],
    [0, `queue mrnet at ${redis.shown}: units 0-8\n`],
    first.err,
  );
  const again = await submit(folder, redis);
  assert.deepEqual([again.code, again.out], [0, "Nothing was submitted.\n"], again.err);
  assert.match(again.err, /^In the queue: units 0-8\n/);

  await using one = worker(folder, redis, "--until_done");
  await using two = worker(folder, redis);
  const killed = await stopInside(folder, two);
  two.kill("SIGKILL");
  Deno.kill(killed, "SIGKILL");
  await two.ended;

  // Redis dies while both are inside a unit, and comes back before one of them is asked to end.
  await using three = worker(folder, redis);
  const asked = await stopInside(folder, three);
  await redis.kill();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await redis.restart();
  three.kill("SIGTERM");
  Deno.kill(asked, "SIGCONT");
  await three.said(/ is in the queue again: Unit .* its state is saved\./);
  assert.equal((await three.ended).code, 0);

  await using four = worker(folder, redis, "--until_done");
  const ends = await Promise.all([one.ended, four.ended]);
  assert.deepEqual(ends.map(({ code }) => code), [0, 0], `${one.out}${four.out}`);
  const last = await submit(folder, redis);
  assert.equal(last.out, "Nothing was submitted.\n", last.err);
  assert.match(last.err, /^Done: {9}units 0-8\n/);
}

testWithRedis(
  "nine units on two workers, one killed, one asked to end, Redis killed, are those of run_all",
  async (folder, redis) => {
    await planNine(folder);
    const serial = trainSerially(folder);
    try {
      await onTwoWorkers(folder, redis);
    } finally {
      // It must not write to a folder that is removed.
      await serial.finally(() => {});
    }
    const { code, err } = await run(folder, redis, "gather", "plan");
    assert.equal(code, 0, err);
    await assertLikeSerial(folder);
  },
);

testWithRedis(
  "work needs the permissions that its help names; a unit that fails is tried once it is submitted again",
  async (folder, redis) => {
    await prepare(folder, { tasks: ["acl"], planes: ["axial"] });
    const of = { submit: ["submit", "plan", "--engine", "bullmq"], work: ["work", "--until_done"] };
    const least = {
      submit: ["--allow-read=plan", "--allow-write=plan"],
      work: ["--allow-read=plan", "--allow-run"],
    };
    const shared = [`--allow-net=${redis.host}`, "--allow-env"];
    const allowed = (command: "submit" | "work", without?: string) =>
      runCli(folder, [...of[command], "--redis", redis.url], {
        permissions: [LOCK, ...shared, ...least[command]].filter((each) => each !== without),
      });
    for (const command of ["submit", "work"] as const) {
      for (const [flag, named] of [[shared[0], shared[0]], ["--allow-env", "--allow-env"]]) {
        const { code, err } = await allowed(command, flag);
        assert.equal(code, 1);
        assert.match(err, new RegExp(`^Cannot .*: run again with ${named}\n$`));
      }
    }
    assert.equal((await allowed("submit")).code, 0);
    const none = await allowed("work", "--allow-run");
    assert.match(none.err, /\nCannot start a unit: .*: run again with --allow-run\n$/);
    assert.match(none.out, /^Unit 0 \(acl-axial\) of .*plan is in the queue again: Cannot start/);
    assert.equal(none.code, 1);

    const labels = await folder.text("data/train-acl.csv");
    await folder.write("data/train-acl.csv", `${labels}\n`);
    const failed = await allowed("work");
    assert.equal(failed.code, 1, failed.err);
    assert.match(
      failed.out,
      /^Unit 0 \(acl-axial\) of .* has failed: Cannot go on with the plan '.*': the labels .*\n0 units done, 1 failed\n$/,
    );
    await folder.write("data/train-acl.csv", labels);
    assert.match((await allowed("work")).out, /^0 units done\n$/);
    assert.match((await allowed("submit")).out, /: units 0\n$/);
    const done = await allowed("work");
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /^Unit 0 \(acl-axial\) of .* is done\n1 unit done\n$/);
    assert.match(done.err, /\nacl-axial \| epoch 1 \/ 2 /);
  },
);

testWithRedis(
  "a unit whose plan has changed, or is not here, is not done",
  async (folder, redis) => {
    const out = await prepare(folder, { tasks: ["acl"], planes: ["axial"] });
    assert.equal((await submit(folder, redis)).code, 0);
    await Deno.rename(out, folder.at("away"));
    await using here = worker(folder, redis);
    await here.said(
      / is in the queue again: Cannot read the plan '.*plan\.json': there is no such/,
    );
    const text = await folder.text("away/plan.json");
    await folder.write("plan/plan.json", text.replace('"seed": 1', '"seed": 2'));
    await here.said(/ has failed: the plan in '.*plan' is not the one that was submitted: submit/);
    assert.equal((await here.end("SIGTERM")).code, 1);
  },
);

Deno.test("a Redis that is not there, and a lock file without BullMQ, are one line each", async () => {
  await using folder = await TemporaryFolder.make();
  await prepare(folder, { tasks: ["acl"], planes: ["axial"] });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const redis = ["--redis", `redis://me:secret@127.0.0.1:${port}`];
  const absent = await runCli(folder, ["submit", "plan", "--engine", "bullmq", ...redis], {
    permissions: ["-A", LOCK],
  });
  assert.deepEqual([absent.code, absent.out], [1, ""]);
  assert.equal(
    absent.err,
    `Cannot reach Redis at redis://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}: ` +
      "start it there, or give the address of one that runs\n",
  );
  const unlocked = await runCli(folder, ["work", ...redis], { permissions: ["-A"] });
  assert.deepEqual([unlocked.code, unlocked.out], [1, ""]);
  assert.match(
    unlocked.err,
    /^Cannot load BullMQ: it is not in the lock file, .*: run again with --lock=\/.*\/deno\.queue\.lock, behind 'deno run'\n$/,
  );
  const none = await runCli(folder, ["work"], { permissions: ["-A"], env: { REDIS_URL: "" } });
  assert.equal(none.code, 2);
  assert.match(none.err, /arguments are required: --redis \(or the variable REDIS_URL\)\n$/);
});

Deno.test("options that a queue does not take are refused", async () => {
  await using folder = await TemporaryFolder.make();
  const plan = await prepare(folder, { tasks: ["acl"], planes: ["axial"] });
  const redis = "redis://localhost";
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => submitPlan(plan, { engine: "bullmq" }), /without the address of its Redis: give redis:/],
    [() => submitPlan(plan, { engine: "bullmq", redis, print: true }), /^Cannot only print/],
    [
      () => submitPlan(plan, { engine: "bullmq", redis, queue: "a:b" }),
      /a queue of that name: give/,
    ],
    [() => submitPlan(plan, { engine: "bullmq", redis: "x" }), /the address of Redis: it is none/],
    [
      () => submitPlan(plan, { engine: "bullmq", redis, image: "x" }),
      /to BullMQ with image: it has no/,
    ],
    [
      () => submitPlan(plan, { engine: "slurm", redis }),
      /to Slurm with redis: it has no such option/,
    ],
    [() => workOnQueue({ redis, lock: 0 }), /after 0 seconds: give 1 to 3600/],
    [() => workOnQueue({ redis, queue: "" }), /a queue of that name: give/],
    [() => workOnQueue({} as { redis: string }), /without its address: give redis:/],
  ];
  for (const [refused, message] of cases) {
    await assert.rejects(refused(), { name: "OptionError", message });
  }
});

Deno.test("a job that is not one of a unit is none", () => {
  const job = { plan: "p", cwd: "/w", sha256: "0".repeat(64), index: 0, id: "acl-axial" };
  assert.deepEqual(parseUnitJob({ ...job, more: 1 }), job);
  const odd = [
    ...[undefined, null, "job", {}, { ...job, plan: "--allow-net" }, { ...job, plan: "a\nb" }],
    ...[{ ...job, cwd: 1 }, { ...job, sha256: "0" }, { ...job, index: -1 }, { ...job, index: "0" }],
    ...[{ ...job, id: "../x" }, { ...job, id: "" }],
  ];
  for (const data of odd) assert.equal(parseUnitJob(data), undefined, JSON.stringify(data));
});
