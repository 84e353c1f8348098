// A run on several threads in which one of them dies, or memory ends: one clear line, no waiting for
// ever, and what was kept stays.
import assert from "node:assert/strict";
import { openDataset } from "../../lib/data/dataset.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { Threads } from "../../lib/engine/wasm/threads.ts";
import { createMRNet, loadMRNet } from "../../lib/model/create.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { type RunOptions, trainRun } from "../../lib/train/run.ts";
import { train } from "../../lib/train/train.ts";
import { runScript } from "../support/cli.ts";
import { TemporaryFolder, voxels, writeTinyDataset } from "../support/folders.ts";
import { breakWorker, killWorker, liveWorkers } from "../support/workers.ts";

const EXAMS = { task: "acl", plane: "coronal" } as const;

/** A test in a folder with the least dataset, after which no worker is left. */
function test(name: string, body: (folder: TemporaryFolder) => Promise<void>): void {
  Deno.test(name, async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await body(folder);
    assert.equal(liveWorkers(), 0, "a worker was left behind");
  });
}

function run(folder: TemporaryFolder, more: Partial<RunOptions>): Promise<unknown> {
  return trainRun({
    ...EXAMS,
    data: folder.at("data"),
    models: folder.at("models"),
    logs: folder.at("logs"),
    weights: "none",
    engine: "wasm",
    threads: 2,
    seed: 1,
    epochs: 3,
    augment: false,
    ...more,
  });
}

/** The message of what a promise is rejected with, which has to be one line of an EngineError. */
async function engineError(failing: Promise<unknown>): Promise<string> {
  const error = await failing.then(() => assert.fail("it went well"), (error: Error) => error);
  assert.equal(error.name, "EngineError", `${error.stack}`);
  assert.doesNotMatch(error.message, /\n/);
  return error.message;
}

test("a worker that breaks in the second epoch ends the run, and the first's model is kept", async (folder) => {
  const message = await engineError(run(folder, {
    onExam: ({ epoch, done, phase }) => {
      if (epoch === 2 && done === 1 && phase === "train") breakWorker();
    },
  }));
  const [kept] = await folder.files("models");
  assert.match(
    message,
    /^Cannot compute on 2 threads: .+: try --threads 1; stopped in epoch 2, step 4, at exam '000[01]', 2 of 2 to train on; go on with --resume '.*\/state\.safetensors'; the best model so far /,
  );
  assert.ok(message.endsWith(`is kept in '${folder.at("models", kept)}'`), message);
  await startEngine("wasm");
  const { model } = await loadMRNet(folder.at("models", kept));
  model.dispose();
  // The log of the epoch that was completed is there, too.
  const history = (await folder.files("logs")).find((name) => name.endsWith("history.csv"))!;
  assert.equal((await folder.text(`logs/${history}`)).trim().split("\n").length, 2);
});

test("a worker that dies without a word is not waited for for ever", async (folder) => {
  const { start } = Threads;
  Threads.start = (options) => start.call(Threads, { ...options, patience: 200 });
  try {
    const message = await engineError(run(folder, {
      onExam: ({ epoch, done }) => {
        if (epoch === 2 && done === 1) killWorker();
      },
    }));
    const [kept] = await folder.files("models");
    const position = /; stopped in epoch 2, step 4, at exam '000[01]', 2 of 2 to train on; /;
    assert.match(message, position);
    const state = (await folder.files("logs")).find((name) => name.endsWith("state.safetensors"));
    assert.equal(
      message.replace(position, "; "),
      "Cannot compute on 2 threads: one of them does not answer: try --threads 1; " +
        `go on with --resume '${folder.at("logs", state!)}'; ` +
        `the best model so far is kept in '${folder.at("models", kept)}'`,
    );
  } finally {
    Threads.start = start;
  }
});

test("memory that ends in the second epoch ends the run, and the first's model is kept", async (folder) => {
  const { grow } = WebAssembly.Memory.prototype;
  try {
    const message = await engineError(run(folder, {
      onEpoch({ epoch }) {
        if (epoch > 1) return;
        // Exams as large as none before, and no memory for them.
        const [slices, side] = [4, 128];
        const larger = encodeNpy(voxels(0, slices * side * side), [slices, side, side]);
        for (const id of ["0000", "0001"]) {
          Deno.writeFileSync(folder.at("data/train/coronal", `${id}.npy`), larger);
        }
        WebAssembly.Memory.prototype.grow = () => {
          throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
        };
      },
    }));
    const [kept] = await folder.files("models");
    assert.match(
      message,
      /^Cannot get \d+ MB of memory for the exam: use exams of fewer or smaller /,
    );
    assert.ok(message.endsWith(`is kept in '${folder.at("models", kept)}'`), message);
  } finally {
    WebAssembly.Memory.prototype.grow = grow;
  }
});

/** A script that calls the command line after a change to the runtime. */
function script(change: string): string {
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  return `import { main } from ${at("../../lib/commands/main.ts")};\n` +
    `import * as workers from ${at("../support/workers.ts")};\n${change}\n` +
    "Deno.exit(await main(Deno.args));\n";
}

