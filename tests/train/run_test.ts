import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/data/npy.ts";
import { openDataset } from "../../lib/data/dataset.ts";
import { describeLabels } from "../../lib/data/exam_set.ts";
import { isTuneExam } from "../../lib/data/tune.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { youdenPoint } from "../../lib/metrics/threshold.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { type RunOptions, type RunResult, trainRun } from "../../lib/train/run.ts";
import * as tf from "../support/tf.ts";
import { VERSION } from "../../lib/version.ts";
import { printedBy } from "../support/cli.ts";
import {
  examBytes,
  NUMPY_DATASET,
  TemporaryFolder,
  voxels,
  writeTinyDataset,
} from "../support/folders.ts";
import { readEvents } from "../support/events.ts";

await startEngine("wasm");

type More = Partial<RunOptions>;

/** Trains on `data` of a folder, logs and models beside it. */
function run(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  return trainRun({
    task: "acl",
    plane: "coronal",
    data: folder.at("data"),
    models: folder.at("models"),
    logs: folder.at("logs"),
    weights: "none",
    engine: "wasm",
    seed: 1,
    epochs: 1,
    learningRate: 1e-4,
    ...more,
  });
}

/** Trains on the set that NumPy wrote. */
function runOnNumPys(folder: TemporaryFolder, more: More = {}): Promise<RunResult> {
  return run(folder, { data: NUMPY_DATASET, ...more });
}

/** A test that leaves no tensor behind. */
function test(name: string, body: (folder: TemporaryFolder) => Promise<void>): void {
  Deno.test(name, async () => {
    await using folder = await TemporaryFolder.make();
    const before = tf.memory().numTensors;
    await body(folder);
    assert.equal(tf.memory().numTensors, before, "tensors were left behind");
  });
}

test("a run leaves a checkpoint and logs that agree with what it returns", async (folder) => {
  const started: string[] = [];
  const result = await runOnNumPys(folder, {
    epochs: 2,
    onStart({ engine, seed, trainExams, validExams, logFolder, flushed }) {
      started.push(`${engine.name} ${seed} ${trainExams} ${validExams} ${flushed} ${logFolder}`);
    },
  });
  assert.deepEqual(started, [`wasm 1 8 4 0 ${result.logFolder}`]);
  assert.equal(result.stopped, "finished");
  assert.equal(result.epochs.length, 2);

  const auc4 = (auc: number) => auc.toFixed(4);
  const { best } = result;
  assert.ok(best !== undefined);
  const name = `model_mrnet_acl_coronal_val_auc_${auc4(best.valAuc)}` +
    `_train_auc_${auc4(best.trainAuc)}_epoch_${best.epoch}.safetensors`;
  assert.equal(result.checkpoint, folder.at("models", name));
  assert.deepEqual(await folder.files("models"), [name]);

  const logs = result.logFolder.slice(folder.path.length + 1);
  const files = await folder.files(logs);
  assert.equal(files.length, 5);
  assert.deepEqual(files.toSpliced(2, 1), [
    ...["config.json", "curves.html", "history.csv", "state.safetensors"],
  ]);
  const rows = (await folder.text(`${logs}/history.csv`)).trim().split("\n");
  assert.equal(rows.shift(), "epoch,train_loss,train_auc,val_loss,val_auc,lr,seconds");
  assert.deepEqual(
    rows.map((row) => row.split(",").map(Number)),
    result.epochs.map((e) => [
      ...[e.epoch, e.trainLoss, e.trainAuc, e.valLoss, e.valAuc, e.learningRate],
      Number(e.seconds.toFixed(3)),
    ]),
  );
  const events = readEvents(await Deno.readFile(folder.at(logs, files[2])), files[1]);
  const steps = (tag: string) =>
    events.filter(({ scalars }) => scalars.some((each) => each.tag === tag))
      .map(({ step }) => step);
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
  assert.deepEqual([steps("Train/Loss"), steps("Train/AUC")], [upTo(16), upTo(16)]);
  assert.deepEqual([steps("Val/Loss"), steps("Val/AUC")], [upTo(8), upTo(8)]);
  assert.deepEqual([steps("Train/AUC_epoch"), steps("Val/AUC_epoch")], [[1, 2], [1, 2]]);
});

