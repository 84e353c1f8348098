/**
 * Which run is gone on with, what may be another than it was, and what is refused.
 */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { flushHistory } from "../../lib/logs/run_folder.ts";
import { lockRun } from "../../lib/logs/run_lock.ts";
import { MRNET_PARAMETERS } from "../../lib/model/weights/mrnet.ts";
import { encodeSafetensors } from "../../lib/model/weights/safetensors.ts";
import {
  checkRoom,
  encodeRunState,
  MAX_EXAMS,
  maxEpochs,
  readRunState,
  writeRunState,
} from "../../lib/train/run_state.ts";
import { type RunOptions, type RunResult, trainRun } from "../../lib/train/run.ts";
import * as tf from "../support/tf.ts";
import { copyFolder, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { decodeRunState, decodeSafetensors } from "../support/weights.ts";

await startEngine("wasm");

type More = Partial<RunOptions>;
const WHICH = { task: "acl", plane: "coronal" } as const;

function begin(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  return trainRun({
    ...{ ...WHICH, data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ weights: "none", engine: "wasm", threads: 1, seed: 1, epochs: 1, learningRate: 1e-4 },
    ...more,
  });
}

function goOn(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  const folders = { models: folder.at("models"), logs: folder.at("logs") };
  return trainRun({ ...WHICH, ...folders, resume: true, ...more });
}

/** A test in a folder with the least dataset; it leaves no tensor behind. */
function test(name: string, body: (folder: TemporaryFolder) => Promise<void>): void {
  Deno.test(name, async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    const before = tf.memory().numTensors;
    await body(folder);
    assert.equal(tf.memory().numTensors, before, "tensors were left behind");
  });
}

test("a run that is at its end stays so, and goes on with more epochs as if it had had them", async (folder) => {
  const first = await begin(folder);
  // What a kill has left half-written goes.
  const left = `${first.logFolder}/state.safetensors.0a1b2c3d.part`;
  await Deno.writeTextFile(left, "half");
  const again = await goOn(folder, { onExam: () => assert.fail("there is nothing to do") });
  await assert.rejects(Deno.stat(left), Deno.errors.NotFound);
  assert.deepEqual(again, first);
  const more = await goOn(folder, { epochs: 3, patience: 2 });
  assert.equal(more.epochs.length, 3);
  const whole = await begin(folder, { epochs: 3, patience: 2, logs: folder.at("whole") });
  const metrics = ({ epochs }: RunResult) => epochs.map(({ seconds: _, ...rest }) => rest);
  assert.deepEqual(metrics(more), metrics(whole));
  const config = JSON.parse(await Deno.readTextFile(`${more.logFolder}/config.json`));
  assert.deepEqual([config.epochs, config.patience], [3, 2]);
  assert.deepEqual(config.resumed.map(({ epoch }: { epoch: number }) => epoch), [2, 2]);
  // Two losses no better than one before: with that little patience it had ended earlier.
  const still = await begin(folder, {
    ...{ epochs: 3, learningRate: 1e-30, augment: false, logs: folder.at("still") },
  });
  assert.equal(still.epochs.length, 3);
  const ended = await goOn(folder, { logs: folder.at("still"), epochs: 9, patience: 1 });
  assert.deepEqual([ended.stopped, ended.epochs.length], ["early", 3]);
});

