/**
 * A run that goes wrong says where and with what it can go on; one that may leave out what cannot be
 * read goes on and says what that was.
 */
import assert from "node:assert/strict";
import { openDataset } from "../../lib/data/dataset.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { type RunOptions, type RunResult, trainRun } from "../../lib/train/run.ts";
import { runScript } from "../support/cli.ts";
import { examBytes, TemporaryFolder, voxels } from "../support/folders.ts";
import { outcomeOf } from "../support/run_outcome.ts";

await startEngine("wasm");

type More = Partial<RunOptions>;
const WHICH = { task: "acl", plane: "coronal" } as const;
const TRAIN = ["0000", "0001", "0002", "0003", "0004"];
const VALID = ["0010", "0011", "0012"];

/** Five exams to train on, three to validate on; the odd ones show the finding. */
async function withExams(body: (folder: TemporaryFolder) => Promise<void>): Promise<void> {
  await using folder = await TemporaryFolder.make();
  for (const [split, ids] of [["train", TRAIN], ["valid", VALID]] as const) {
    await folder.write(
      `data/${split}-acl.csv`,
      ids.map((id) => `${id},${Number(id) % 2}\n`).join(""),
    );
    for (const id of ids) await folder.write(file(split, id), bytesOf(id));
  }
  await body(folder);
}

function file(split: string, id: string): string {
  return `data/${split}/coronal/${id}.npy`;
}

function bytesOf(id: string): Uint8Array {
  return examBytes(voxels(Number(id) % 2 as 0 | 1, 2 * 64 * 64));
}

function begin(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  return trainRun({
    ...{ ...WHICH, data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ weights: "none", engine: "wasm", threads: 1, seed: 1, epochs: 2, learningRate: 1e-4 },
    ...{ shuffle: false },
    ...more,
  });
}

function goOn(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  const folders = { models: folder.at("models"), logs: folder.at("logs") };
  return trainRun({ ...WHICH, ...folders, resume: true, ...more });
}

async function clear(folder: TemporaryFolder): Promise<void> {
  for (const name of ["models", "logs"]) await Deno.remove(folder.at(name), { recursive: true });
}

async function stateOf(folder: TemporaryFolder): Promise<string> {
  const names = await folder.files("logs");
  return folder.at("logs", names.find((name) => name.endsWith("state.safetensors"))!);
}

Deno.test("an exam that breaks mid-run stops it with exam, step and state, and nothing is lost", () =>
  withExams(async (folder) => {
    const whole = await begin(folder);
    const expected = await outcomeOf(whole.logFolder, folder.at("models"));
    for (
      const [split, id, number, step] of [["train", "0003", 4, 9], [
        "valid",
        "0011",
        2,
        10,
      ]] as const
    ) {
      await clear(folder);
      const path = file(split, id);
      const failing = begin(folder, {
        onEpoch: ({ epoch }) =>
          epoch === 1 && Deno.writeFileSync(folder.at(path), bytesOf(id).subarray(0, 500)),
      });
      const error = await failing.then(() => assert.fail(), (error: Error) => error);
      assert.equal(error.name, "DataError");
      const [kept] = await folder.files("models");
      const total = split === "train" ? 5 : 3;
      const use = split === "train" ? "train" : "validate";
      assert.ok(error.message.includes(`${id}.npy`), error.message);
      assert.ok(
        error.message.endsWith(
          `; stopped in epoch 2, step ${step}, at exam '${id}', ${number} of ${total} to ${use} on; ` +
            `go on with --resume '${await stateOf(folder)}'; ` +
            `the best model so far is kept in '${folder.at("models", kept)}'`,
        ),
        error.message,
      );
      // As long as it is broken it stops there again; once it is repaired the end is the same.
      await assert.rejects(goOn(folder), /Cannot use 1 of the \d exams/);
      await folder.write(path, bytesOf(id));
      let resumed: unknown;
      const result = await goOn(folder, { onStart: (start) => resumed = start.resumed?.done });
      const done = split === "train" ? { train: 3, valid: 0 } : { train: 5, valid: 1 };
      assert.deepEqual(resumed, done);
      assert.deepEqual(await outcomeOf(result.logFolder, folder.at("models")), expected);
    }
  }));