test("the checkpoint is the best epoch's model, and says how it was made", async (folder) => {
  await writeTinyDataset(folder);
  const { best, checkpoint, logFolder } = await run(folder, {
    prefix: "try-1",
    schedule: "step",
    epochs: 2,
  });
  const { model, metadata } = await loadMRNet(checkpoint!);
  const which = { task: "acl", plane: "coronal", split: "valid" } as const;
  const valid = await openDataset({ data: folder.at("data"), ...which });
  const { auc, loss } = await evaluate(model, valid);
  model.dispose();
  assert.ok(Math.abs(auc - best!.valAuc) < 1e-4);
  assert.ok(Math.abs(loss - best!.valLoss) < 2e-4);
  const { task, plane, prefix, epoch, val_auc } = metadata;
  assert.deepEqual([task, plane, prefix], ["acl", "coronal", "try-1"]);
  assert.deepEqual([epoch, val_auc], [`${best!.epoch}`, `${best!.valAuc}`]);
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  const { engine, started, ...recipe } = config;
  assert.deepEqual(recipe, {
    task: "acl",
    plane: "coronal",
    prefix_name: "try-1",
    recipe: "reference",
    intensity: "raw",
    loss_weights: "output",
    epochs: 2,
    lr: 1e-4,
    lr_scheduler: "step",
    gamma: 0.5,
    patience: 5,
    plateau_patience: 3,
    plateau_factor: 0.3,
    weight_decay: 0.1,
    augment: true,
    rotation: 25,
    shift: 0.11,
    flip: 0.5,
    shuffle: true,
    seed: 1,
    data: folder.at("data"),
    models: folder.at("models"),
    logs: folder.at("logs"),
    weights: "none",
    save_model: true,
  });
  assert.match(engine, /^WebAssembly/);
  assert.ok(Math.abs(Date.parse(started) - Date.now()) < 120_000);
  assert.deepEqual(JSON.parse(metadata.config), recipe);
});

test("a recipe and what was changed of it are kept, and used to evaluate", async (folder) => {
  await writeTinyDataset(folder);
  const { best, checkpoint, logFolder } = await run(folder, {
    recipe: "stanford",
    rotation: 10,
    epochs: 2,
  });
  const { model, metadata, card } = await loadMRNet(checkpoint!);
  assert.equal(model.intensity, "standardized");
  assert.deepEqual([card.recipe, card.lossWeights, card.intensity], [
    "stanford",
    "class",
    "standardized",
  ]);
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  const { recipe, intensity, loss_weights, weight_decay, plateau_patience } = config;
  assert.deepEqual(
    [recipe, intensity, loss_weights, weight_decay, plateau_patience],
    ["stanford", "standardized", "class", 0.01, 5],
  );
  assert.deepEqual([config.rotation, config.shift, config.flip], [10, "25px", 0.5]);
  assert.equal(JSON.parse(metadata.config).recipe, "stanford");
  const which = { task: "acl", plane: "coronal", split: "valid" } as const;
  const valid = await openDataset({ data: folder.at("data"), ...which });
  const { auc, loss } = await evaluate(model, valid, { lossWeights: card.lossWeights });
  model.dispose();
  const { summary } = await evaluateModel({
    model: checkpoint!,
    data: folder.at("data"),
    engine: "wasm",
    seed: 1,
  });
  for (const evaluated of [{ auc, loss }, { auc: summary.auc.value, loss: summary.loss }]) {
    assert.ok(Math.abs(evaluated.auc - best!.valAuc) < 1e-4);
    assert.ok(Math.abs(evaluated.loss - best!.valLoss) < 2e-4);
  }
});

