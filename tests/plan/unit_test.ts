import assert from "node:assert/strict";
import { lockRun } from "../../lib/logs/run_lock.ts";
import { describeFailure, FAILURE } from "../../lib/plan/failed_file.ts";
import { formatNote } from "../../lib/plan/unit_note.ts";
import { gatherPlan, planStatus } from "../../lib/plan/gather.ts";
import { makePlan } from "../../lib/plan/make_plan.ts";
import type { TrainPlanOptions } from "../../lib/plan/options.ts";
import { openPlan } from "../../lib/plan/plan_file.ts";
import { runUnit, type UnitOptions } from "../../lib/plan/unit.ts";
import { readUnit } from "../../lib/plan/unit_file.ts";
import type { DoneModel } from "../../lib/plan/done_model.ts";
import { readMRNet } from "../../lib/model/weights/read.ts";
import { TASKS } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { memberName, writeMember, writePlanes } from "../support/combined.ts";
import { copyFolder, TemporaryFolder } from "../support/folders.ts";

/** A plan of two folds of one task and plane. */
async function prepare(folder: TemporaryFolder, more: Partial<TrainPlanOptions> = {}) {
  await writePlanes(folder, { train: 24, valid: 6 }, TASKS);
  const out = folder.at("plan");
  await makePlan({
    ...{ kind: "folds", folds: 2, stratify: true, tasks: ["acl"], planes: ["axial"], out },
    ...{ data: folder.at("data"), weights: "none", seed: 1, threads: 1, engine: "wasm" },
    ...{ epochs: 2, learningRate: 1e-4, tune: { fraction: 0.5, seed: 0 }, ...more },
  });
  return out;
}

async function resultOf(out: string, index: number): Promise<DoneModel | undefined> {
  const opened = await openPlan(out);
  return await readUnit(out, opened, opened.plan.units[index]) as DoneModel | undefined;
}

/** Every file of a folder with its bytes. */
async function contents(folder: TemporaryFolder, name: string): Promise<Map<string, string>> {
  const files = await folder.files(name);
  return new Map(
    await Promise.all(
      files.map(async (file) =>
        [file, (await Deno.readFile(folder.at(name, file))).toHex()] as const
      ),
    ),
  );
}

Deno.test("a unit trains, evaluates its fold, and once done changes nothing", async (t) => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  const begun: string[] = [];
  const onUnit: UnitOptions["onUnit"] = ({ id }) => begun.push(id);
  const done = await runUnit(out, { index: 1, onUnit });
  assert.deepEqual([done.state, done.begun, done.unit?.id], ["done", true, "acl-axial-fold2"]);

  await t.step(
    "its file has the predictions for the exams of the fold, and of no other",
    async () => {
      const held = (await folder.text("plan/folds.csv")).trim().split("\n")
        .filter((row) => row.endsWith(",2")).map((row) => row.split(",")[0]);
      const result = (await resultOf(out, 1))!;
      assert.deepEqual(result.fold!.map(([id]) => id), held);
      assert.deepEqual([result.foldExams!.length, result.valid.length], [12, 6]);
      assert.ok(result.tune.every(([id]) => !held.includes(id)));
      const { tensors } = await readMRNet(
        folder.at("plan/units/acl-axial-fold2", result.checkpoint),
      );
      assert.equal(tensors.size, 12);
      const folders = [...new Set((await folder.files("plan")).map((file) => file.split("/")[0]))];
      assert.deepEqual(folders, ["folds.csv", "plan.json", "units"]);
    },
  );

  await t.step("doing it again changes no file", async () => {
    const before = await contents(folder, "plan");
    const tensors = tf.memory().numTensors;
    const again = await runUnit(out, { index: 1, onUnit: () => assert.fail() });
    assert.deepEqual([again.state, again.begun], ["done", false]);
    assert.deepEqual(await contents(folder, "plan"), before);
    assert.equal(tf.memory().numTensors, tensors);
  });

  await t.step("a second copy is told that it is busy, and only one does it", async () => {
    const copies = await Promise.all([
      runUnit(out, { index: 0, onUnit }),
      runUnit(out, { index: 0, onUnit }),
    ]);
    assert.deepEqual(copies.map(({ state }) => state).sort(), ["busy", "done"]);
    assert.deepEqual(begun, ["acl-axial-fold2", "acl-axial-fold1"]);
  });

  await t.step("without a number all are done", async () => {
    assert.deepEqual(await runUnit(out), { state: "done", begun: false });
  });
});

