/**
 * A plan on a real Slurm of two nodes: one of them is lost with its task, another task is put back, and
 * all that comes of it is equal to the bit to the same trainings done serially.
 */
import assert from "node:assert/strict";
import { runCli } from "../../support/cli.ts";
import { TemporaryFolder } from "../../support/folders.ts";
import { assertLikeSerial, planNine, trainSerially } from "../../support/nine_units.ts";
import {
  type RunningUnit,
  SlurmCluster,
  waitFor,
  WHY_LEFT_OUT,
  WITHOUT_SLURM,
} from "../../support/slurm.ts";

/** Submits as a user does. */
async function submit(folder: TemporaryFolder, { env }: SlurmCluster) {
  const permissions = [
    ...["--allow-read=plan", "--allow-write=plan", "--allow-run=sbatch,squeue,scontrol"],
  ];
  return await runCli(folder, ["submit", "plan", "--engine", "slurm"], { permissions, env });
}

/** The log of a unit, of all its restarts. */
async function logOf(folder: TemporaryFolder, task: string): Promise<string> {
  return await folder.text(`plan/slurm/${task}.log`).catch(() => "");
}

/** The tasks of units that are in the middle of their trainings, by their logs. */
async function inTheMiddle(folder: TemporaryFolder): Promise<string[]> {
  const tasks: string[] = [];
  for (const file of await folder.files("plan/slurm")) {
    const task = file.replace(/\.log$/, "");
    const log = await logOf(folder, task);
    if (/^epoch 1 \//m.test(log) && !/^epoch 3 \//m.test(log)) tasks.push(task);
  }
  return tasks;
}

/**
 * Waits for a unit that is in the middle of its training and stops its process there, so that it stays
 * there, however quick the machine is.
 */
async function stopInTheMiddle(
  folder: TemporaryFolder,
  cluster: SlurmCluster,
  except?: RunningUnit,
): Promise<RunningUnit> {
  return await waitFor("a unit that is in the middle of its training", async () => {
    const tasks = (await inTheMiddle(folder)).filter((task) => task !== except?.task);
    if (tasks.length === 0) return undefined;
    for (const unit of await cluster.running()) {
      if (!tasks.includes(unit.task)) continue;
      try {
        Deno.kill(unit.pid, "SIGSTOP");
      } catch {
        continue;
      }
      if ((await inTheMiddle(folder)).includes(unit.task)) return unit;
      Deno.kill(unit.pid, "SIGCONT");
    }
    return undefined;
  }, 20);
}

/** The numbers of the jobs that Slurm knows. */
async function jobsOf(cluster: SlurmCluster): Promise<string[]> {
  const numbers = (await cluster.run("squeue", "-h", "-t", "all", "-o", "%F")).trim().split("\n");
  return [...new Set(numbers)].sort();
}

/** Submits the plan, loses a node, ends a unit, and waits until all is done. */
async function onCluster(folder: TemporaryFolder, cluster: SlurmCluster): Promise<void> {
  const first = await submit(folder, cluster);
  assert.equal(first.code, 0, first.err);
  // A task has a number below MaxArraySize, which is 6. A task that begins takes a job's number, too.
  const submitted = /^job (\d+): units 0-5\njob (\d+): units 6-8\njob (\d+): gather\n$/.exec(
    first.out,
  );
  assert.ok(submitted !== null, first.out);
  const jobs = submitted.slice(1).sort();

  // A node is lost in the middle of an epoch.
  const killed = await stopInTheMiddle(folder, cluster);
  await cluster.killNode(killed.node);
  const stopped = await stopInTheMiddle(folder, cluster, killed);
  const again = await submit(folder, cluster);
  assert.deepEqual([again.code, again.out], [0, "Nothing was submitted.\n"], again.err);
  assert.match(again.err, /^In the queue: units [\d,-]+$/m);
  assert.deepEqual(await jobsOf(cluster), jobs);

  // That unit is told to end, as before a job's time is over; Slurm may say so again.
  for (const _ of ["once", "again"]) Deno.kill(stopped.script, "SIGTERM");
  Deno.kill(stopped.pid, "SIGCONT");
  const log = await waitFor("the restart of the unit that was told to end", async () => {
    const log = await logOf(folder, stopped.task);
    return /restart 1: begins/.test(log) && log;
  });
  assert.match(log, /is not done yet: its state is saved.*\n.* restart 0: exit 75\n/);

  await waitFor("the node to be missed", async () => {
    const state = await cluster.run("sinfo", "-h", "-n", killed.node, "-o", "%t");
    return state.startsWith("down");
  });
  cluster.startNode(killed.node);
  await waitFor("the end of all jobs", async () => await cluster.run("squeue", "-h") === "");
  assert.match(await logOf(folder, killed.task), /restart 1: begins\n/);
  assert.match(
    await logOf(folder, stopped.task),
    /restart 1: begins\n(.*\n)*Goes on after [12] epochs?/,
  );
  const last = await submit(folder, cluster);
  assert.equal(last.out, "Nothing was submitted.\n", last.err);
  assert.match(last.err, /^Done: +units 0-8\nGather: /);
}

Deno.test({
  name: `nine units on two nodes, one of which is killed, are those of run_all${WHY_LEFT_OUT}`,
  ignore: WITHOUT_SLURM,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await planNine(folder);
    await using cluster = await SlurmCluster.start(folder);
    const serial = trainSerially(folder);
    try {
      await onCluster(folder, cluster);
    } finally {
      // It must not write to a folder that is removed.
      await serial.finally(() => {});
    }
    await assertLikeSerial(folder);
  },
});