const ARGUMENTS = [
  "-t",
  "acl",
  "-p",
  "coronal",
  "--weights",
  "none",
  "--epochs",
  "2",
  "--seed",
  "1",
];

test("on the command line a worker's death is one line that names the kept model", async (folder) => {
  // The setup, the first epoch's two steps, its packing of weights and two exams are six messages.
  await folder.write(
    "run.ts",
    script(`
      const { postMessage } = Worker.prototype;
      let sent = 0;
      Worker.prototype.postMessage = function (message) {
        sent++;
        if (sent === 7) workers.breakWorker();
        else postMessage.call(this, message);
      };
    `),
  );
  const args = [...ARGUMENTS, "--backend", "wasm", "--threads", "2"];
  const { code, err } = await runScript(folder, "run.ts", ["-A"], args);
  assert.equal(code, 1, err);
  const [kept] = await folder.files("models");
  const last = err.trim().split("\n").at(-1)!;
  assert.match(
    last,
    /^Cannot compute on 2 threads: .*; go on with .*; the best model so far is kept in 'models\//,
  );
  assert.ok(last.endsWith(`'models/${kept}'`), last);
});

test("on the command line memory that cannot be had is one line", async (folder) => {
  await folder.write("run.ts", script(""));
  const args = [...ARGUMENTS, "--backend", "wasm", "--threads", "2"];
  const flags = ["-A", "--v8-flags=--wasm-max-mem-pages=1600"];
  const { code, err } = await runScript(folder, "run.ts", flags, args);
  assert.equal(code, 1, err);
  assert.match(err.trim().split("\n").at(-1)!, /^Cannot (get|start) .*(exam|kernels): .+$/);
});

test("where there is no SIMD the library's kernels train and predict", async (folder) => {
  if (Deno.build.arch !== "x86_64") return;
  await folder.write("run.ts", script(""));
  const args = [...ARGUMENTS, "--backend", "wasm", "--epochs", "1"];
  const [with_, without] = await Promise.all(
    [[], ["--v8-flags=--no-enable-ssse3"]].map((flags) =>
      runScript(folder, "run.ts", ["-A", ...flags], args)
    ),
  );
  assert.equal(without.code, 0, without.err);
  assert.match(without.err, /one thread, no SIMD here, so TensorFlow\.js's kernels \(asked for/);
  const losses = ({ out }: { out: string }) =>
    /train loss : (\d\.\d{3}).* val loss (\d\.\d{3})/.exec(out);
  assert.deepEqual(losses(without)?.slice(1), losses(with_)?.slice(1));
});

test("whatever ends a run, no worker is left", async (folder) => {
  await startEngine("wasm", { threads: 3 });
  const exams = { ...EXAMS, data: folder.at("data") };
  const datasets = {
    train: await openDataset({ ...exams, split: "train" }),
    valid: await openDataset({ ...exams, split: "valid" }),
  };
  const model = await createMRNet({ weights: "none", seed: 1 });
  let most = 0;
  const onExam = () => most = Math.max(most, liveWorkers());
  await train(model, datasets, { epochs: 1, seed: 1, onExam });
  assert.equal(most, 2, "no worker was counted");
  assert.equal(liveWorkers(), 0);
  await evaluate(model, datasets.valid);
  assert.equal(liveWorkers(), 0);
  await model.predict(await datasets.valid.read(0));
  // They wait for the next exam, but not for long.
  while (liveWorkers() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const stop = new AbortController();
  await train(model, datasets, { epochs: 1, signal: stop.signal, onExam: () => stop.abort() });
  assert.equal(liveWorkers(), 0);
  const bad = { ...datasets.train, read: () => Promise.reject(new Error("gone")) };
  await assert.rejects(train(model, { ...datasets, train: bad }, { epochs: 1 }), /gone/);
  assert.equal(liveWorkers(), 0);
  const failing = () => assert.fail("in the epoch's report");
  await assert.rejects(train(model, datasets, { epochs: 1, onEpoch: failing }), /epoch's report/);
  assert.equal(liveWorkers(), 0);
  model.dispose();
});

test("a script that trained, evaluated and predicted ends by itself", async (folder) => {
  const module = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
  await folder.write(
    "run.ts",
    `import * as m from ${module};
    await m.startEngine("wasm", { threads: 3 });
    const open = (split) => m.openDataset({ task: "acl", plane: "coronal", data: "data", split });
    const [train, valid] = [await open("train"), await open("valid")];
    const model = await m.createMRNet({ weights: "none", seed: 1 });
    await m.train(model, { train, valid }, { epochs: 1 });
    await m.evaluate(model, valid);
    await model.predict(await valid.read(0));
    console.log("done");`,
  );
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", "run.ts"],
    cwd: folder.path,
    // A worker that stayed would keep the process, and this test with it.
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "done\n");
  assert.ok(success, "the process did not end by itself");
});
