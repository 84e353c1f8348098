/**
 * A training on a disk that fails or loses what was not flushed: what it leaves must be whole, and
 * what it had saved must go on to the end of a run that nothing happened to.
 */
import { startEngine } from "../../../lib/engine/engine.ts";
import { writePhantomDataset } from "../../../lib/phantom/mod.ts";
import { messageOf, MRNetError } from "../../../lib/errors.ts";
import { isAside } from "../../../lib/files.ts";
import { isLockFile } from "../../../lib/logs/run_lock.ts";
import { CONFIG_FILE } from "../../../lib/train/run_config.ts";
import { createRandom } from "../../../lib/random.ts";
import { readRunState, STATE_FILE } from "../../../lib/train/run_state.ts";
import { type RunOptions, trainRun } from "../../../lib/train/run.ts";
import { outcomeOf, type RunOutcome } from "../run_outcome.ts";
import { type Failure, record, type Recorded } from "./recorder.ts";
import { type Found, hashOfBytes, lay, LOSSES, lostAfter, wholeContents } from "./power.ts";
import { readEvents } from "../events.ts";
import { decodeRunState, decodeSafetensors } from "../weights.ts";

/** The folders that a training writes. */
const WRITTEN = ["models", "logs"];

/** How far a state must be, at least: what the program had said to be behind it. */
interface Saved {
  epochs: number;
  train: number;
  valid: number;
}

/** What came of many losses of power, or of many failures. */
export interface DiskReport {
  /** How many operations there were to fail at. */
  operations: number;
  /** How many different disks were looked at. */
  tried: number;
  /** From how many of them a run went on to its end. */
  wentOn: number;
  /** What was wrong, a line each. */
  faults: string[];
}

/** Which of all to try. */
export interface DiskOptions {
  /** An empty folder to work in. */
  folder: string;
  /** At most so many, drawn from all. */
  most?: number;
  seed: number;
  /** Save the state after every exam, and not only at the epochs' ends. */
  everyExam?: boolean;
  /** As if the program had never flushed these, which must be found. */
  without?: "sync" | "syncNames";
  onTried?: (report: DiskReport) => void;
}

/** Loses the power at every operation of a training, in each of the ways of {@linkcode LOSSES}. */
export async function losePower(options: DiskOptions): Promise<DiskReport> {
  const training = await _Training.make(options);
  const recorded = {
    ...training.recorded,
    operations: training.recorded.operations.filter(({ kind }) => kind !== options.without),
  };
  const whole = await wholeContents(recorded);
  const count = recorded.operations.length;
  const report: DiskReport = { operations: count, tried: 0, wentOn: 0, faults: [] };
  const all = Array.from({ length: count + 1 }, (_, at) => LOSSES.map((loss) => ({ at, loss })))
    .flat();
  const seen = new Set<string>();
  for (const { at, loss } of _drawn(all, options)) {
    const random = createRandom(options.seed, "power", at, loss);
    const found = lostAfter(recorded, at, loss, random);
    const key = `${found.said} ${found.key}`;
    if (seen.has(key)) continue;
    seen.add(key);
    await lay(found, options.folder, WRITTEN);
    const fault = await _notWhole(found, whole) ??
      await training.goOn(found.said === undefined ? undefined : JSON.parse(found.said), report);
    report.tried++;
    if (fault !== undefined) report.faults.push(`power lost after ${at}, ${loss}: ${fault}`);
    options.onTried?.(report);
  }
  return report;
}