test("what would change the run is named, all of it", async (folder) => {
  const { logFolder } = await begin(folder);
  const state = `${logFolder}/state.safetensors`;
  const changes: [More, string][] = [
    [{ learningRate: 1e-3 }, "lr 0.001 instead of 0.0001"],
    [{ seed: 2 }, "seed 2 instead of 1"],
    [{ recipe: "stanford" }, "recipe stanford instead of reference"],
    [{ intensity: "standardized" }, "intensity standardized instead of raw"],
    [{ lossWeights: "class" }, "loss_weights class instead of output"],
    [{ weightDecay: 0 }, "weight_decay 0 instead of 0.1"],
    [{ schedule: "step" }, "lr_scheduler step instead of plateau"],
    [{ gamma: 0.1 }, "gamma 0.1 instead of 0.5"],
    [{ plateauPatience: 1 }, "plateau_patience 1 instead of 3"],
    [{ plateauFactor: 0.5 }, "plateau_factor 0.5 instead of 0.3"],
    [{ rotation: 5 }, "rotation 5 instead of 25"],
    [{ shift: "5px" }, "shift 5px instead of 0.11"],
    [{ flip: 0 }, "flip 0 instead of 0.5"],
    [{ augment: false }, "augment false instead of true"],
    [{ shuffle: false }, "shuffle false instead of true"],
    [{ saveModel: false }, "save_model false instead of true"],
    [{ weights: "imagenet" }, "weights imagenet instead of none"],
    [{ models: "elsewhere" }, `models elsewhere instead of ${folder.at("models")}`],
    [
      { tune: { fraction: 0.5, seed: 0 } },
      "tune 0.5 instead of none, tune_seed 0 instead of none",
    ],
    [{ learningRate: 1, flip: 0 }, "lr 1 instead of 0.0001, flip 0 instead of 0.5"],
  ];
  for (const [more, named] of changes) {
    await assert.rejects(goOn(folder, { epochs: 2, ...more }), {
      name: "OptionError",
      message: `Cannot go on with '${state}': this is ${named}: ` +
        "leave it out or give what it was, or start anew without --resume",
    });
  }
  const other = { plane: "axial", resume: logFolder } as const;
  await assert.rejects(goOn(folder, other), /this is plane axial instead of coronal: /);
  await assert.rejects(goOn(folder, { flushHistory: true }), {
    name: "OptionError",
    message: /^Cannot go on with a run and remove the earlier logs, its own among them: /,
  });
  await assert.rejects(goOn(folder, { saveEvery: -1 }), /^OptionError: Cannot save every -1 min/);
  // The same once more is no difference.
  await goOn(folder, { learningRate: 1e-4, flip: 0.5, seed: 1, weights: "none" });
});

test("labels that are not those it began with are refused", async (folder) => {
  await begin(folder);
  for (const [split, use] of [["train", "train"], ["valid", "validate"]]) {
    const name = `data/${split}-acl.csv`;
    const before = await folder.text(name);
    await folder.write(name, before.replace(/,0/, ",x").replace(/,1/, ",0").replace(/,x/, ",1"));
    await assert.rejects(goOn(folder, { epochs: 2 }), {
      name: "DataError",
      message: new RegExp(`the labels to ${use} on are not those that it began with: give them`),
    });
    await folder.write(name, before);
  }
  // The exams may be in another folder by now.
  await Deno.rename(folder.at("data"), folder.at("moved"));
  const { epochs } = await goOn(folder, { epochs: 2, data: folder.at("moved") });
  assert.equal(epochs.length, 2);
});

test("the latest run of a prefix is meant, or the one that is named", async (folder) => {
  const first = await begin(folder);
  const other = await begin(folder, { prefix: "other", seed: 2 });
  const latest = await begin(folder, { seed: 3 });
  assert.equal((await goOn(folder)).logFolder, latest.logFolder);
  assert.equal((await goOn(folder, { prefix: "other" })).logFolder, other.logFolder);
  assert.equal((await goOn(folder, { resume: first.logFolder })).seed, 1);
  const file = `${other.logFolder}/state.safetensors`;
  assert.equal((await goOn(folder, { resume: file })).seed, 2);
  const none = `Cannot go on with a run of acl, coronal, prefix 'third': there is none in ` +
    `'${folder.at("logs")}': start one without --resume`;
  await assert.rejects(goOn(folder, { prefix: "third" }), {
    name: "TrainingError",
    message: none,
  });
  await Deno.remove(`${latest.logFolder}/state.safetensors`);
  await assert.rejects(goOn(folder), {
    name: "TrainingError",
    message: `Cannot go on with the latest run of acl, coronal, prefix 'mrnet': ` +
      `'${latest.logFolder}' has no state.safetensors: start anew without --resume, ` +
      "or give the folder of another run",
  });
});