Deno.test("with skipBadExams a run goes on without them, and says which and why", () =>
  withExams(async (folder) => {
    // One is not there, one is broken, one breaks in the second epoch.
    await Deno.remove(folder.at(file("train", "0002")));
    await folder.write(file("valid", "0012"), "no array");
    await assert.rejects(begin(folder), /Cannot use 1 of the 5 exams/);
    const seen: string[] = [];
    const options: More = {
      skipBadExams: true,
      epochs: 3,
      saveEvery: 0,
      onExam: ({ phase, epoch, id, done, total }) =>
        seen.push(`${epoch} ${phase} ${id} ${done}/${total}`),
      onEpoch: ({ epoch }) => epoch === 1 && Deno.removeSync(folder.at(file("train", "0004"))),
    };
    const result = await begin(folder, options);
    assert.equal(result.epochs.length, 3);
    assert.deepEqual(result.skipped?.map(({ split, id }) => `${split} ${id}`), [
      ...["train 0002", "valid 0012", "train 0004"],
    ]);
    assert.match(result.skipped![0].reason, /^there is no '.*0002\.npy'$/);
    assert.match(result.skipped![1].reason, /0012\.npy/);
    assert.match(result.skipped![2].reason, /0004\.npy.*no such file/);
    const epoch = (number: number, train: string[]) => [
      ...train.map((id) => `${number} train ${id} ${TRAIN.indexOf(id) + 1}/5`),
      ...["0010", "0011"].map((id, at) => `${number} valid ${id} ${at + 1}/3`),
    ];
    const rest = ["0000", "0001", "0003"];
    assert.deepEqual(seen, [
      ...epoch(1, [...rest, "0004"]),
      ...epoch(2, rest),
      ...epoch(3, rest),
    ]);
    const config = JSON.parse(await Deno.readTextFile(`${result.logFolder}/config.json`));
    assert.equal(config.skip_bad_exams, true);
    assert.deepEqual(config.skipped, result.skipped);
    // It goes on without the same exams, though they are there again.
    for (const [split, id] of [["train", "0002"], ["train", "0004"], ["valid", "0012"]]) {
      await folder.write(file(split, id), bytesOf(id));
    }
    seen.length = 0;
    const more = await goOn(folder, { epochs: 4, onExam: options.onExam });
    assert.deepEqual(seen, epoch(4, rest));
    assert.deepEqual(more.skipped, result.skipped);
  }));

Deno.test("a run that stopped at an exam goes on without it where that is allowed", () =>
  withExams(async (folder) => {
    const breaks = (skipBadExams: boolean): More => ({
      skipBadExams,
      onEpoch: ({ epoch }) => epoch === 1 && Deno.removeSync(folder.at(file("train", "0003"))),
    });
    const { logFolder } = await begin(folder, breaks(true));
    const expected = await outcomeOf(logFolder, folder.at("models"));
    await clear(folder);
    await folder.write(file("train", "0003"), bytesOf("0003"));
    await assert.rejects(begin(folder, breaks(false)), /at exam '0003'/);
    const result = await goOn(folder, { skipBadExams: true });
    assert.deepEqual(result.skipped?.map(({ id }) => id), ["0003"]);
    assert.deepEqual(await outcomeOf(result.logFolder, folder.at("models")), expected);
  }));

Deno.test("where a class is left without an exam there is nothing to go on with", () =>
  withExams(async (folder) => {
    await Deno.remove(folder.at(file("valid", "0011")));
    const exams = {
      ...WHICH,
      data: folder.at("data"),
      split: "valid",
      skipBadExams: true,
    } as const;
    await assert.rejects(openDataset(exams), {
      name: "DataError",
      message:
        /valid-acl\.csv' that cannot be read: of 3 exams 2 can be read, and these are not of/,
    });
    await folder.write(file("valid", "0011"), bytesOf("0011"));
    await assert.rejects(
      begin(folder, {
        skipBadExams: true,
        onExam: ({ phase, done }) => {
          if (phase === "train" && done === 5) Deno.removeSync(folder.at(file("valid", "0011")));
        },
      }),
      /^DataError: Cannot go on training: of the 3 exams to validate on 1 cannot be read, and those/,
    );
  }));

Deno.test("a loss that is not finite stops with exam, step and state, which is the last good one", () =>
  withExams(async (folder) => {
    const huge = encodeNpy(new Float32Array(2 * 64 * 64).fill(3.4e38), [2, 64, 64]);
    const failing = begin(folder, {
      augment: false,
      onEpoch: () => Deno.writeFileSync(folder.at(file("train", "0001")), huge),
    });
    const error = await failing.then(() => assert.fail(), (error: Error) => error);
    assert.equal(error.name, "TrainingError");
    assert.match(
      error.message,
      /^Cannot go on training: .*; stopped in epoch 2, step [67], at exam '000[12]'.*; go on with --resume '/,
    );
    await folder.write(file("train", "0001"), bytesOf("0001"));
    const { epochs } = await goOn(folder);
    assert.equal(epochs.length, 2);
  }));