/** Lets every operation of a training fail, once alone and once with all that need room after it. */
export async function failWrites(options: DiskOptions): Promise<DiskReport> {
  const training = await _Training.make(options);
  const { count } = training.recorded;
  const report: DiskReport = { operations: count, tried: 0, wentOn: 0, faults: [] };
  const all = Array.from(
    { length: count },
    (_, at) => [true, false].map((lasting) => ({ at, lasting })),
  )
    .flat();
  for (const failure of _drawn(all, options)) {
    const recorded = await training.run(failure);
    const fault = await training.afterFailure(recorded, report);
    report.tried++;
    const { at, lasting } = failure;
    if (fault !== undefined) {
      const what = `operation ${at}${lasting ? " and all after it" : ""} (${recorded.failed})`;
      report.faults.push(`${what} failed: ${fault}`);
    }
    options.onTried?.(report);
  }
  return report;
}

/** So many of all, in their order. */
function _drawn<T>(all: readonly T[], { most = all.length, seed }: DiskOptions): T[] {
  const random = createRandom(seed, "drawn");
  const keyed = all.map((each, at) => ({ each, at, key: random.uniform() }));
  const chosen = keyed.sort((a, b) => a.key - b.key).slice(0, most);
  return chosen.sort((a, b) => a.at - b.at).map(({ each }) => each);
}