Deno.test("a stopped unit goes on to the bits of one that never was, wherever the plan is called from", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  await copyFolder(out, folder.at("whole"));
  assert.equal((await runUnit(folder.at("whole"), { index: 0 })).state, "done");

  const stop = new AbortController();
  const stopped = await runUnit(out, {
    signal: stop.signal,
    onExam: ({ epoch }) => epoch === 2 && stop.abort(),
  });
  assert.deepEqual([stopped.state, stopped.unit?.index], ["saved", 0]);
  assert.equal(await resultOf(out, 0), undefined);
  // The same folder under another name.
  await Deno.symlink(out, folder.at("other"));
  let epochs: number | undefined;
  const done = await runUnit(folder.at("other"), {
    index: 0,
    onStart: ({ resumed }) => void (epochs = resumed?.epochs),
  });
  assert.deepEqual([done.state, epochs], ["done", 1]);
  const [one, other] = await Promise.all([resultOf(out, 0), resultOf(folder.at("whole"), 0)]);
  const weights = async (name: string, { checkpoint }: DoneModel) =>
    (await readMRNet(folder.at(name, "units/acl-axial-fold1", checkpoint))).tensors;
  assert.deepEqual(await weights("plan", one!), await weights("whole", other!));
  assert.deepEqual(one!.fold, other!.fold);
});

Deno.test("a unit that was killed before its first state begins anew", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  const logs = "plan/units/acl-axial-fold1/logs/acl/axial";
  await folder.write(`${logs}/20260101-000000/config.json`, "{");
  const { state } = await runUnit(out, { index: 0, onRemark: () => assert.fail() });
  assert.equal(state, "done");
  assert.equal((await Array.fromAsync(Deno.readDir(folder.at(logs)))).length, 1);

  // A state that cannot be used is said to be none.
  const second = "plan/units/acl-axial-fold2/logs/acl/axial/20260101-000000";
  await folder.write(`${second}/config.json`, "{");
  await folder.write(`${second}/state.safetensors`, "none");
  const remarks: string[] = [];
  await runUnit(out, { index: 1, onRemark: (remark) => remarks.push(remark) });
  assert.match(remarks.join(), /^The state in '.*' does not fit this plan .*: begins anew$/);
});

Deno.test("the first unit that nobody does is taken, and if all are taken it is busy", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder, { epochs: 1 });
  const hold = async (id: string) => {
    await Deno.mkdir(`${out}/units/${id}`, { recursive: true });
    return (await lockRun(`${out}/units/${id}`))!;
  };
  const first = await hold("acl-axial-fold1");
  const stop = new AbortController();
  const outcome = await runUnit(out, { signal: stop.signal, onExam: () => stop.abort() });
  assert.deepEqual([outcome.state, outcome.unit?.index], ["saved", 1]);
  const second = await hold("acl-axial-fold2");
  assert.deepEqual(await runUnit(out), { state: "busy", begun: false });
  await Promise.all([first.release(), second.release()]);
});

Deno.test("a unit is not done on other labels, exams, folds or weights than were planned for", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder);
  const refuses = async (file: string, changed: string, what: string) => {
    const before = await folder.text(file);
    await folder.write(file, changed);
    await assert.rejects(runUnit(out, { index: 0, onUnit: () => assert.fail() }), {
      name: "DataError",
      message: `Cannot go on with the plan '${out}': ${what} changed after it was made: ` +
        "give back what was there, or plan anew into another folder",
    });
    await folder.write(file, before);
  };
  const labels = await folder.text("data/train-acl.csv");
  const at = (name: string) => `'${folder.at(name)}'`;
  await refuses(
    "data/train-acl.csv",
    labels.replace("0000,0", "0000,1"),
    `the labels ${at("data/train-acl.csv")}`,
  );
  const folds = await folder.text("plan/folds.csv");
  await refuses(
    "plan/folds.csv",
    folds.replace("0000,1", "0000,2"),
    `the folds ${at("plan/folds.csv")}`,
  );
  const exam = await Deno.readFile(folder.at("data/train/axial/0003.npy"));
  await Deno.truncate(folder.at("data/train/axial/0003.npy"), exam.length - 1);
  await assert.rejects(
    runUnit(out, { index: 0 }),
    /the axial exams in '.*data', by their names and/,
  );
  await Deno.writeFile(folder.at("data/train/axial/0003.npy"), exam);

  await assert.rejects(runUnit(out, { index: 2 }), {
    name: "OptionError",
    message: "Cannot do unit 2: the plan has units 0 to 1: give one of them",
  });
  await folder.write("plan/units/acl-axial-fold1/unit.json", "{}");
  const path = folder.at("plan/units/acl-axial-fold1/unit.json");
  await assert.rejects(runUnit(out, { index: 0 }), {
    name: "DataError",
    message: `Cannot read the unit '${path}': it is not a 'mrnet-unit' file of version 1: ` +
      "move it away to do the unit again",
  });
});

