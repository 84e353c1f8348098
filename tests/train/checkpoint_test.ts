import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { startEngine } from "../../lib/engine/engine.ts";
import {
  BestCheckpoint,
  checkpointName,
  type CheckpointOptions,
  checkPrefix,
  isCheckpointName,
} from "../../lib/train/checkpoint.ts";
import type { EpochReport } from "../../lib/train/reports.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { tinyModel } from "../support/tiny_model.ts";
import { decodeSafetensors } from "../support/weights.ts";

await startEngine("cpu");

function report(epoch: number, valAuc: number, trainAuc = 0.75): EpochReport {
  const losses = { trainLoss: 0.6, valLoss: 0.5 };
  const learningRate = 1e-5;
  const chosen = { threshold: 0.375, rule: "youden" } as const;
  return { epoch, trainAuc, valAuc, ...chosen, ...losses, learningRate, seconds: 1, isBest: true };
}

function options(folder: TemporaryFolder, prefix = "mrnet"): CheckpointOptions {
  const card = { config: { seed: 1 } };
  return {
    folder: folder.path,
    prefix,
    task: "acl",
    plane: "sagittal",
    chosenOn: "valid",
    card,
    run: "this",
  };
}

Deno.test("a checkpoint is named as the original script names it", () => {
  const which = { prefix: "mrnet", task: "acl", plane: "sagittal" } as const;
  assert.equal(
    checkpointName(which, { valAuc: 0.9375, trainAuc: 0.8, epoch: 12 }),
    "model_mrnet_acl_sagittal_val_auc_0.9375_train_auc_0.8000_epoch_12.safetensors",
  );
  assert.match(
    checkpointName(which, { valAuc: 1, trainAuc: NaN, epoch: 1 }),
    /_val_auc_1\.0000_train_auc_0\.5000_epoch_1\./,
  );
});

Deno.test("a prefix cannot lead out of the folder or break the name", () => {
  for (const good of ["mrnet", "a", "run-2", "x_y.z", "A".repeat(64)]) checkPrefix(good);
  for (
    const bad of [
      "",
      ".",
      "..",
      "../x",
      "a/b",
      "a\\b",
      "a b",
      "a\0",
      "a\nb",
      "é",
      "C:",
      "A".repeat(65),
      "*",
    ]
  ) {
    assert.throws(() => checkPrefix(bad), {
      name: "OptionError",
      message: `Cannot name a model with the prefix '${bad}': ` +
        "use up to 64 letters, digits, dots, hyphens and underscores, not dots alone",
    });
    const which = {
      folder: "models",
      task: "acl",
      plane: "axial",
      chosenOn: "tune",
      card: {},
      run: "this",
    } as const;
    assert.throws(() => new BestCheckpoint({ ...which, prefix: bad }), { name: "OptionError" });
  }
});

Deno.test("the file holds the parameters and says how they were made", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel(0.25);
  const checkpoint = new BestCheckpoint(options(folder));
  assert.equal(checkpoint.path, undefined);
  const path = await checkpoint.keep(model, report(3, 0.9, NaN));
  assert.equal(checkpoint.path, path);
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(path), path);
  assert.deepEqual([...tensors.get("weight")!.data], [0.25]);
  const { created, toolkit, ...others } = metadata;
  assert.match(created, /^\d{4}-\d{2}-\d{2}$/);
  assert.equal(toolkit, config.version);
  assert.deepEqual(others, {
    format: "pt",
    card_version: "1",
    config: '{"seed":1}',
    prefix: "mrnet",
    run: "this",
    task: "acl",
    plane: "sagittal",
    epoch: "3",
    epoch_rule: "auc",
    val_auc: "0.9",
    val_loss: "0.5",
    train_auc: "NaN",
    train_loss: "0.6",
    intensity: "raw",
    operating_point: '{"threshold":0.375,"rule":"youden","exams":"valid"}',
  });
  model.dispose();
});