/** A file that has its name is one that was written whole. */
async function _notWhole(
  { files }: Found,
  whole: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<string | undefined> {
  for (const [path, bytes] of files) {
    const name = path.replace(/^.*\//, "");
    // Those that are being written say so by their names; events grow under theirs.
    if (isAside(name) || isLockFile(name) || name.startsWith("events.")) continue;
    const known = whole.get(name)?.has(await hashOfBytes(bytes as Uint8Array<ArrayBuffer>));
    if (!known) return `'${path}' is not whole, ${bytes.length} bytes`;
  }
  return undefined;
}

class _Training {
  readonly #options: RunOptions;
  readonly #folder: string;
  readonly #everyExam: boolean;
  recorded!: Recorded<unknown>;
  #expected!: RunOutcome;

  private constructor({ folder, everyExam = false }: DiskOptions) {
    this.#folder = folder;
    this.#everyExam = everyExam;
    this.#options = {
      ...{ task: "acl", plane: "coronal", weights: "none", engine: "wasm", threads: 1, seed: 8 },
      ...{ epochs: 2, learningRate: 1e-3, augment: false, saveEvery: everyExam ? 0 : 10 },
      data: `${folder}/data`,
      models: `${folder}/models`,
      logs: `${folder}/logs`,
    };
  }

  /** Trains once without a failure. */
  static async make(options: DiskOptions): Promise<_Training> {
    await startEngine("wasm");
    const equal = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
    const knees = { train: 4, valid: 4, size: 64, slices: [1, 2], seed: 1 } as const;
    const prevalence = { train: equal, valid: equal };
    await writePhantomDataset({ folder: `${options.folder}/data`, ...knees, prevalence });
    const training = new _Training(options);
    training.recorded = await training.run();
    const { outcome } = training.recorded;
    if ("error" in outcome) throw outcome.error;
    training.#expected = await training.#outcome();
    // A model that replaces an earlier one is what matters most.
    const removes = training.recorded.operations.some((operation) =>
      operation.kind === "names" &&
      operation.names.some(([name, of]) => of === undefined && name.endsWith(".safetensors"))
    );
    if (!removes) throw new Error("the second epoch of this training is no better than the first");
    return training;
  }

  /** Trains, and records what it does to the disk. */
  async run(failure?: Failure): Promise<Recorded<unknown>> {
    for (const name of WRITTEN) {
      await Deno.remove(`${this.#folder}/${name}`, { recursive: true }).catch(() => {});
    }
    return await record(this.#folder, async (say) => {
      const told = (saved: Saved) => say(JSON.stringify(saved));
      return await trainRun({
        ...this.#options,
        // What was before this exam is saved when it is told.
        onExam: ({ phase, epoch, done }) => {
          if (!this.#everyExam) return told({ epochs: epoch - 1, train: 0, valid: 0 });
          const train = phase === "train" ? done - 1 : 4;
          told({ epochs: epoch - 1, train, valid: phase === "train" ? 0 : done - 1 });
        },
        onEpoch: ({ epoch }) => told({ epochs: epoch, train: 0, valid: 0 }),
      });
    }, failure);
  }

  /** What is wrong with going on from what is there. */
  async goOn(saved: Saved | undefined, report: DiskReport): Promise<string | undefined> {
    const run = await this.#onlyRun();
    const state = run === undefined
      ? undefined
      : await readRunState(`${run}/${STATE_FILE}`).catch(() => undefined);
    if (saved !== undefined) {
      if (state === undefined) return `no state, though it had said ${JSON.stringify(saved)}`;
      const { epochs, train, valid } = state.progress;
      const is = [epochs.length, train.length, valid.length];
      const [first] = is.map((value, at) => value - [saved.epochs, saved.train, saved.valid][at])
        .filter((difference) => difference !== 0);
      if (first < 0) return `the state is at ${is}, though it had said ${JSON.stringify(saved)}`;
    }
    const { data, models, logs } = this.#options;
    const which = { task: "acl", plane: "coronal", data, models, logs } as const;
    try {
      await trainRun({ ...which, resume: true });
    } catch (error) {
      if (!(error instanceof MRNetError)) return `a fault of the toolkit: ${messageOf(error)}`;
      // Nothing was promised before the first state.
      return saved === undefined && state === undefined
        ? undefined
        : `it does not go on: ${messageOf(error)}`;
    }
    report.wentOn++;
    const outcome = await this.#outcome();
    for (const name of Object.keys(outcome) as (keyof RunOutcome)[]) {
      const [is, was] = [outcome, this.#expected].map((each) => JSON.stringify(each[name]));
      if (is !== was) return `it went on to other ${name}: ${is}, not ${was}`;
    }
    return undefined;
  }

  /** What is wrong with what a training left that an operation failed in. */
  async afterFailure(recorded: Recorded<unknown>, report: DiskReport): Promise<string | undefined> {
    const { outcome } = recorded;
    if ("error" in outcome) {
      const { error } = outcome;
      if (!(error instanceof MRNetError)) return `a fault of the toolkit: ${messageOf(error)}`;
      if (messageOf(error) !== error.message) return `not one line: ${error.message}`;
    }
    const random = createRandom(0, "all");
    const found = lostAfter(recorded, recorded.operations.length, "all", random);
    const incomplete = [...found.files.keys()].find((path) => isAside(path.replace(/^.*\//, "")));
    // A file that cannot be removed stays.
    if (incomplete !== undefined && !recorded.failed?.startsWith("remove")) {
      return `'${incomplete}' was left`;
    }
    const fault = this.#unreadable(found);
    if (fault !== undefined) return fault;
    const { said } = found;
    return await this.goOn(said === undefined ? undefined : JSON.parse(said), report);
  }

  /** A file that cannot be read to its end; its bytes are not those of the run without a failure. */
  #unreadable({ files }: Found): string | undefined {
    for (const [path, bytes] of files) {
      try {
        if (path.endsWith(STATE_FILE)) decodeRunState(bytes, path);
        else if (path.endsWith(".safetensors")) decodeSafetensors(bytes, path);
        else if (path.endsWith(CONFIG_FILE)) JSON.parse(new TextDecoder().decode(bytes));
        else if (path.endsWith("history.csv") && bytes.at(-1) !== 10) return `'${path}' is cut off`;
        else if (path.includes("/events.")) readEvents(bytes, path);
      } catch (error) {
        return `'${path}' is not whole: ${messageOf(error)}`;
      }
    }
    return undefined;
  }

  async #outcome(): Promise<RunOutcome> {
    return await outcomeOf((await this.#onlyRun())!, `${this.#folder}/models`);
  }

  async #onlyRun(): Promise<string | undefined> {
    const folder = `${this.#folder}/logs/acl/coronal`;
    try {
      const [run] = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
      return run && `${folder}/${run}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }
}
