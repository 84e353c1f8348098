/**
 * Runs that are killed at random moments and gone on with until they end, as processes of their own.
 *
 * @module
 */
import type { EngineName } from "../../lib/engine/engine.ts";
import { writePhantomDataset } from "../../lib/data/phantom/mod.ts";
import { createRandom } from "../../lib/random.ts";
import { CLI, withoutDriver } from "./cli.ts";
import { onlyRun, outcomeOf, type RunOutcome } from "./run_outcome.ts";

const EPOCHS = 2;
const EXAMS = { train: 3, valid: 2 } as const;

/** How the killed runs came out. */
export interface KillReport {
  /** How many runs there were. */
  runs: number;
  /** How many processes were killed while they ran. */
  kills: number;
  /** Of these, how many before there was a state, so that the run was begun anew. */
  early: number;
  /** The runs whose outcome differed, by number, each with the first thing that did. */
  different: string[];
}

/** What to run, and how often. */
export interface KillOptions {
  /** An empty folder to work in. */
  folder: string;
  engine: EngineName;
  runs: number;
  /** Decides when each process is killed. */
  seed: number;
  onRun?: (report: KillReport) => void;
}

/**
 * Trains once without a stop, then again and again with kills (`SIGKILL`), and compares all that each
 * run leaves with what the first one left.
 */
export async function killAndResume(options: KillOptions): Promise<KillReport> {
  const { folder, engine, runs, seed, onRun } = options;
  const half = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
  const prevalence = { train: half, valid: half };
  const knees = { ...EXAMS, size: 64, slices: [1, 2], seed: 1, prevalence } as const;
  await writePhantomDataset({ folder: `${folder}/data`, ...knees });
  const whole = `${folder}/whole`;
  await Deno.mkdir(whole);
  const first = await _process({ ...options, home: whole }, []);
  if (first.code !== 0) throw new Error(`the run without a stop failed: ${first.err}`);
  const expected = await _outcome(whole);
  const report: KillReport = { runs: 0, kills: 0, early: 0, different: [] };
  // How long a run takes; on a busy machine that changes.
  let length = first.seconds;
  for (let number = 0; report.runs < runs; number++) {
    const home = `${folder}/${number}`;
    await Deno.mkdir(home);
    const random = createRandom(seed, "kill", number);
    let resume: string[] = [];
    const before = report.kills;
    for (let begun = 0;; begun++) {
      // At least one is killed; after it every other one, at some moment from when its engine runs.
      const killed = begun === 0 || random.uniform() < 0.5;
      const after = killed ? random.uniform() * length : undefined;
      const { code, err, seconds } = await _process({ engine, home }, resume, after);
      if (code === 0 && begun === 0) length = seconds;
      if (code === 0) break;
      if (code === undefined) {
        report.kills++;
        resume = ["--resume"];
        continue;
      }
      if (!/start (one|anew) without --resume/.test(err)) throw new Error(err);
      report.early++;
      await Deno.remove(`${home}/logs`, { recursive: true }).catch(() => {});
      resume = [];
    }
    const difference = _difference(await _outcome(home), expected);
    if (difference !== undefined) report.different.push(`run ${number}: ${difference}`);
    // One that ended before it could be killed shows nothing.
    if (report.kills > before) report.runs++;
    onRun?.(report);
    await Deno.remove(home, { recursive: true });
  }
  return report;
}

/** Runs the program; killed so many seconds after its engine has started, its code is undefined. */
async function _process(
  { engine, home }: { engine: EngineName; home: string },
  more: readonly string[],
  killAfter?: number,
): Promise<{ code?: number; err: string; seconds: number }> {
  const own = more.length > 0 ? [] : [
    ...["--weights", "none", "--seed", "1", "--lr", "1e-4", "--epochs", String(EPOCHS)],
    ...["--backend", engine, "--data", "../data"],
  ];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "-A", CLI, "-t", "acl", "-p", "coronal", "--save_every", "0"],
      ...[...own, ...more],
    ],
    cwd: home,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let err = "";
  let begin = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
    err += part;
    if (begin > 0 || !err.includes("Engine:")) continue;
    begin = performance.now();
    if (killAfter === undefined) continue;
    timer = setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }, 1000 * killAfter);
  }
  const { code, signal } = await child.status;
  clearTimeout(timer);
  const seconds = (performance.now() - begin) / 1000;
  return { code: signal === "SIGKILL" ? undefined : code, err: withoutDriver(err), seconds };
}

async function _outcome(home: string): Promise<RunOutcome> {
  return await outcomeOf(await onlyRun(`${home}/logs/acl/coronal`), `${home}/models`);
}

function _difference(actual: RunOutcome, expected: RunOutcome): string | undefined {
  for (const name of Object.keys(expected) as (keyof RunOutcome)[]) {
    const [is, was] = [JSON.stringify(actual[name]), JSON.stringify(expected[name])];
    if (is !== was) return `${name} is ${is}, not ${was}`;
  }
  return undefined;
}