test("training goes on with the input that the weights are for", async (folder) => {
  await writeTinyDataset(folder);
  const { checkpoint } = await run(folder, { intensity: "standardized" });
  const intensity = async (more: More) => {
    let used: string | undefined;
    await run(folder, {
      weights: checkpoint!,
      logs: folder.at("more"),
      saveModel: false,
      onStart: ({ training }) => used = training.intensity,
      ...more,
    });
    return used;
  };
  assert.equal(await intensity({}), "standardized");
  assert.equal(await intensity({ recipe: "reference" }), "raw");
  assert.equal(await intensity({ recipe: "stanford", intensity: "raw" }), "raw");
});

/** Labels for 16 exams, so that both parts of a split have both classes. */
async function writeSixteen(folder: TemporaryFolder): Promise<string[]> {
  const ids = Array.from({ length: 16 }, (_, index) => String(index).padStart(4, "0"));
  for (const id of ids) await folder.write(`data/train/coronal/${id}.npy`, examBytes());
  const rows = ids.map((id, index) => `${id},${index % 2}\n`);
  await folder.write("data/train-acl.csv", rows.join(""));
  return ids;
}

test("with a tune split its exams are chosen by, and the validation set is not there", async (folder) => {
  const ids = await writeSixteen(folder);
  const tune = { fraction: 0.4, seed: 3 };
  const seen = { train: new Set<string>(), valid: new Set<string>() };
  const started: unknown[] = [];
  const { checkpoint, logFolder, best, chosenOn } = await run(folder, {
    tune,
    // Another seed of the run leaves the split as it is.
    seed: 77,
    onExam: ({ phase, id }) => seen[phase].add(id),
    onStart: ({ trainExams, validExams, chosenOn }) =>
      started.push(trainExams, validExams, chosenOn),
  });
  const kept = ids.filter((id) => isTuneExam(id, tune));
  assert.ok(kept.length > 1);
  assert.deepEqual([...seen.valid], kept);
  assert.deepEqual([...seen.train].sort(), ids.filter((id) => !kept.includes(id)));
  assert.deepEqual([...started, chosenOn], [16 - kept.length, kept.length, "tune", "tune"]);
  const { model, card, metadata } = await loadMRNet(checkpoint!);
  assert.deepEqual(card.tune, tune);
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  for (const each of [config, JSON.parse(metadata.config)]) {
    assert.deepEqual([each.tune, each.tune_seed, each.seed], [0.4, 3, 77]);
  }
  const which = { task: "acl", plane: "coronal", split: "tune", tune } as const;
  const { auc, predictions } = await evaluate(
    model,
    await openDataset({ data: folder.at("data"), ...which }),
  );
  model.dispose();
  assert.ok(Math.abs(auc - best!.valAuc) < 1e-4);
  const labels = predictions.map(({ label }) => label);
  const { threshold } = youdenPoint(labels, predictions.map(({ probability }) => probability));
  assert.equal(card.operatingPoint?.exams, "tune");
  assert.equal(card.operatingPoint.threshold, best!.threshold);
  assert.ok(Math.abs(threshold - best!.threshold) < 1e-4, `${threshold}, ${best!.threshold}`);
});

test("a wanted specificity is chosen by the tune split, kept in the file, and by no other exams", async (folder) => {
  await writeSixteen(folder);
  const operatingPoint = "specificity=0.5" as const;
  const tune = { fraction: 0.4, seed: 3 };
  await assert.rejects(run(folder, { operatingPoint }), {
    name: "OptionError",
    message: "Cannot choose the operating point specificity=0.5 by the validation exams, which " +
      "evaluate the model: keep exams out that choose it, with --tune 0.1",
  });
  const { checkpoint, best, logFolder } = await run(folder, { tune, operatingPoint });
  const { model, card } = await loadMRNet(checkpoint!);
  model.dispose();
  const { rule, threshold } = best!;
  assert.deepEqual(card.operatingPoint, { threshold, rule, exams: "tune" });
  // All exams look alike, so none can be told from the others.
  assert.deepEqual([rule, best!.unreached?.slice(0, 40)], [
    "youden",
    "No threshold reaches the specificity 0.5",
  ]);
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  assert.equal(config.operating_point, operatingPoint);
  await assert.rejects(
    run(folder, { resume: logFolder, operatingPoint: "cost=2", epochs: 2 }),
    /operating_point cost=2 instead of specificity=0\.5/,
  );
  const other = await run(folder, { resume: logFolder, epochs: 2 });
  assert.equal(other.epochs[1].unreached, best!.unreached);
});

