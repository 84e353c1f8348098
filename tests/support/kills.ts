/**
 * Runs that are killed at random moments and gone on with until they end, as processes of their own.
 */
import type { EngineName } from "../../lib/engine/engine.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import { createRandom } from "../../lib/random.ts";
import { CLI, withoutDriver } from "./cli.ts";
import { onlyRun, outcomeOf, type RunOutcome } from "./run_outcome.ts";

/** Few and small exams, so that a run takes seconds; two of each class to train on. */
const EXAMS = { train: 4, valid: 3 } as const;
/** Of these, what cannot be read when a run begins, and what only when its turn comes. */
const BROKEN = {
  missing: "train/coronal/0000",
  late: ["train/coronal/0003", "valid/coronal/0004"],
};

/** The kinds of run, each with what it is asked for beside what all are. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  plain: [],
  stanford: ["--recipe", "stanford"],
  tune: ["--tune", "0.5"],
  // The rate falls behind the third epoch.
  step: ["--lr_scheduler", "step", "--gamma", "0.1", "--epochs", "4"],
  broken: ["--skip_bad_exams", "1", "--data", "../broken"],
};

/** How often the state is saved: after every exam, or at the epochs' ends alone. */
const SAVE_EVERY = ["0", "10"];

/** How many kills come before the engine runs, as a share of all. */
const EARLY = 0.25;

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
  /** Decides of which kind each run is and when each process is killed. */
  seed: number;
  onRun?: (report: KillReport) => void;
}

/** A run without a stop: what it leaves, and how long it takes, in seconds. */
interface Whole {
  outcome: RunOutcome;
  /** Until its engine runs. */
  start: number;
  /** From then on. */
  length: number;
}

/**
 * Trains each kind of run once without a stop, then again and again with kills (`SIGKILL`), and
 * compares all that each run leaves with what the one of its kind left.
 */
export async function killAndResume(options: KillOptions): Promise<KillReport> {
  const { folder, engine, runs, seed, onRun } = options;
  for (const name of ["data", "broken"]) await _writeExams(`${folder}/${name}`);
  await _breakExams(`${folder}/broken`);
  const whole = new Map<string, Whole>();
  const report: KillReport = { runs: 0, kills: 0, early: 0, different: [] };
  for (let number = 0; report.runs < runs; number++) {
    const random = createRandom(seed, "kill", number);
    const kinds = Object.keys(KINDS);
    const kind = kinds[random.integer(kinds.length)];
    const saveEvery = SAVE_EVERY[random.integer(SAVE_EVERY.length)];
    const expected = whole.get(kind) ?? await _whole(`${folder}/whole-${kind}`, engine, kind);
    whole.set(kind, expected);
    const home = `${folder}/${number}`;
    await Deno.mkdir(home);
    const save = ["--save_every", saveEvery];
    let resume = false;
    const before = report.kills;
    for (let begun = 0;; begun++) {
      // At least one is killed; after it every other one.
      const killed = begun === 0 || random.uniform() < 0.5;
      const [early, share] = [random.uniform() < EARLY, random.uniform()];
      const kill = early ? { start: share * expected.start } : { run: share * expected.length };
      const args = resume ? ["--resume"] : _begin(engine, kind);
      const come = await _process(home, [...save, ...args], killed ? kill : undefined);
      // On a busy machine that changes.
      if (come.code === 0 && begun === 0) Object.assign(expected, come.seconds);
      if (come.code === 0) break;
      if (come.code === undefined) {
        report.kills++;
        resume = true;
        continue;
      }
      if (!/there is none in|has no state\.safetensors/.test(come.err)) throw new Error(come.err);
      report.early++;
      await Deno.remove(`${home}/logs`, { recursive: true }).catch(() => {});
      resume = false;
    }
    const difference = _difference(await _outcome(home), expected.outcome);
    if (difference !== undefined) {
      report.different.push(`run ${number}, ${kind}, --save_every ${saveEvery}: ${difference}`);
    }
    // One that ended before it could be killed shows nothing.
    if (report.kills > before) report.runs++;
    onRun?.(report);
    await Deno.remove(home, { recursive: true });
  }
  return report;
}

async function _writeExams(folder: string): Promise<void> {
  const equal = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
  const prevalence = { train: equal, valid: equal };
  const knees = { ...EXAMS, size: 64, slices: [1, 2], seed: 1, prevalence } as const;
  await writePhantomDataset({ folder, ...knees });
}

async function _breakExams(folder: string): Promise<void> {
  await Deno.remove(`${folder}/${BROKEN.missing}.npy`);
  // The header is that of an exam, so that nothing is noticed before it is read.
  const bytes = encodeNpy(new Float32Array(64 * 64).fill(NaN), [1, 64, 64]);
  for (const name of BROKEN.late) await Deno.writeFile(`${folder}/${name}.npy`, bytes);
}

async function _whole(home: string, engine: EngineName, kind: string): Promise<Whole> {
  await Deno.mkdir(home);
  const { code, err, seconds } = await _process(home, _begin(engine, kind));
  if (code !== 0) throw new Error(`the ${kind} run without a stop failed: ${err}`);
  return { outcome: await _outcome(home), ...seconds };
}

/** What a run is begun with. One thread is the quickest with exams as small as these. */
function _begin(engine: EngineName, kind: string): string[] {
  return [
    ...["--weights", "none", "--seed", "1", "--lr", "1e-4", "--epochs", "2", "--data", "../data"],
    ...["--backend", engine, ...(engine === "wasm" ? ["--threads", "1"] : []), ...KINDS[kind]],
  ];
}

/**
 * Runs the program; killed so many seconds after its start, or after its engine runs, its code is
 * undefined.
 */
async function _process(
  home: string,
  args: readonly string[],
  kill: { start?: number; run?: number } = {},
): Promise<{ code?: number; err: string; seconds: Pick<Whole, "start" | "length"> }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", CLI, "-t", "acl", "-p", "coronal", ...args],
    cwd: home,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const spawned = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const killAfter = (seconds?: number) => {
    if (seconds === undefined) return;
    timer = setTimeout(() => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }, 1000 * seconds);
  };
  killAfter(kill.start);
  let err = "";
  let began: number | undefined;
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    err += chunk;
    if (began !== undefined || !err.includes("Engine:")) continue;
    began = performance.now();
    killAfter(kill.run);
  }
  const { code, signal } = await child.status;
  clearTimeout(timer);
  const end = performance.now();
  const seconds = {
    start: ((began ?? end) - spawned) / 1000,
    length: (end - (began ?? end)) / 1000,
  };
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
