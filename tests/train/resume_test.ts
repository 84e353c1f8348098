/**
 * A run that was stopped goes on to the bit: from every exam of it, on every engine.
 */
import assert from "node:assert/strict";
import { writePhantomDataset } from "../../lib/phantom/mod.ts";
import type { EngineName } from "../../lib/engine/engine.ts";
import { type RunOptions, type RunResult, trainRun } from "../../lib/train/run.ts";
import { onEachEngine } from "../support/engines.ts";
import { copyFolder, TemporaryFolder } from "../support/folders.ts";
import { outcomeOf } from "../support/run_outcome.ts";

/** How long a run is. Plain JavaScript takes seconds an exam: it has a test of its own. */
const LENGTH = { train: 3, valid: 2, epochs: 2 } as const;
const engines: EngineName[] = ["webgpu", "wasm"];

async function makeKnees(folder: TemporaryFolder): Promise<void> {
  const { train, valid } = LENGTH;
  const balanced = { abnormal: 0.5, acl: 0.5, meniscus: 0.5 };
  const prevalence = { train: balanced, valid: balanced };
  // Exams of different lengths: memory that is laid out for the longest one must not matter.
  const knees = { train, valid, size: 64, slices: [1, 3], seed: 4, prevalence } as const;
  await writePhantomDataset({ folder: folder.at("data"), ...knees });
}

function begin(
  folder: TemporaryFolder,
  engine: EngineName,
  more: Partial<RunOptions> = {},
): Promise<RunResult> {
  return trainRun({
    ...{ task: "acl", plane: "axial", weights: "none", seed: 5, learningRate: 1e-4 },
    ...{ schedule: "plateau", plateauPatience: 0, patience: 9, epochs: LENGTH.epochs },
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ brightness: 0.2, contrast: 0.2, logGamma: 0.3, noiseStd: 0.05, biasField: 0.3 },
    ...{ engine, threads: 2 },
    ...more,
  });
}

function goOn(folder: TemporaryFolder, more: Partial<RunOptions> = {}): Promise<RunResult> {
  const which = { task: "acl", plane: "axial" } as const;
  const folders = { models: folder.at("models"), logs: folder.at("logs") };
  return trainRun({ ...which, ...folders, resume: true, ...more });
}

/** What a run has left and has answered, without its times. */
async function come(folder: TemporaryFolder, { epochs, best, logFolder, ...rest }: RunResult) {
  const { stopped, seed } = rest;
  const without = epochs.map(({ seconds: _, ...report }) => report);
  const outcome = await outcomeOf(logFolder, folder.at("models"));
  return { ...outcome, epochs: without, best: best?.epoch, stopped, seed };
}

async function clear(folder: TemporaryFolder): Promise<void> {
  for (const name of ["models", "logs"]) await Deno.remove(folder.at(name), { recursive: true });
}

onEachEngine(
  "from every exam of a run it goes on to the same end, bit for bit",
  async ({ engine }) => {
    await using folder = await TemporaryFolder.make();
    await makeKnees(folder);
    const expected = await come(folder, await begin(folder, engine));
    const { train, valid, epochs } = LENGTH;
    assert.equal(expected.scalars.length, epochs * (2 * (train + valid) + 2));
    await clear(folder);
    // The folders as a kill would leave them, after the exam and before the state is saved anew.
    const moments: string[] = [];
    const photograph = (name: string) => {
      moments.push(name);
      for (const each of ["models", "logs"]) copySync(folder.at(each), folder.at(name, each));
    };
    const saving = await begin(folder, engine, {
      saveEvery: 0,
      onExam: ({ phase, epoch, done }) => photograph(`${epoch}-${phase}-${done}`),
      onEpoch: ({ epoch }) => photograph(`${epoch}-end`),
    });
    assert.deepEqual(await come(folder, saving), expected, "saving changes nothing");
    assert.equal(moments.length, epochs * (train + valid + 1));
    for (const moment of moments) {
      await clear(folder);
      for (const each of ["models", "logs"]) {
        await copyFolder(folder.at(moment, each), folder.at(each));
      }
      const result = await goOn(folder);
      assert.deepEqual(await come(folder, result), expected, `from ${moment} on`);
    }
  },
  { engines },
);

onEachEngine(
  "a signal at any exam saves the state, and the run goes on from there",
  async ({ engine }) => {
    await using folder = await TemporaryFolder.make();
    await makeKnees(folder);
    const expected = await come(folder, await begin(folder, engine));
    const { train, valid } = LENGTH;
    const cases = [["train", 1], ["train", train], ["valid", 1], ["valid", valid]] as const;
    for (const [phase, done] of cases) {
      await clear(folder);
      const stop = new AbortController();
      const stopped = await begin(folder, engine, {
        signal: stop.signal,
        onExam: (at) => at.epoch === 1 && at.phase === phase && at.done === done && stop.abort(),
      });
      assert.equal(stopped.stopped, "interrupted");
      let resumed: unknown;
      const seen: string[] = [];
      const result = await goOn(folder, {
        onStart: (start) => resumed = start.resumed,
        onExam: ({ phase, epoch, done }) => seen.push(`${epoch} ${phase} ${done}`),
      });
      assert.deepEqual(await come(folder, result), expected, `stopped at ${phase} ${done}`);
      assert.ok(!seen.includes(`1 ${phase} ${done}`), "nothing is done twice");
      if (engine !== "webgpu") {
        const counts = phase === "train" ? { train: done, valid: 0 } : { train, valid: done };
        const whole = phase === "valid" && done === valid;
        assert.deepEqual(resumed, {
          state: `${result.logFolder}/state.safetensors`,
          epochs: whole ? 1 : 0,
          done: whole ? { train: 0, valid: 0 } : counts,
          elsewhere: undefined,
        });
      }
    }
  },
  { engines },
);

/** `copyFolder` for a callback that nobody waits for. */
function copySync(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copySync(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
