import assert from "node:assert/strict";
import { RunLog } from "../../lib/train/run_log.ts";
import type { EpochReport, ExamReport } from "../../lib/train/reports.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { readEvents } from "../support/events.ts";

const WHICH = { task: "acl", plane: "axial" } as const;

function exam(phase: "train" | "valid", epoch: number, done: number, auc: number): ExamReport {
  const result = { loss: done / 8, logits: [0, 0] as [number, number], probability: 0.5 };
  const of = { total: phase === "train" ? 300 : 4, id: "0000" };
  return { phase, epoch, done, ...of, ...result, meanLoss: 9, auc, learningRate: 1e-5 };
}

function epoch(number: number, auc = 0.75): EpochReport {
  const losses = { trainLoss: 0.5123, valLoss: 0.625 };
  const aucs = { trainAuc: auc, valAuc: 0.8, threshold: 0.5, rule: "youden" } as const;
  return {
    epoch: number,
    ...losses,
    ...aucs,
    learningRate: 1e-5,
    seconds: 12.3456,
    isBest: true,
  };
}

/** The scalars of the only event file in a folder, as `tag step value`. */
async function scalars(folder: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const name = names.find((name) => name.startsWith("events.out.tfevents."))!;
  const events = readEvents(await Deno.readFile(`${folder}/${name}`), name);
  return events.flatMap(({ step, scalars }) =>
    scalars.map(({ tag, value }) => `${tag} ${step} ${value}`)
  );
}

Deno.test("config.json is there before the first exam, and can be read by people", async () => {
  await using folder = await TemporaryFolder.make();
  const log = await RunLog.create(folder.at("logs"), WHICH, { task: "acl", lr: 1e-5, seed: 7 });
  assert.match(log.folder, /\/logs\/acl\/axial\/\d{8}-\d{6}$/);
  const text = await Deno.readTextFile(`${log.folder}/config.json`);
  assert.equal(text, '{\n  "task": "acl",\n  "lr": 0.00001,\n  "seed": 7\n}\n');
  await log.close();
});

Deno.test("exams and epochs are logged under the original tags, each with its step", async () => {
  await using folder = await TemporaryFolder.make();
  const log = await RunLog.create(folder.path, WHICH, {});
  log.exam(exam("train", 1, 1, NaN));
  log.exam(exam("train", 1, 2, 0.25));
  log.exam(exam("valid", 1, 4, 1));
  await log.epoch(epoch(1));
  log.exam(exam("train", 2, 1, 0.25));
  log.exam(exam("valid", 2, 1, NaN));
  await log.close();
  assert.deepEqual(await scalars(log.folder), [
    "Train/Loss 0 0.125",
    // Undefined is logged as the reference does.
    "Train/AUC 0 0.5",
    "Train/Loss 1 0.25",
    "Train/AUC 1 0.25",
    "Val/Loss 3 0.5",
    "Val/AUC 3 1",
    "Train/AUC_epoch 1 0.75",
    `Val/AUC_epoch 1 ${Math.fround(0.8)}`,
    "Train/Loss 300 0.125",
    "Train/AUC 300 0.25",
    "Val/Loss 4 0.125",
    "Val/AUC 4 0.5",
  ]);
});

Deno.test("history.csv has a row an epoch and is whole after each", async () => {
  await using folder = await TemporaryFolder.make();
  const log = await RunLog.create(folder.path, WHICH, {});
  const history = () => Deno.readTextFile(`${log.folder}/history.csv`);
  await assert.rejects(history(), Deno.errors.NotFound);
  const head = "epoch,train_loss,train_auc,val_loss,val_auc,lr,seconds\n";
  await log.epoch(epoch(1));
  assert.equal(await history(), `${head}1,0.5123,0.75,0.625,0.8,0.00001,12.346\n`);
  await log.epoch(epoch(2, NaN));
  assert.equal(
    await history(),
    `${head}1,0.5123,0.75,0.625,0.8,0.00001,12.346\n2,0.5123,NaN,0.625,0.8,0.00001,12.346\n`,
  );
  await log.close();
  const names = (await Array.fromAsync(Deno.readDir(log.folder))).map(({ name }) => name);
  assert.ok(names.every((name) => !name.endsWith(".part")));
});

Deno.test("events reach the file every hundred exams, so that a run can be followed", async () => {
  await using folder = await TemporaryFolder.make();
  const log = await RunLog.create(folder.path, WHICH, {});
  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));
  for (let done = 1; done < 100; done++) log.exam(exam("train", 1, done, 0.5));
  await pause();
  assert.equal((await scalars(log.folder)).length, 0);
  log.exam(exam("train", 1, 100, 0.5));
  for (let tries = 0; (await scalars(log.folder)).length < 200 && tries < 500; tries++) {
    await pause();
  }
  assert.equal((await scalars(log.folder)).length, 200);
  for (let done = 101; done <= 150; done++) log.exam(exam("train", 1, done, 0.5));
  await log.close();
  assert.equal((await scalars(log.folder)).length, 300);
});

Deno.test("a log that cannot begin leaves no folder behind", async () => {
  await using folder = await TemporaryFolder.make();
  // JSON has no big integers, which stands in for whatever else may go wrong.
  await assert.rejects(RunLog.create(folder.at("logs"), WHICH, { seed: 1n }), TypeError);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.at("logs/acl/axial"))), []);
});

Deno.test("a folder that vanishes is an error of the epoch, and closing still works", async () => {
  await using folder = await TemporaryFolder.make();
  const log = await RunLog.create(folder.at("logs"), WHICH, {});
  await Deno.remove(folder.at("logs"), { recursive: true });
  await assert.rejects(log.epoch(epoch(1)), {
    name: "OutputError",
    message: /^Cannot write '.*history\.csv': there is no such file or folder: check that/,
  });
  await log.close();
});