test("the latest run is the one that was begun last, whatever the clock on the wall said", async (folder) => {
  const parent = folder.at("logs/acl/coronal");
  // In the hour that comes twice, and in a folder that another time zone has named.
  const runs = [
    ["20261025-023000", "2026-10-25T00:30:00.000Z"],
    ["20261025-021500", "2026-10-25T01:15:00.000Z"],
    ["20261025-113000", "2026-10-25T00:45:00.000Z"],
  ];
  for (const [index, [name, started]] of runs.entries()) {
    const { logFolder } = await begin(folder, { seed: index + 1 });
    await Deno.rename(logFolder, `${parent}/${name}`);
    const path = `${parent}/${name}/config.json`;
    const config = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...config, started }));
  }
  assert.equal((await goOn(folder)).logFolder, `${parent}/20261025-021500`);
  // Of the same moment, or of none that can be read, the last by its name.
  for (const started of ["2026-10-25T01:15:00.000Z", "yesterday"]) {
    for (const [name] of runs) {
      const path = `${parent}/${name}/config.json`;
      const config = JSON.parse(await Deno.readTextFile(path));
      await Deno.writeTextFile(path, JSON.stringify({ ...config, started }));
    }
    assert.equal((await goOn(folder)).logFolder, `${parent}/20261025-113000`);
  }
});

test("a run goes on elsewhere from the same state, and says that the bits are not the same", async (folder) => {
  const whole = await begin(folder, { epochs: 2, logs: folder.at("whole") });
  await begin(folder);
  const said: unknown[] = [];
  const more = await goOn(folder, {
    ...{ epochs: 2, threads: 2 },
    onStart: ({ resumed }) => said.push(resumed?.elsewhere),
  });
  assert.deepEqual(said, ["wasm, 1 thread"]);
  const [, one] = whole.epochs;
  assert.ok(Math.abs(more.epochs[1].trainLoss - one.trainLoss) < 2e-4);
  const { computed } = await readRunState(`${more.logFolder}/state.safetensors`);
  assert.deepEqual(computed, { engine: "wasm", threads: 2, precision: "float32" });
});

test("no two processes work on one run, and flushing leaves a run that is at work", async (folder) => {
  const { logFolder } = await begin(folder);
  const lock = await lockRun(logFolder);
  assert.ok(lock !== undefined);
  await assert.rejects(goOn(folder, { epochs: 2 }), {
    name: "TrainingError",
    message: `Cannot go on with the run in '${logFolder}': another process is at work on it: ` +
      "wait for its end, or stop it",
  });
  assert.equal(await flushHistory(folder.at("logs"), "acl", "coronal"), 0);
  await lock.release();
  assert.equal((await goOn(folder, { epochs: 2 })).epochs.length, 2);
  assert.equal(await flushHistory(folder.at("logs"), "acl", "coronal"), 1);
  assert.deepEqual(await folder.files("logs"), []);
});

test("two runs at once keep their own models, though these have the same name", async (folder) => {
  const results = await Promise.all([
    begin(folder, { prefix: "same", epochs: 2 }),
    begin(folder, { prefix: "same", epochs: 2, logs: folder.at("other") }),
  ]);
  const kept = results.map(({ checkpoint }) => checkpoint!);
  assert.notEqual(kept[0], kept[1]);
  assert.deepEqual(
    (await folder.files("models")).map((name) => folder.at("models", name)).sort(),
    [
      ...kept,
    ].sort(),
  );
  for (const path of kept) decodeSafetensors(await Deno.readFile(path), path);
  assert.match(kept.sort()[0], /_epoch_\d+-2\.safetensors$/);
});

test("a run that was killed behind its best model finds it to be its own", async (folder) => {
  const first = await begin(folder);
  const state = `${first.logFolder}/state.safetensors`;
  const end = await readRunState(state);
  // As if the kill had come between the model and the state.
  await writeRunState(state, { ...await beginning(folder), run: end.run, folder: end.folder });
  const again = await goOn(folder);
  assert.equal(again.checkpoint, first.checkpoint);
  assert.equal((await folder.files("models")).length, 1);
});

/** The state of a run before its first exam. */
async function beginning(folder: TemporaryFolder) {
  const logs = folder.at("beginning");
  const signal = AbortSignal.abort();
  const { logFolder } = await begin(folder, { logs, signal });
  return await readRunState(`${logFolder}/state.safetensors`);
}