test("the model's file says what it was made of, and what the card file says of it", async (folder) => {
  await writeSixteen(folder);
  const csv = (rows: string[]) =>
    ["id,split,plane,slices,side,sequence,study,source,grey_values,scanner,remarks", ...rows].join(
      "\n",
    );
  const row = (id: number, split: string, plane: string) =>
    `${String(id).padStart(4, "0")},${split},${plane},1,R,SE TR 3000 TE 31,s,${
      "0".repeat(16)
    },percentiles,Example 3 T,`;
  const rows = Array.from({ length: 16 }, (_, id) => row(id, "train", "coronal"));
  const others = [row(0, "valid", "coronal"), row(0, "train", "axial")];
  await folder.write("data/exams.csv", csv([...rows, ...others]));
  await folder.write("card.json", JSON.stringify({ license: "MIT", intended_use: "Research." }));
  const tune = { fraction: 0.4, seed: 3 };
  const more = { tune, card: folder.at("card.json") };
  const { checkpoint, logFolder } = await run(folder, more);
  const { model, card, metadata } = await loadMRNet(checkpoint!);
  model.dispose();
  assert.deepEqual(card.about, { license: "MIT", intendedUse: "Research." });
  assert.equal(card.toolkit, VERSION);
  assert.match(card.created!, /^\d{4}-\d{2}-\d{2}$/);
  assert.match(card.engine!, /^WebAssembly on the processor, /);
  assert.equal(card.epochRule, "auc");
  const { trainingSet, selectionSet, trainedExams, chosenExams } = card;
  const opened = { data: folder.at("data"), task: "acl", plane: "coronal", tune } as const;
  const { labels } = await openDataset({ ...opened, split: "train" });
  assert.deepEqual(trainingSet, {
    ...await describeLabels(labels),
    slices: trainingSet!.slices,
    sizes: [{ name: "64×64", exams: labels.length }],
    sequences: [{ name: "SE TR 3000 TE 31", exams: labels.length }],
    scanners: [{ name: "Example 3 T", exams: labels.length }],
  });
  const counts = [trainingSet!.exams, selectionSet!.exams];
  assert.deepEqual(counts, [trainedExams!.length, chosenExams!.length]);
  assert.equal(selectionSet!.sequences, undefined);
  // Beside the hash of each exam a card is small.
  const { trained_exams: _, chosen_exams: __, ...rest } = metadata;
  assert.ok(JSON.stringify(rest).length < 4000, JSON.stringify(rest));

  // A run that goes on reads the card again.
  await folder.write("card.json", JSON.stringify({ licence: "MIT" }));
  await assert.rejects(run(folder, { resume: logFolder, epochs: 2 }), {
    name: "DataError",
    message: `Cannot use the card '${more.card}': no card has the key 'licence' (meant is ` +
      "'license'?): see docs/reporting.md for the keys of a card",
  });
});