Deno.test("a unit does not start from other weights than were planned for", async () => {
  await using folder = await TemporaryFolder.make();
  const tune = { fraction: 0.5, seed: 0 };
  const weights = await writeMember(folder, "axial", { tune });
  const out = await prepare(folder, {
    kind: "all",
    folds: undefined,
    stratify: undefined,
    weights,
  });
  await writeMember(folder, "coronal", { tune }, memberName("axial"));
  await assert.rejects(runUnit(out, { index: 0, onUnit: () => assert.fail() }), {
    name: "DataError",
    message:
      `Cannot go on with the plan '${out}': the starting weights '${weights}' changed after ` +
      "it was made: give back what was there, or plan anew into another folder",
  });
});

Deno.test("why a unit failed is told until it is begun again, and those that failed come last", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder, { epochs: 1 });
  const labels = await folder.text("data/train-acl.csv");
  await folder.write("data/train-acl.csv", labels.replace("0000,0", "0000,1"));
  const reason =
    `Cannot go on with the plan '${out}': the labels '${folder.at("data")}/train-acl.csv' ` +
    "changed after it was made: give back what was there, or plan anew into another folder";
  await assert.rejects(runUnit(out), { name: "DataError", message: reason });
  await folder.write("data/train-acl.csv", labels);
  assert.deepEqual((await planStatus(out)).units, [
    { index: 0, id: "acl-axial-fold1", done: false, failed: reason },
    { index: 1, id: "acl-axial-fold2", done: false },
  ]);
  await assert.rejects(gatherPlan(out), {
    name: "DataError",
    message:
      /: 2 of 2 units are not done: 0 \(acl-axial-fold1\), which failed, 1 \(acl-axial-fold2\) \(Cannot go on .*\): /,
  });

  // Stopped at once, it is neither done nor failed.
  const begin = async () => {
    const stop = new AbortController();
    return await runUnit(out, { signal: stop.signal, onExam: () => stop.abort() });
  };
  assert.equal((await begin()).unit?.index, 1);
  const held = (await lockRun(`${out}/units/acl-axial-fold2`))!;
  assert.equal((await begin()).unit?.index, 0);
  await held.release();
  const { units } = await planStatus(out);
  assert.deepEqual(units.map(({ failed }) => failed), [undefined, undefined]);
  assert.ok(!(await folder.files("plan")).join().includes("failed.json"));

  // A mark of another plan is none; a damaged one is refused by name.
  const mark = "plan/units/acl-axial-fold1/failed.json";
  await folder.write(
    mark,
    formatNote(
      { plan: "0".repeat(64), id: "acl-axial-fold1" },
      FAILURE,
      describeFailure("x"),
    ),
  );
  assert.equal((await planStatus(out)).units[0].failed, undefined);
  await folder.write(mark, "{}");
  await assert.rejects(planStatus(out), {
    name: "DataError",
    message: `Cannot read why a unit failed from '${folder.at(mark)}': it is not a ` +
      "'mrnet-failed-unit' file of version 1: remove it",
  });
});

Deno.test("a unit that kept no model has failed", async () => {
  await using folder = await TemporaryFolder.make();
  // Dark and bright exams, and a network that learns nothing: it ranks them all rightly or all wrongly.
  const out = await prepare(folder, { epochs: 1, learningRate: 1e-12 });
  for (const split of ["train", "valid"]) {
    const labels = await folder.text(`data/${split}-acl.csv`);
    await folder.write(`swapped/${split}-acl.csv`, labels.replace(/,(.)/g, (_, l) => `,${1 - l}`));
    await copyFolder(folder.at(`data/${split}`), folder.at(`swapped/${split}`));
  }
  await makePlan({
    ...{ kind: "all", tasks: ["acl"], planes: ["axial"], out: folder.at("other") },
    ...{ data: folder.at("swapped"), weights: "none", seed: 1, threads: 1, engine: "wasm" },
    ...{ epochs: 1, learningRate: 1e-12, tune: { fraction: 0.5, seed: 0 } },
  });
  const outcomes: string[] = [];
  for (const each of [out, folder.at("other")]) {
    const outcome = runUnit(each, { index: 0 }).then(({ state }) => state, String);
    outcomes.push(await outcome);
  }
  assert.match(
    outcomes.sort().join(),
    /^TrainingError: Cannot go on after acl axial: no epoch had an AUC above 0 .*exams,done$/,
  );
});