test("a state that was tampered with is refused in one line, and touches no other file", async (folder) => {
  await folder.write("precious.safetensors", "mine");
  const { logFolder } = await begin(folder);
  const path = `${logFolder}/state.safetensors`;
  const good = await readRunState(path);
  const bytes = await Deno.readFile(path);
  const refuses = async (message: RegExp) => {
    await assert.rejects(goOn(folder, { epochs: 2 }), (error: Error) => {
      assert.ok(["WeightsError", "OptionError"].includes(error.name), `${error.stack}`);
      assert.match(error.message, message);
      return true;
    });
  };
  await writeRunState(path, { ...good, checkpoint: "../precious.safetensors" });
  await refuses(/what it says of the best model is not the name of one: start anew/);
  const passed = good.progress.train.concat([[1, 0, 0], [1, 0, 0], [1, 0, 0]]);
  await writeRunState(path, { ...good, progress: { ...good.progress, train: passed } });
  await refuses(/its position is not among the exams: start anew/);
  await writeRunState(path, { ...good, config: { ...good.config, gamma: "much" } });
  await refuses(/what it says of 'gamma' is missing or wrong: give the state/);
  for (const length of [0, 7, 200, 5000, bytes.length - 1]) {
    await Deno.writeFile(path, bytes.subarray(0, length));
    await refuses(/^Cannot (read weights|go on from) '.*state\.safetensors': /);
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const { name } = MRNET_PARAMETERS[0];
  const damaged = async (change: () => void, message: RegExp) => {
    const before = new Map(tensors);
    const text = metadata.state;
    change();
    const chunks = encodeSafetensors(tensors, metadata) as BlobPart[];
    await Deno.writeFile(path, await new Blob(chunks).bytes());
    await refuses(message);
    tensors.clear();
    for (const [key, tensor] of before) tensors.set(key, tensor);
    metadata.state = text;
  };
  await damaged(() => tensors.delete(name), /missing 'pretrained_model\.features\.0\.weight'/);
  await damaged(() => tensors.delete(`adam.first.${name}`), /adam\.first\..* is not there/);
  await damaged(() => metadata.state = "{}", /: start anew|or start anew$/);
  await damaged(() => metadata.state = "[", /or start anew$/);
  await damaged(() => delete metadata.state, /or start anew$/);
  const says = (key: string, value: string) => () => {
    metadata.state = metadata.state.replace(new RegExp(`"${key}":[^,]*,`), `"${key}":${value},`);
  };
  const nested = "[".repeat(100_000) + "]".repeat(100_000);
  for (const key of ["lr", "seed", "recipe", "shift", "lr_scheduler", "augment", "models"]) {
    await damaged(
      says(key, nested),
      new RegExp(`: what it says of '${key}' is missing or wrong: `),
    );
  }
  await damaged(says("augment", '"no"'), /: what it says of 'augment' is missing or wrong: /);
  await damaged(says("prefix_name", '"../x"'), /: what it says of 'prefix_name' is missing or/);
  await damaged(says("models", '"elsewhere"'), /: the config\.json beside it is of another run: /);
  await damaged(says("seed", '1,"tune_seed":7'), /: one of 'tune' and 'tune_seed' is missing: /);
  await damaged(says("steps", "0"), /: the steps that it has taken are not those of its exams: /);
  await damaged(says("run", '"\\u001b[31m"'), /: what it says is not whole: /);
  await damaged(
    () => metadata.state = metadata.state.replace('"run":"', '"run":7,"x":"'),
    /what it says is not whole/,
  );
  // An event file's name that leads elsewhere is not followed.
  await folder.write("events", "mine");
  await writeRunState(path, { ...good, events: { name: "../../../../events", size: 0 } });
  await goOn(folder, { epochs: 2 });
  assert.equal(await folder.text("events"), "mine");
  assert.equal(await folder.text("precious.safetensors"), "mine");
});

test("a run of more exams than its state has room for is refused before it begins", async (folder) => {
  const { logFolder } = await begin(folder);
  const state = await readRunState(`${logFolder}/state.safetensors`);
  // The longest numbers that float32 has.
  const passed = Array<[number, number, number]>(MAX_EXAMS).fill([
    ...[-1.1754943508222875e-38, -1.1754943508222875e-38, -1.1754943508222875e-38],
  ] as [number, number, number]);
  state.progress.train = passed;
  const bytes = await new Blob(encodeRunState(state) as BlobPart[]).bytes();
  assert.equal(decodeRunState(bytes, "state").progress.train.length, MAX_EXAMS);
  state.progress.valid = passed;
  assert.throws(() => encodeRunState(state), {
    name: "OutputError",
    message:
      /^Cannot save the state of a run: the metrics of 24000 exams and 1 epochs .* 1048576 are/,
  });
  checkRoom(MAX_EXAMS, 50);
  assert.throws(() => checkRoom(MAX_EXAMS + 1, 50), {
    name: "DataError",
    message:
      "Cannot train on 12001 exams: a run's state has room for the metrics of 12000, those to " +
      "validate on among them: give fewer exams",
  });
});

test("a run of more epochs than its state has room for is refused before it begins", async (folder) => {
  await assert.rejects(begin(folder, { epochs: 100_000 }), {
    name: "OptionError",
    message:
      "Cannot train for 100000 epochs: beside the metrics of 4 exams a run's state has room for " +
      "8667 epochs: give that many or fewer as --epochs",
  });
  assert.deepEqual(await folder.files("logs"), []);
  // So many really fit, with the longest numbers there are, also beside the most exams.
  const { logFolder } = await begin(folder);
  const state = await readRunState(`${logFolder}/state.safetensors`);
  const [report] = state.progress.epochs;
  const long = {
    ...report,
    ...{ trainLoss: 1234.5678, valLoss: 1234.5678, threshold: 0.12345678901234566 },
    ...{ learningRate: 1.2345678901234567e-10, seconds: 12345.678901234567, isBest: false },
  };
  for (const exams of [4, MAX_EXAMS]) {
    const longest = -1.1754943508222875e-38;
    state.progress.train = Array(exams).fill([longest, longest, longest]);
    state.progress.epochs = Array(maxEpochs(exams)).fill(long);
    encodeRunState(state);
  }
});

test("a config.json that is none is refused in one line", async (folder) => {
  const { logFolder } = await begin(folder);
  const path = `${logFolder}/config.json`;
  const good = await Deno.readTextFile(path);
  const refuses = async (found: string) => {
    await assert.rejects(goOn(folder, { resume: logFolder }), {
      name: "WeightsError",
      message: `Cannot go on with the run of '${path}': ${found}: ` +
        "give the folder that a run has left, or start anew without --resume",
    });
    // Among others that run is passed over.
    await assert.rejects(
      goOn(folder),
      /^TrainingError: Cannot go on with a run of .* there is none/,
    );
  };
  await Deno.remove(path);
  await refuses("there is no such file or folder");
  for (const target of ["/dev/zero", logFolder]) {
    await Deno.symlink(target, path);
    await refuses(target === logFolder ? "it is a folder" : "it is not a plain file");
    await Deno.remove(path);
  }
  for (
    const [text, found] of [
      ["[".repeat(100_000), "it is not JSON"],
      [" ".repeat(2 ** 20 + 1), "it is 1048577 bytes long, allowed are 1048576"],
      [
        good.replace('"lr": 0.0001', `"lr": ${"[".repeat(1e5)}${"]".repeat(1e5)}`),
        "what it says of 'lr' is missing or wrong",
      ],
      [
        good.replace('"engine"', '"motor"'),
        "what it says of its engine or its beginning is missing or wrong",
      ],
      [good.replace('"seed"', '"resumed": 7, "seed"'), "its list of 'resumed' is none"],
      ["null", "what it says is no JSON object"],
    ]
  ) {
    await Deno.writeTextFile(path, text);
    await refuses(found);
  }
  assert.deepEqual(
    await folder.files("logs").then((names) => names.filter((name) => /lock/.test(name))),
    [],
  );
});

test("a state outside a run's own folder touches nothing there", async (folder) => {
  const { logFolder } = await begin(folder);
  const precious = ["config.json", "history.csv", "thesis.docx.0a1b2c3d.part"];
  for (const name of precious) await folder.write(`mine/${name}`, "mine");
  await Deno.copyFile(`${logFolder}/state.safetensors`, folder.at("mine/state.safetensors"));
  await Deno.copyFile(`${logFolder}/state.safetensors`, `${logFolder}/before.safetensors`);
  for (const path of [folder.at("mine/state.safetensors"), `${logFolder}/before.safetensors`]) {
    await assert.rejects(goOn(folder, { resume: path, epochs: 2 }), {
      name: "WeightsError",
      message:
        `Cannot go on with '${path}': it is not the state.safetensors in a run's own folder: ` +
        "give that folder, such as logs/acl/axial/20260102-030405, or start anew without --resume",
    });
  }
  for (const name of precious) assert.equal(await folder.text(`mine/${name}`), "mine");
  assert.equal((await folder.files("mine")).length, 4);
  // Beside another run's configuration, it is not that run's.
  const other = await begin(folder, { seed: 2, epochs: 1 });
  const path = `${other.logFolder}/state.safetensors`;
  await Deno.copyFile(`${logFolder}/state.safetensors`, path);
  await assert.rejects(goOn(folder, { resume: path, epochs: 2 }), {
    name: "WeightsError",
    message: `Cannot go on with '${path}': the config.json beside it is of another run: ` +
      "start anew without --resume",
  });
  // In its own, files that only look half-written stay.
  await Deno.writeTextFile(`${logFolder}/thesis.docx.0a1b2c3d.part`, "mine");
  await goOn(folder, { resume: logFolder });
  assert.equal(await Deno.readTextFile(`${logFolder}/thesis.docx.0a1b2c3d.part`), "mine");
});

/** Photographs a run of two epochs at the end of the first, and takes it back to that moment. */
async function afterFirst(folder: TemporaryFolder): Promise<RunResult> {
  const stop = new AbortController();
  return await begin(folder, { epochs: 2, signal: stop.signal, onEpoch: () => stop.abort() });
}

/** Makes any later epoch count as the best one so far. */
async function forgetBest(logFolder: string): Promise<void> {
  const path = `${logFolder}/state.safetensors`;
  const state = await readRunState(path);
  const epochs = state.progress.epochs.map((report) => ({ ...report, valAuc: 0, isBest: false }));
  await writeRunState(path, { ...state, progress: { ...state.progress, epochs } });
}

test("a copied run leaves the models of the run that it is a copy of", async (folder) => {
  const { logFolder, checkpoint } = await afterFirst(folder);
  await forgetBest(logFolder);
  const own = (await readRunState(`${logFolder}/state.safetensors`)).run;
  // Beside the run under another name, or with all logs to another place.
  const copies = [`${logFolder}-9`, logFolder.replace("/logs/", "/copied/")];
  for (const [index, copy] of copies.entries()) {
    await copyFolder(logFolder, copy);
    const result = await goOn(folder, { resume: copy });
    assert.equal(result.epochs.length, 2);
    assert.notEqual(result.checkpoint, checkpoint);
    assert.equal((await folder.files("models")).length, 2 + index);
    const { run, folder: saved } = await readRunState(`${copy}/state.safetensors`);
    assert.notEqual(run, own);
    assert.equal(saved, copy);
    // From now on the copy is a run like others.
    assert.equal((await goOn(folder, { resume: copy })).checkpoint, result.checkpoint);
    assert.equal((await readRunState(`${copy}/state.safetensors`)).run, run);
  }
  // One that was moved is the same run, and replaces its model.
  const moved = folder.at("moved/acl/coronal", logFolder.replace(/.*\//, ""));
  await Deno.mkdir(folder.at("moved/acl/coronal"), { recursive: true });
  await Deno.rename(logFolder, moved);
  const result = await goOn(folder, { resume: moved });
  assert.equal((await readRunState(`${moved}/state.safetensors`)).run, own);
  assert.notEqual(result.checkpoint, checkpoint);
  await assert.rejects(Deno.stat(checkpoint!), Deno.errors.NotFound);
});

test("what a kill has left of earlier models goes, and no model of another run", async (folder) => {
  const other = await begin(folder);
  const { logFolder, checkpoint } = await afterFirst(folder);
  // As if the kill had come between the new state and the removal of the earlier model.
  const earlier = checkpoint!.replace(/_epoch_\d+(-2)?\./, "_epoch_7.");
  await Deno.copyFile(checkpoint!, earlier);
  await folder.write(
    "models/model_mrnet_acl_coronal_val_auc_0.5000_train_auc_0.5000_epoch_8.safetensors",
    "mine",
  );
  const before = await folder.files("models");
  let removed: unknown;
  const result = await goOn(folder, {
    resume: logFolder,
    onStart: ({ resumed }) => removed = resumed?.removed,
  });
  assert.deepEqual(removed, [earlier]);
  const gone = before.filter((name) => folder.at("models", name) !== earlier);
  assert.deepEqual(await folder.files("models"), gone);
  assert.equal(result.checkpoint, checkpoint);
  assert.ok(gone.some((name) => folder.at("models", name) === other.checkpoint));
});

test("a best model that is gone is named before anything is done", async (folder) => {
  const { logFolder, checkpoint } = await afterFirst(folder);
  await Deno.remove(checkpoint!);
  const before = await folder.files("logs");
  await assert.rejects(goOn(folder), {
    name: "WeightsError",
    message: `Cannot go on with '${logFolder}/state.safetensors' without its best model ` +
      `'${checkpoint}': there is no such file or folder: give the file back, or start anew without ` +
      "--resume",
  });
  assert.deepEqual(await folder.files("logs"), before);
});

test("what another process came to before it gave the lock back is not rolled back", async (folder) => {
  const { logFolder } = await afterFirst(folder);
  const path = `${logFolder}/state.safetensors`;
  const { open } = Deno;
  let finished: RunResult | undefined;
  // The other process goes on to the end just before this one takes the lock.
  Deno.open = async (file, ...options) => {
    if (String(file).endsWith("run.lock")) {
      Deno.open = open;
      finished = await goOn(folder);
    }
    return await open(file, ...options);
  };
  try {
    const late = await goOn(folder, { onExam: () => assert.fail("there is nothing to do") });
    assert.equal(finished?.epochs.length, 2);
    assert.deepEqual(late, finished);
    assert.equal((await readRunState(path)).progress.epochs.length, 2);
  } finally {
    Deno.open = open;
  }
});

test("another number of epochs is kept from the first moment on", async (folder) => {
  const { logFolder } = await begin(folder);
  const path = `${logFolder}/state.safetensors`;
  let kept: unknown;
  // As a kill at the first exam would find it.
  await goOn(folder, {
    epochs: 2,
    onExam: () => kept ??= decodeRunState(Deno.readFileSync(path), path).config.epochs,
  });
  assert.equal(kept, 2);
});

test("nothing that a state says of exams left out commands a terminal", async (folder) => {
  const { logFolder } = await begin(folder, { skipBadExams: true });
  const path = `${logFolder}/state.safetensors`;
  const good = await readRunState(path);
  const left = async (id: string, reason: string) => {
    const skipped = [{ split: "train", id, reason } as const];
    await writeRunState(path, { ...good, progress: { ...good.progress, skipped } });
    return (await readRunState(path)).progress.skipped;
  };
  await assert.rejects(
    left("a\u001b]0;x\u0007b", "broken"),
    /its list of exams left out is wrong at 1/,
  );
  const [{ reason }] = await left("0000", `\u001b[2J${"x".repeat(9999)}`);
  assert.deepEqual([reason.length, reason.slice(0, 5)], [500, "\ufffd[2Jx"]);
});

test("a state is read back as it was written", async (folder) => {
  const { logFolder } = await begin(folder, { skipBadExams: true });
  const state = await readRunState(`${logFolder}/state.safetensors`);
  const [report] = state.progress.epochs;
  state.progress.epochs.push({ ...report, epoch: 2, trainAuc: NaN, threshold: Infinity });
  state.progress.train.push([0.1 + 0.2, -1e-300, 3], null);
  state.progress.skipped.push({ split: "valid", id: "0003", reason: "Cannot read it" });
  for (const earlierExams of [undefined, "unknown", ["0123456789abcdef"]] as const) {
    const known = { ...state, ...(earlierExams && { earlierExams }) };
    const bytes = await new Blob(encodeRunState(known) as BlobPart[]).bytes();
    assert.deepEqual(decodeRunState(bytes, "state"), known);
  }
});

test("a run's folder from somebody else removes no model, whatever number it claims", async (folder) => {
  // A model that was published, and of which anybody knows all that is in it.
  const mine = await begin(folder, { seed: 9 });
  const bytes = await Deno.readFile(mine.checkpoint!);
  const { tensors, metadata } = decodeSafetensors(bytes, "mine");
  const published = folder.at(
    "models/model_mrnet_acl_coronal_val_auc_0.5000_train_auc_0.5000_epoch_33.safetensors",
  );
  await Deno.rename(mine.checkpoint!, published);
  // As an earlier version wrote it, the number of the run itself is there.
  const uuid = crypto.randomUUID();
  const earlier = published.replace("_33", "_34");
  const chunks = encodeSafetensors(tensors, { ...metadata, run: uuid }) as BlobPart[];
  await Deno.writeFile(earlier, await new Blob(chunks).bytes());
  for (const claimed of [metadata.run, uuid]) {
    await Deno.remove(folder.at("logs"), { recursive: true });
    const { logFolder } = await afterFirst(folder);
    await forgetBest(logFolder);
    const path = `${logFolder}/state.safetensors`;
    await writeRunState(path, { ...await readRunState(path), run: claimed });
    const before = await folder.files("models");
    await goOn(folder);
    const after = await folder.files("models");
    assert.deepEqual(before.filter((name) => !after.includes(name)), [], claimed);
  }
  assert.deepEqual(await Deno.readFile(published), bytes);
});

test("no state chooses the folder that models are written to", async (folder) => {
  const { logFolder } = await begin(folder, { signal: AbortSignal.abort() });
  const path = `${logFolder}/state.safetensors`;
  const state = await readRunState(path);
  assert.equal(state.checkpoint, undefined);
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  const chosen = folder.at("chosen");
  await writeRunState(path, { ...state, config: { ...state.config, models: chosen } });
  await Deno.writeTextFile(
    `${logFolder}/config.json`,
    JSON.stringify({ ...config, models: chosen }),
  );
  await assert.rejects(goOn(folder, { models: undefined }), {
    name: "OptionError",
    message: `Cannot go on with '${path}': it keeps its models in '${chosen}', and a state alone ` +
      `chooses no folder that is written: add --models '${chosen}' if that is yours, or start anew ` +
      "without --resume",
  });
  await assert.rejects(Deno.stat(chosen), Deno.errors.NotFound);
  assert.equal((await goOn(folder, { models: chosen })).epochs.length, 1);
  // One that keeps no models writes to no such folder.
  const none = { saveModel: false, logs: folder.at("none") };
  await begin(folder, none);
  const { checkpoint } = await goOn(folder, { logs: none.logs, models: undefined, epochs: 2 });
  assert.equal(checkpoint, undefined);
});

test("a state of an earlier version goes on, and its model stays", async (folder) => {
  const { logFolder, checkpoint } = await afterFirst(folder);
  await forgetBest(logFolder);
  const path = `${logFolder}/state.safetensors`;
  const state = await readRunState(path);
  // Then the number of the run stood in the model as it is.
  const run = crypto.randomUUID();
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(checkpoint!), "model");
  const chunks = encodeSafetensors(tensors, { ...metadata, run }) as BlobPart[];
  await Deno.writeFile(checkpoint!, await new Blob(chunks).bytes());
  await writeRunState(path, { ...state, run });
  let left: string | undefined;
  const result = await goOn(folder, { onStart: ({ resumed }) => left = resumed?.left });
  assert.equal(left, checkpoint);
  assert.notEqual(result.checkpoint, checkpoint);
  assert.equal((await folder.files("models")).length, 2);
  // From now on it has a secret, and its models are its own.
  assert.match((await readRunState(path)).run, /^[0-9a-f]{64}$/);
  await goOn(folder, { onStart: ({ resumed }) => left = resumed?.left });
  assert.equal(left, undefined);
});