const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
const noAdapter = adapter === null && Deno.env.get("MRNET_REQUIRE_WEBGPU") !== "1";

Deno.test({
  name: "a GPU that is lost stops with exam, step and state, and the run goes on to the same end" +
    (noAdapter ? " (skipped: this machine has no WebGPU adapter)" : ""),
  ignore: noAdapter,
  fn: () =>
    withExams(async (folder) => {
      const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
      await folder.write(
        "run.ts",
        `import { currentGpu } from ${at("../../lib/engine/engine.ts")};
        import { trainRun } from ${at("../../lib/train/run.ts")};
        const [logs, fails] = Deno.args;
        const options = { task: "acl", plane: "coronal", logs, models: logs + "-models" };
        const run = fails === "resume" ? { ...options, resume: true } : {
          ...options, weights: "none", seed: 1, epochs: 2, engine: "webgpu", shuffle: false,
          learningRate: 1e-4,
          onExam({ epoch, phase, done }) {
            if (fails === "lose" && epoch === 2 && phase === "train" && done === 2) {
              currentGpu().device.destroy();
            }
          },
        };
        try {
          await trainRun(run);
          console.log("ended");
        } catch (error) { console.log(error.name + ": " + error.message); }
        Deno.exit(0);`,
      );
      const run = async (...args: string[]) =>
        (await runScript(folder, "run.ts", ["-A"], args)).out;
      assert.equal(await run("whole", ""), "ended\n");
      const said = await run("broken", "lose");
      assert.match(
        said,
        // Results are read several steps at a time, so those of the other training exams may be there.
        /^EngineError: .*; stopped in epoch 2, step \d+, at exam '00\d\d', \d of (5 to train|3 to validate) on; go on with --resume 'broken\/acl\/coronal\/[\d-]+\/state\.safetensors'; the best /,
      );
      assert.equal(said.trim().split("\n").length, 1);
      assert.equal(await run("broken", "resume"), "ended\n");
      const outcome = async (logs: string) => {
        const [name] = (await folder.files(`${logs}/acl/coronal`)).map((name) =>
          name.split("/")[0]
        );
        return await outcomeOf(folder.at(logs, "acl/coronal", name), folder.at(`${logs}-models`));
      };
      assert.deepEqual(await outcome("broken"), await outcome("whole"));
    }),
});

/** The file of an exam whose grey values were changed so. */
function scaledBytes(id: string, change: (value: number) => number): Uint8Array {
  const values = Float32Array.from(voxels(Number(id) % 2 as 0 | 1, 2 * 64 * 64), change);
  return encodeNpy(values, [2, 64, 64]);
}

Deno.test("exams far from 0–255 are refused before the first step, unless anyRange takes them", () =>
  withExams(async (folder) => {
    const kinds: [string, (value: number) => number, RegExp][] = [
      ["train", (value) => value / 60 - 1, /as z-scores do/],
      ["valid", (value) => value / 255, /as after a division by 255/],
      ["valid", (value) => value * 257, /as in exams of 16 bits/],
    ];
    for (const [split, change, said] of kinds) {
      const ids = split === "train" ? TRAIN : VALID;
      for (const id of ids) await folder.write(file(split, id), scaledBytes(id, change));
      let steps = 0;
      const failing = begin(folder, { onExam: () => steps++ });
      const error = await failing.then(() => assert.fail(), (error: Error) => error);
      assert.equal(error.name, "DataError");
      assert.match(error.message, said);
      assert.match(error.message, new RegExp(`^Cannot train on '.*${file(split, ids[0])}'`));
      assert.match(error.message, /with --any_range 1$/);
      assert.equal(steps, 0);
      await begin(folder, { anyRange: true, epochs: 1 });
      await begin(folder, { recipe: "stanford", epochs: 1 });
      for (const id of ids) await folder.write(file(split, id), bytesOf(id));
      await clear(folder);
    }
  }));

Deno.test("an odd exam among others stops a run at its turn, which goes on with anyRange", () =>
  withExams(async (folder) => {
    await folder.write(
      file("valid", "0012"),
      encodeNpy(new Uint8Array(64 * 64 * 66), [64, 64, 66]),
    );
    await assert.rejects(
      begin(folder, { epochs: 1 }),
      /0012\.npy': its shape is \(64, 64, 66\).*stopped in epoch 1.*go on with --resume/,
    );
    const { logFolder } = await goOn(folder, { anyRange: true });
    const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
    assert.equal(config.any_range, true);
    await clear(folder);
    const { skipped } = await begin(folder, { skipBadExams: true, epochs: 1 });
    assert.match(skipped![0].reason, /0012\.npy.*slices may be its last axis/);
  }));