test("a run that keeps exams out starts from no model that was trained on them", async (folder) => {
  await writeSixteen(folder);
  const tune = { fraction: 0.4, seed: 3 };
  const weights = (await run(folder, { tune })).checkpoint!;
  const before = [await folder.files("models"), await folder.files("logs")];
  const more = { fraction: 0.5, seed: 3 };
  await assert.rejects(run(folder, { weights, tune: more, flushHistory: true }), {
    name: "OptionError",
    message: new RegExp(
      "^Cannot keep 0\\.5 of the training exams by seed 3 out of a training that starts from '.*', " +
        "which knows them: by their hashes it was trained on \\d of these \\d: start from ",
    ),
  });
  assert.deepEqual([await folder.files("models"), await folder.files("logs")], before);
  const { checkpoint } = await run(folder, { weights, tune, prefix: "further" });
  const { model, card } = await loadMRNet(checkpoint!);
  model.dispose();
  assert.deepEqual(card.tune, tune);
  // The exams are all alike.
  assert.deepEqual(card.earlierExams, [...new Set(card.trainedExams)]);
});

test("without a tune split nothing says that there is one", async (folder) => {
  await writeTinyDataset(folder);
  const { checkpoint, logFolder, chosenOn } = await run(folder);
  const { model, card } = await loadMRNet(checkpoint!);
  model.dispose();
  assert.deepEqual([card.tune, card.operatingPoint?.exams, chosenOn], [
    undefined,
    "valid",
    "valid",
  ]);
  assert.ok(!("tune" in JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`))));
});

test("the same seed gives the same model, another seed another one", async (folder) => {
  await writeTinyDataset(folder);
  const train = async (seed: number, logs: string) => {
    const models = folder.at(`models-${logs}`);
    const { epochs, checkpoint } = await run(folder, { seed, models, logs: folder.at(logs) });
    const bytes = await Deno.readFile(checkpoint!);
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    return { losses: epochs.map(({ trainLoss }) => trainLoss), tensors: bytes.slice(8 + header) };
  };
  const [first, again, other] = [await train(5, "a"), await train(5, "b"), await train(6, "c")];
  assert.deepEqual(again.losses, first.losses);
  assert.equal(again.tensors.length, 4 * 2_470_210);
  assert.ok(again.tensors.every((byte, i) => byte === first.tensors[i]));
  assert.ok(other.tensors.some((byte, i) => byte !== first.tensors[i]));
  assert.notDeepEqual(other.losses, first.losses);
});

test("a drawn seed is returned, and repeats the run", async (folder) => {
  await writeTinyDataset(folder);
  const drawn = await run(folder, { seed: undefined, saveModel: false });
  assert.ok(Number.isSafeInteger(drawn.seed));
  const again = await run(folder, { seed: drawn.seed, saveModel: false });
  const losses = ({ epochs }: RunResult) =>
    epochs.map(({ trainLoss, valLoss }) => [trainLoss, valLoss]);
  assert.deepEqual(losses(again), losses(drawn));
});

test("without a model to save no folder of models is made", async (folder) => {
  await writeTinyDataset(folder);
  const kept: unknown[] = [];
  const { checkpoint } = await run(folder, {
    saveModel: false,
    onEpoch: (_, path) => void kept.push(path),
  });
  assert.equal(checkpoint, undefined);
  assert.deepEqual(kept, [undefined]);
  await assert.rejects(Deno.stat(folder.at("models")), Deno.errors.NotFound);
});

test("a run can keep its exams in memory, and gets the same metrics", async (folder) => {
  await writeTinyDataset(folder);
  const fromDisk = await run(folder, { epochs: 2, saveModel: false });
  const inMemory = await run(folder, {
    epochs: 2,
    saveModel: false,
    inMemory: true,
    // From the second epoch on nothing is read.
    onEpoch({ epoch }) {
      if (epoch === 1) Deno.removeSync(folder.at("data"), { recursive: true });
    },
  });
  assert.equal(inMemory.epochs.length, 2);
  assert.deepEqual(
    inMemory.epochs.map(({ trainLoss }) => trainLoss),
    fromDisk.epochs.map(({ trainLoss }) => trainLoss),
  );
});

test("whatever is wrong at the start is found before anything is written", async (folder) => {
  await writeTinyDataset(folder);
  await folder.write("file", "");
  await folder.write("no-weights.pth", "not weights");
  const cases: [more: More, error: string, message: RegExp][] = [
    [{ data: folder.at("nowhere") }, "DataError", /there is no '.*nowhere'/],
    [{ plane: "axial" }, "DataError", /Cannot use 2 of the 2 exams/],
    [{ task: "meniscus" }, "DataError", /there is no '.*train-meniscus\.csv'/],
    [{ epochs: 0 }, "OptionError", /epochs 0/],
    [{ learningRate: NaN }, "OptionError", /learningRate NaN/],
    [{ prefix: "../x" }, "OptionError", /prefix '\.\.\/x'/],
    [{ weights: folder.at("none.safetensors") }, "WeightsError", /none\.safetensors/],
    [{ weights: folder.at("no-weights.pth") }, "WeightsError", /no-weights\.pth/],
    [
      { models: folder.at("file") },
      "OutputError",
      /folder '.*file': it exists already: move the file/,
    ],
  ];
  for (const [more, name, message] of cases) {
    await assert.rejects(run(folder, more), { name, message });
    assert.deepEqual(await folder.files("logs"), [], `${message}`);
    assert.deepEqual(await folder.files("models"), [], `${message}`);
  }
  await assert.rejects(run(folder, { logs: folder.at("file") }), { name: "OutputError" });
  assert.deepEqual(await folder.files("models"), []);
});

test("a folder of models that cannot be written is found before the first exam", async (folder) => {
  await writeTinyDataset(folder);
  // The probe's neighbour cannot be made where the folder is a link to nothing.
  await Deno.mkdir(folder.at("gone"));
  await Deno.symlink(folder.at("gone"), folder.at("models"));
  await Deno.remove(folder.at("gone"));
  let exams = 0;
  await assert.rejects(run(folder, { onExam: () => exams++ }), { name: "OutputError" });
  assert.equal(exams, 0);
});

test("an exam that breaks later on ends the run, which says what it kept", async (folder) => {
  await writeTinyDataset(folder);
  const broken = folder.at("data/train/coronal/0001.npy");
  // Both are float32 of the right shape; the second overflows in the network.
  const nan = new Float32Array(2 * 64 * 64).fill(NaN);
  const huge = new Float32Array(2 * 64 * 64).fill(3.4e38);
  const cases: [file: Uint8Array, error: string, message: RegExp][] = [
    [encodeNpy(nan, [2, 64, 64]), "DataError", /^Cannot use '.*0001\.npy' as an exam: 8192 of its/],
    [
      encodeNpy(huge, [2, 64, 64]),
      "TrainingError",
      /^Cannot go on training: .* epoch 2( is (NaN|-?Infinity))?: lower --lr/,
    ],
  ];
  for (const [file, name, message] of cases) {
    let kept: string | undefined;
    let epochs = 0;
    const onEpoch: RunOptions["onEpoch"] = (_, checkpoint) => {
      epochs++;
      kept = checkpoint;
      Deno.writeFileSync(broken, file);
    };
    const running = run(folder, { epochs: 3, shuffle: false, onEpoch });
    await assert.rejects(running, (error: Error) => {
      assert.equal(error.name, name);
      assert.match(error.message, message);
      assert.ok(kept !== undefined);
      assert.ok(
        error.message.endsWith(`; the best model so far is kept in '${kept}'`),
        error.message,
      );
      return true;
    });
    assert.equal(epochs, 1);
    const { model } = await loadMRNet(kept!);
    model.dispose();
    const data = voxels(1, 2 * 64 * 64);
    await Deno.writeFile(broken, examBytes(data));
    await Deno.remove(folder.at("models"), { recursive: true });
  }
  // Of both runs the logs are whole: the first epoch is in them.
  for (const name of await folder.files("logs")) {
    assert.ok(!name.endsWith(".part"));
    if (name.endsWith("history.csv")) {
      assert.equal((await folder.text(`logs/${name}`)).split("\n").length, 3);
    }
  }
});

test("what a callback throws is passed on as it is", async (folder) => {
  await writeTinyDataset(folder);
  const fault = new Error("thrown by the caller");
  const fail = () => {
    throw fault;
  };
  await assert.rejects(run(folder, { onStart: fail }), fault);
  await assert.rejects(run(folder, { onExam: fail }), fault);
  await assert.rejects(run(folder, { onEpoch: fail }), fault);
  assert.equal(fault.message, "thrown by the caller");
});

test("a run that is interrupted while it fetches weights writes nothing", async (folder) => {
  await writeTinyDataset(folder);
  const running = run(folder, { weights: "imagenet", signal: AbortSignal.abort() });
  await assert.rejects(running, { name: "AbortError" });
  assert.deepEqual([await folder.files("models"), await folder.files("logs")], [[], []]);
});

test("an interrupted run returns what it has", async (folder) => {
  await writeTinyDataset(folder);
  const stop = new AbortController();
  const { epochs, stopped, checkpoint } = await run(folder, {
    epochs: 9,
    signal: stop.signal,
    onExam: ({ epoch }) => epoch === 2 && stop.abort(),
  });
  assert.deepEqual([epochs.length, stopped], [1, "interrupted"]);
  assert.deepEqual(await folder.files("models"), [checkpoint!.replace(/^.*\//, "")]);
});

test("earlier logs of the task and plane are removed where that is asked for", async (folder) => {
  await writeTinyDataset(folder);
  await folder.write("logs/acl/coronal/20200101-000000/history.csv", "x");
  await folder.write("logs/acl/axial/20200101-000000/history.csv", "x");
  const flushed: number[] = [];
  const onStart: RunOptions["onStart"] = (start) => void flushed.push(start.flushed);
  await run(folder, { onStart, saveModel: false });
  const second = await run(folder, { onStart, saveModel: false, flushHistory: true });
  assert.deepEqual(flushed, [0, 2]);
  const kept = await folder.files("logs");
  const prefix = `${second.logFolder.slice(folder.at("logs").length + 1)}/`;
  assert.equal(kept.filter((name) => name.startsWith(prefix)).length, 5);
  assert.deepEqual(kept.filter((name) => !name.startsWith(prefix)), [
    "acl/axial/20200101-000000/history.csv",
  ]);
});

/** What a process holds, in bytes. */
interface Held {
  tensors: number;
  heap: number;
  wasm: number;
  resident: number;
}

Deno.test("memory stays flat from epoch to epoch", async () => {
  const epochs = await printedBy<Held[]>(
    `import { train } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url))};
     import * as tf from "npm:@tensorflow/tfjs@4.22.0";
     const epochs = [];
     await train({
       data: Deno.args[0], task: "acl", plane: "coronal", weights: "none", engine: "wasm",
       seed: 1, epochs: 3, saveModel: false,
       onEpoch() {
         gc();
         const { heapUsed: heap, rss: resident } = Deno.memoryUsage();
         const tensors = tf.memory().numTensors;
         const wasm = tf.backend().wasm.HEAPU8.length;
         epochs.push({ tensors, heap, wasm, resident });
       },
     });
     console.log(JSON.stringify(epochs));`,
    NUMPY_DATASET,
  );
  const out = JSON.stringify(epochs);
  assert.equal(epochs.length, 3);
  const [first, , last] = epochs;
  assert.equal(new Set(epochs.map(({ tensors }) => tensors)).size, 1, out);
  assert.equal(last.wasm, first.wasm, out);
  // Measured: 0.1 MB more on the heap; what is resident moves by 40 MB either way, as pages that
  // were freed go back to the system when it sees fit. A leak of 2 MB an exam would be 48 MB.
  assert.ok(last.heap - first.heap < 1e6, out);
  assert.ok(last.resident - first.resident < 100e6, out);
});
