/**
 * Runs learn the landmarks of their training exams, keep them, and may map their input to them.
 */
import assert from "node:assert/strict";
import { readExam } from "../../lib/data/exam.ts";
import { landmarksOf, mapToLandmarks } from "../../lib/data/landmarks.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { type RunOptions, type RunResult, trainRun } from "../../lib/train/run.ts";
import { readRunState, writeRunState } from "../../lib/train/run_state.ts";
import { examBytes, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { outcomeOf } from "../support/run_outcome.ts";

await startEngine("wasm");

const EXAMS = { train: ["0000", "0001"], valid: ["0002", "0003"] } as const;
const PATHS = Object.entries(EXAMS).flatMap(([split, ids]) =>
  ids.map((id) => `${split}/coronal/${id}.npy`)
);

function run(folder: TemporaryFolder, more: Partial<RunOptions> = {}): Promise<RunResult> {
  return trainRun({
    ...{ task: "acl", plane: "coronal", weights: "none", engine: "wasm", threads: 2 },
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ seed: 1, epochs: 1, learningRate: 1e-4 },
    ...more,
  });
}

/** Four exams of real numbers in units of their own, with very different histograms. */
async function writeUnits(folder: TemporaryFolder): Promise<void> {
  await writeTinyDataset(folder);
  for (const [index, path] of PATHS.entries()) {
    const value = (i: number) => (i * i * 31 % 1777) ** (1 + index / 4) + 100 * index;
    const data = Float32Array.from({ length: 2 * 64 * 64 }, (_, i) => value(i));
    await folder.write(`data/${path}`, examBytes(data));
  }
}

const readAt = (folder: TemporaryFolder, path: string) => readExam(folder.at(`data/${path}`), path);

Deno.test("a run on any input keeps what its training exams look like", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  let checked: unknown;
  const { checkpoint, logFolder } = await run(folder, {
    onStart: ({ checks }) => checked = [checks?.exams, checks?.total, checks?.positives],
  });
  assert.deepEqual(checked, [2, 2, 1]);
  using loaded = await loadMRNet(checkpoint!);
  const own = await Promise.all(
    PATHS.slice(0, 2).map(async (path) => landmarksOf((await readAt(folder, path)).voxels)!),
  );
  const { percentiles: _, ...landmarks } = loaded.card.landmarks!;
  assert.deepEqual(landmarks, {
    values: own[0].map((value, at) => (value + own[1][at]) / 2),
    ...{ type: "uint8", exams: 2 },
  });
  assert.equal(loaded.card.intensity, "raw");
  const state = await readRunState(`${logFolder}/state.safetensors`);
  assert.deepEqual(state.landmarks, loaded.card.landmarks);
});

Deno.test("a run with landmarks is one on exams that were mapped before", async () => {
  await using folder = await TemporaryFolder.make();
  await writeUnits(folder);
  const { epochs, checkpoint } = await run(folder, { intensity: "landmarks", epochs: 2 });
  using loaded = await loadMRNet(checkpoint!);
  const { landmarks } = loaded.model;
  assert.equal(loaded.model.intensity, "landmarks");
  assert.deepEqual([landmarks!.values[0], landmarks!.values[10]], [0, 255]);
  await using mapped = await TemporaryFolder.make();
  await writeTinyDataset(mapped);
  for (const path of PATHS) {
    const { voxels } = await readAt(folder, path);
    const bytes = mapToLandmarks(voxels, landmarks!, "map") as Uint8Array;
    await mapped.write(`data/${path}`, encodeNpy(bytes, [2, 64, 64]));
  }
  const expected = await run(mapped, { epochs: 2 });
  const numbers = ({ epochs }: Pick<RunResult, "epochs">) =>
    epochs.map(({ trainLoss, valLoss, threshold }) => [trainLoss, valLoss, threshold]);
  assert.deepEqual(numbers({ epochs }), numbers(expected));
});

Deno.test("a run with landmarks goes on with its own, to the bit", async () => {
  await using folder = await TemporaryFolder.make();
  await writeUnits(folder);
  const given = { intensity: "landmarks", epochs: 2 } as const;
  const whole = await run(folder, given);
  const expected = await outcomeOf(whole.logFolder, folder.at("models"));
  for (const each of ["models", "logs"]) await Deno.remove(folder.at(each), { recursive: true });
  const stop = new AbortController();
  const stopped = await run(folder, {
    ...given,
    signal: stop.signal,
    onExam: ({ phase, done }) => phase === "train" && done === 1 && stop.abort(),
  });
  assert.equal(stopped.stopped, "interrupted");
  const starts: unknown[] = [];
  const resumed = await run(folder, {
    ...{ resume: true, epochs: 2 },
    onStart: ({ checks, training }) => starts.push(checks, training.intensity),
  });
  assert.deepEqual(starts, [undefined, "landmarks"]);
  assert.deepEqual(await outcomeOf(resumed.logFolder, folder.at("models")), expected);
});

Deno.test("a state of an earlier version learns the landmarks when it goes on", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  const first = await run(folder);
  using before = await loadMRNet(first.checkpoint!);
  const path = `${first.logFolder}/state.safetensors`;
  const { landmarks, ...state } = await readRunState(path);
  await writeRunState(path, state);
  const again = await run(folder, { resume: true, epochs: 2 });
  assert.equal(again.epochs.length, 2);
  assert.deepEqual((await readRunState(path)).landmarks, landmarks);
  assert.deepEqual(before.card.landmarks, landmarks);
});

Deno.test("weights that know landmarks are trained further with these", async () => {
  await using folder = await TemporaryFolder.make();
  await writeUnits(folder);
  const { checkpoint } = await run(folder, { intensity: "landmarks" });
  using start = await loadMRNet(checkpoint!);
  await writeTinyDataset(folder);
  const further = await run(folder, { weights: checkpoint!, logs: folder.at("more") });
  using loaded = await loadMRNet(further.checkpoint!);
  assert.equal(loaded.model.intensity, "landmarks");
  assert.deepEqual(loaded.card.landmarks, start.card.landmarks);
});

Deno.test("exams without contrast have no landmarks: a run that needs them says so at once", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  const black = examBytes(new Uint8Array(2 * 64 * 64));
  for (const path of PATHS) await folder.write(`data/${path}`, black);
  await assert.rejects(run(folder, { intensity: "landmarks", anyRange: true }), {
    name: "DataError",
    message: /^Cannot learn the landmarks of the training exams: of each of the 2 that were read/,
  });
  await assert.rejects(run(folder, { intensity: "landmarks" }), {
    name: "DataError",
    message:
      /^Cannot train on '.*0000\.npy': the 0\.5th and the 99\.7th percentile of its grey values/,
  });
  const raw = await run(folder);
  using loaded = await loadMRNet(raw.checkpoint!);
  assert.equal(loaded.card.landmarks, undefined);
});
