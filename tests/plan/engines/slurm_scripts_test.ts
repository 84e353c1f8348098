/** What the scripts of Slurm do with a unit's exit codes and with a TERM, without Slurm and Deno. */
import assert from "node:assert/strict";
import { gatherScript, MAX_RESTARTS, unitScript } from "../../../lib/plan/engines/slurm_scripts.ts";
import { TemporaryFolder } from "../../support/folders.ts";

/** Instead of Deno: it writes down its arguments and exits as it is told, or waits for a TERM. */
const DENO = `cd "$(dirname "$0")"
printf '%s\\n' "$@" > arguments
trap 'echo TERM >> terms; sleep 0.5; exit 75' TERM
if [ -e waits ]; then
  touch began
  while :; do sleep 0.05; done
fi
code=$(cat code)
[ "$code" -lt 128 ] || { trap - TERM; kill -TERM $$; sleep 9; }
exit "$code"`;

const SCONTROL = `cd "$(dirname "$0")"
if [ "$1" = show ]; then echo "JobId=7 JobName=x"; echo "   JobState=$(cat state) Reason=None"
else echo "$@" >> requeued; exit "$(cat answer)"; fi`;

/** How a script is run. */
interface Case {
  /** What Deno exits with; it waits for a TERM if there is none. */
  code?: number;
  /** What Slurm says that the task is. */
  state?: string;
  /** What `scontrol requeue` exits with. */
  answer?: number;
  restarts?: number;
}

/** A script in a folder with a name that shells and Slurm would take apart. */
async function prepare(folder: TemporaryFolder): Promise<void> {
  const programs = { "my deno": DENO, scontrol: SCONTROL };
  for (const [name, does] of Object.entries(programs)) {
    await folder.write(`bin/${name}`, `#!/usr/bin/env bash\n${does}\n`);
    await Deno.chmod(folder.at("bin", name), 0o755);
  }
  const options = {
    ...{ folder: `my "100%a" plan's`, name: "mrnet-0", threads: 3, cli: "/a b/cli.ts" },
    ...{ deno: folder.at("bin/my deno"), logs: `my "100%a" plan's/slurm` },
  };
  await folder.write("unit.sbatch", unitScript(options));
  await folder.write("gather.sbatch", gatherScript(options));
}

/** Runs the script of a unit as task 2 of the second array. */
async function run(
  folder: TemporaryFolder,
  { code, state = "RUNNING", answer = 0, restarts }: Case,
  meanwhile?: (script: Deno.ChildProcess) => Promise<void>,
): Promise<{ code: number; out: string; requeued: string }> {
  for (const name of ["requeued", "waits", "terms", "began"]) {
    await Deno.remove(folder.at("bin", name)).catch(() => {});
  }
  await folder.write(`bin/${code === undefined ? "waits" : "code"}`, `${code}`);
  await folder.write("bin/state", state);
  await folder.write("bin/answer", `${answer}`);
  const script = new Deno.Command("bash", {
    args: [folder.at("unit.sbatch"), "6"],
    env: {
      ...{ SLURM_SUBMIT_DIR: folder.path, SLURM_ARRAY_JOB_ID: "5", SLURM_ARRAY_TASK_ID: "2" },
      ...{ SLURM_JOB_ID: "7", SLURMD_NODENAME: "n1", PATH: `${folder.at("bin")}:/usr/bin:/bin` },
      ...(restarts !== undefined && { SLURM_RESTART_COUNT: `${restarts}` }),
    },
    stdout: "piped",
  }).spawn();
  await meanwhile?.(script);
  const { code: exited, stdout } = await script.output();
  const requeued = await folder.text("bin/requeued").catch(() => "");
  return { code: exited, out: new TextDecoder().decode(stdout), requeued };
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "a unit's exit code is the task's, except that one that comes again is put back",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await prepare(folder);
    for (const code of [0, 1, 2, 120]) {
      const outcome = await run(folder, { code });
      assert.deepEqual([outcome.code, outcome.requeued], [code, ""], outcome.out);
    }
    assert.equal(
      await folder.text("bin/arguments"),
      `run\n--cached-only\n-A\n/a b/cli.ts\nunit\nmy "100%a" plan's\n--index\n8\n`,
    );
    // Saved, or ended before Deno listened.
    for (const code of [75, 143]) {
      const { requeued, ...outcome } = await run(folder, { code, restarts: MAX_RESTARTS - 1 });
      // Not the job's own number, which may be that of the whole array.
      assert.equal(requeued, "requeue 5_2\n");
      assert.equal(outcome.code, 0, outcome.out);
    }
    const often = await run(folder, { code: 75, restarts: MAX_RESTARTS });
    assert.deepEqual([often.code, often.requeued], [75, ""]);
    assert.match(often.out, /unit 8 on n1, restart 100: not done after 100 restarts\n$/);
    // Cancelled by the user, or put back by Slurm itself.
    for (const state of ["COMPLETING", "CANCELLED", "PENDING"]) {
      const ended = await run(folder, { code: 75, state });
      assert.deepEqual([ended.code, ended.requeued], [75, ""], state);
    }
    assert.equal((await run(folder, { code: 75, answer: 1 })).code, 75);
  },
});

Deno.test({
  name: "a TERM is handed on once, and its unit put back when it is saved",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await prepare(folder);
    const outcome = await run(folder, {}, async (script) => {
      while (await Deno.stat(folder.at("bin/began")).catch(() => undefined) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      script.kill("SIGTERM");
      while (await Deno.stat(folder.at("bin/terms")).catch(() => undefined) === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      script.kill("SIGTERM");
    });
    assert.deepEqual([outcome.code, outcome.requeued], [0, "requeue 5_2\n"], outcome.out);
    assert.match(outcome.out, /restart 0: begins\n.*restart 0: exit 75\n$/);
    assert.equal(await folder.text("bin/terms"), "TERM\n");
  },
});

Deno.test("paths of a plan are quoted, for the shell and for Slurm", async () => {
  await using folder = await TemporaryFolder.make();
  await prepare(folder);
  const [unit, gather] = [await folder.text("unit.sbatch"), await folder.text("gather.sbatch")];
  assert.match(unit, /^#SBATCH --output="my \\"100%%a\\" plan's\/slurm\/%A_%a\.log"$/m);
  assert.match(gather, /^#SBATCH --output="my \\"100%%a\\" plan's\/slurm\/gather-%j\.log"$/m);
  assert.match(unit, /^#SBATCH --cpus-per-task=3$/m);
  assert.match(gather, / gather 'my "100%a" plan'\\''s'\n$/);
});