Deno.test("a better epoch replaces the file of the one before, and no other file", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const another = await new BestCheckpoint(options(folder)).keep(model, report(1, 0.6));
  const third = await new BestCheckpoint(options(folder, "other")).keep(model, report(1, 0.7));
  await folder.write("model_mrnet_acl_sagittal_notes.txt", "mine");
  const checkpoint = new BestCheckpoint(options(folder));
  const kept: string[] = [];
  for (const [epoch, auc] of [[1, 0.7], [2, 0.8], [5, 0.95]]) {
    kept.push(await checkpoint.keep(model, report(epoch, auc)));
    const expected = [another, third, kept.at(-1)!, folder.at("model_mrnet_acl_sagittal_notes.txt")]
      .map((path) => path.slice(folder.path.length + 1));
    assert.deepEqual(await folder.files(), expected.sort());
  }
  assert.match(kept.at(-1)!, /val_auc_0\.9500_train_auc_0\.7500_epoch_5\.safetensors$/);
  model.dispose();
});

Deno.test("an epoch of the same name replaces the file with itself", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const checkpoint = new BestCheckpoint(options(folder));
  const first = await checkpoint.keep(model, report(1, 0.7));
  assert.equal(await checkpoint.keep(model, report(1, 0.7)), first);
  assert.equal((await folder.files()).length, 1);
  model.dispose();
});

Deno.test("where the better one cannot be written the earlier one stays", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const checkpoint = new BestCheckpoint(options(folder));
  const first = await checkpoint.keep(model, report(1, 0.7));
  const better = report(2, 0.8);
  await Deno.mkdir(folder.at(checkpointName(options(folder), better)));
  await assert.rejects(checkpoint.keep(model, better), {
    name: "OutputError",
    message: /^Cannot write '.*_epoch_2\.safetensors': /,
  });
  assert.equal(checkpoint.path, first);
  assert.deepEqual((await folder.files()).map((name) => folder.at(name)), [first]);
  // Once the obstacle is gone the next one is kept, and the earlier one goes.
  const next = await checkpoint.keep(model, report(3, 0.9));
  assert.deepEqual((await folder.files()).map((name) => folder.at(name)), [next]);
  model.dispose();
});

Deno.test("an earlier file that somebody took away is no obstacle", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const checkpoint = new BestCheckpoint(options(folder));
  await Deno.remove(await checkpoint.keep(model, report(1, 0.7)));
  const path = await checkpoint.keep(model, report(2, 0.8));
  assert.deepEqual((await folder.files()).map((name) => folder.at(name)), [path]);
  model.dispose();
});

Deno.test("a file of the same name that another run has left is left alone", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const of = (run: string) => ({ ...options(folder), run });
  const first = await new BestCheckpoint(of("one")).keep(model, report(1, 0.7));
  const checkpoint = new BestCheckpoint(of("two"));
  const second = await checkpoint.keep(model, report(1, 0.7));
  assert.equal(second, first.replace(/\.safetensors$/, "-2.safetensors"));
  const third = await checkpoint.keep(model, report(2, 0.8));
  assert.deepEqual((await folder.files()).map((name) => folder.at(name)), [first, third]);
  for (const path of [first, third]) decodeSafetensors(await Deno.readFile(path), path);
  const names = [first, second, third].map((path) => path.slice(folder.path.length + 1));
  assert.ok(names.every((name) => isCheckpointName(name, options(folder))));
  for (const bad of ["x", `../${names[0]}`, `${names[0]}.part`, names[0].replace("acl", "knee")]) {
    assert.ok(!isCheckpointName(bad, options(folder)), bad);
  }
  // What is no model of this toolkit is somebody's, too.
  await folder.write(names[0], "mine");
  await new BestCheckpoint(of("one")).keep(model, report(1, 0.7));
  assert.equal(await folder.text(names[0]), "mine");
  model.dispose();
});

Deno.test("a run that was killed finds the file that it had written itself", async () => {
  await using folder = await TemporaryFolder.make();
  const model = tinyModel();
  const killed = new BestCheckpoint(options(folder));
  const before = await killed.keep(model, report(1, 0.7));
  // The kill comes when the new file is whole and the earlier one has not gone.
  const after = killed.keep(model, report(2, 0.8), () => Promise.reject(new Error("killed")));
  await assert.rejects(after, /killed/);
  assert.equal((await folder.files()).length, 2);
  const again = new BestCheckpoint(options(folder), before);
  assert.equal(again.path, before);
  const path = await again.keep(model, report(2, 0.8));
  assert.deepEqual((await folder.files()).map((name) => folder.at(name)), [path]);
  assert.match(path, /_epoch_2\.safetensors$/);
  model.dispose();
});
