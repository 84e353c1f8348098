import assert from "node:assert/strict";
import { combinedProbability } from "../../../lib/combine/combination.ts";
import { readCombination } from "../../../lib/combine/file.ts";
import { readPredictions } from "../../../lib/combine/predictions.ts";
import { decodeHashes, encodeHashes } from "../../../lib/data/exam_hash.ts";
import { encodeNpy, readNpy } from "../../../lib/data/npy.ts";
import { isTuneExam } from "../../../lib/data/tune.ts";
import { rocAuc } from "../../../lib/metrics/roc.ts";
import { lockRun } from "../../../lib/logs/run_lock.ts";
import type { DoneModel } from "../../../lib/plan/done_model.ts";
import { gatherPlan, planStatus } from "../../../lib/plan/gather.ts";
import { makePlan } from "../../../lib/plan/make_plan.ts";
import { openPlan } from "../../../lib/plan/plan_file.ts";
import { readUnit } from "../../../lib/plan/unit_file.ts";
import { resultsText } from "../../../lib/plan/run_all/results.ts";
import { readMRNet } from "../../../lib/model/weights/read.ts";
import type { ModelOfAll, RunAllOptions } from "../../../lib/plan/run_all/options.ts";
import { runAll } from "../../../lib/plan/run_all/run_all.ts";
import { PLANES, TASKS } from "../../../lib/terms.ts";
import { trainRun } from "../../../lib/train/run.ts";
import * as tf from "../../support/tf.ts";
import { writeMember, writePlanes } from "../../support/combined.ts";
import { TemporaryFolder } from "../../support/folders.ts";
import { formatState } from "../../support/run_all_state.ts";

const TUNE = { fraction: 0.4, seed: 0 };
const TRAIN = 12;

/** The least that trains all nine. */
function options(folder: TemporaryFolder, run: string): RunAllOptions {
  return {
    data: folder.at("data"),
    models: folder.at(run, "models"),
    logs: folder.at(run, "logs"),
    weights: "none",
    engine: "wasm",
    threads: 1,
    epochs: 2,
    learningRate: 1e-4,
    seed: 1,
    tune: TUNE,
  };
}

const name = ({ task, plane }: ModelOfAll) => `${task}/${plane}`;

Deno.test("nine models and three combinations, with one table", async (t) => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const first = options(folder, "first");

  await t.step("an interruption in the middle of a model", async () => {
    const stop = new AbortController();
    const result = await runAll({
      ...first,
      signal: stop.signal,
      onExam({ number }, { epoch }) {
        if (number === 3 && epoch === 2) stop.abort();
      },
    });
    assert.equal(result.stopped, "interrupted");
    assert.deepEqual(result.results, []);
    assert.deepEqual(await folder.files("first/logs/run_all/mrnet"), [
      "plan.json",
      ...["axial", "coronal"].flatMap((plane) => [
        `units/abnormal-${plane}/run.json`,
        `units/abnormal-${plane}/unit.json`,
      ]),
      "units/abnormal-sagittal/run.json",
    ]);
  });

  const trained: string[] = [];
  const goneOn: string[] = [];
  const result = await runAll({
    ...first,
    onPlan({ done, open, seed }) {
      assert.deepEqual(done.map(name), ["abnormal/axial", "abnormal/coronal"]);
      assert.equal(open.length, 7);
      assert.equal(seed, 1);
    },
    onStart(model, { resumed }) {
      trained.push(name(model));
      if (resumed !== undefined) goneOn.push(`${name(model)} after ${resumed.epochs}`);
    },
  });
  assert.equal(trained.length, 7);
  assert.deepEqual(goneOn, ["abnormal/sagittal after 1"]);
  assert.equal(result.stopped, "finished");

  await t.step("a model that was interrupted is that of a run that never was", async () => {
    const { checkpoint } = await trainRun({
      ...{
        ...options(folder, "second"),
        onStart: undefined,
        onExam: undefined,
        onEpoch: undefined,
      },
      ...{ task: "abnormal", plane: "sagittal" },
    });
    const { tensors } = await readMRNet(checkpoint!);
    const path = result.results[0].aucs.sagittal.model;
    assert.deepEqual((await readMRNet(path)).tensors, tensors);
  });

  await t.step(
    "the validation set decides nothing, the tune split is the same for all",
    async () => {
      const kept = Array.from({ length: TRAIN }, (_, i) => String(i).padStart(4, "0"))
        .filter((id) => isTuneExam(id, TUNE));
      for (const { task, combination, aucs, exams, decisions } of result.results) {
        const path = `first/models/combined_mrnet_${task}.json`;
        assert.deepEqual(await readCombination(folder.at(path)), combination);
        assert.deepEqual([combination.exams, combination.tune], [kept.length, TUNE]);
        assert.equal(new Set(combination.fitExams).size, kept.length);
        const table = `first/logs/run_all/mrnet/predictions_${task}`;
        const rows = (await folder.text(`${table}_tune.csv`)).trim().split("\n").slice(1);
        assert.deepEqual(rows.map((row) => row.split(",")[0]), kept);
        // What the table says follows from what each model said.
        const patients = await readPredictions(folder.at(`${table}_valid.csv`));
        assert.deepEqual([patients.length, exams], [6, 6]);
        const labels = patients.map(({ label }) => label);
        for (const plane of PLANES) {
          const scores = patients.map(({ probabilities }) => probabilities[plane]);
          assert.ok(Math.abs(aucs[plane].auc - rocAuc(labels, scores)) < 1e-12);
        }
        const combined = patients.map(({ probabilities }) =>
          combinedProbability(combination, probabilities)
        );
        assert.ok(Math.abs(aucs.combined.auc - rocAuc(labels, combined)) < 1e-12);
        assert.equal(decisions.threshold, combination.operatingPoint.threshold);
      }
    },
  );

  await t.step("the table is in the terminal, as a page and as JSON", async () => {
    const [head, ...rows] = resultsText(result.results);
    assert.match(head, /^ +axial +coronal +sagittal +combined$/);
    assert.deepEqual(rows.map((row) => row.split(" ")[0]), [...TASKS]);
    const page = await folder.text("first/logs/run_all/mrnet/report.html");
    assert.equal(result.report, folder.at("first/logs/run_all/mrnet/report.html"));
    for (const { aucs } of result.results) {
      assert.ok(page.includes(aucs.combined.auc.toFixed(3)));
    }
    assert.doesNotMatch(page, /<script|https?:(?!\/\/www\.w3\.org)/);
    const flat = JSON.parse(await folder.text("first/logs/run_all/mrnet/results.json"));
    assert.equal(flat.length, 12);
    assert.deepEqual(Object.keys(flat[3]), [
      ...["task", "plane", "exams", "positives", "auc", "auc_low", "auc_high", "model"],
    ]);
    assert.equal(flat[3].plane, "combined");
  });

  await t.step("once all is done nothing is computed again", async () => {
    const before = tf.memory().numTensors;
    const fail = () => assert.fail("nothing is to be trained or evaluated");
    const again = await runAll({ ...first, onStart: fail, onEvaluated: fail });
    assert.deepEqual(again.results, result.results);
    assert.equal(tf.memory().numTensors, before);
  });

  await t.step("a model whose file is gone is trained again, and no other", async () => {
    const { model: checkpoint } = result.results[1].aucs.coronal;
    const before = await folder.text("first/models/combined_mrnet_acl.json");
    await Deno.remove(checkpoint);
    const started: string[] = [];
    const again = await runAll({
      ...first,
      onPlan: ({ lost }) => assert.deepEqual(lost, [{ checkpoint, found: "gone" }]),
      onStart: (model) => started.push(name(model)),
    });
    assert.deepEqual(started, ["acl/coronal"]);
    // The file says which run it is of, and so is another one to the byte.
    const plain = (results: typeof result.results) =>
      JSON.parse(
        JSON.stringify(results).replaceAll(/"sha256":"[0-9a-f]{64}"/g, '"sha256":""')
          .replaceAll("combined_mrnet_acl-2.json", "combined_mrnet_acl.json"),
      );
    assert.deepEqual(plain(again.results), plain(result.results));
    assert.equal(await folder.text("first/models/combined_mrnet_acl.json"), before);
    result.results = again.results;
  });

  await t.step("a model that may not be read is not taken for one that is gone", async () => {
    const { model: path } = result.results[0].aucs.axial;
    await Deno.rename(path, `${path}.away`);
    await Deno.mkdir(path);
    const fail = () => assert.fail("nothing is to be trained");
    await assert.rejects(runAll({ ...first, onPlan: fail, onStart: fail }), {
      name: "WeightsError",
      message: `Cannot read the model '${path}': it is a folder`,
    });
    await Deno.remove(path);
    await Deno.rename(`${path}.away`, path);
  });

  await t.step("what was said about other exams is not put together", async () => {
    const path = "first/logs/run_all/mrnet/units/acl-coronal/unit.json";
    const text = await folder.text(path);
    const refuses = async (
      change: (model: { valid: [string, number][]; validExams: string }) => void,
      found: string,
    ) => {
      const changed = JSON.parse(text);
      change(changed.result);
      await folder.write(path, JSON.stringify(changed));
      await assert.rejects(runAll(first), {
        name: "DataError",
        message: `Cannot gather the plan '${folder.at("first/logs/run_all/mrnet")}': ${found}: ` +
          "give all units the same exams, and do those again that had others",
      });
    };
    const other =
      "it has no coronal prediction of the valid exam '0013', or one with another label " +
      "than in the other planes";
    await refuses(({ valid }) => valid[1][1] = 0, other);
    const read = (model: { validExams: string }) => decodeHashes(model.validExams);
    await refuses((model) => {
      const hashes = read(model);
      model.valid.splice(1, 1);
      hashes.splice(1, 1);
      model.validExams = encodeHashes(hashes);
    }, other);
    await refuses(
      (model) => model.validExams = encodeHashes(["f".repeat(16), ...read(model).slice(1)]),
      "the units abnormal-coronal and acl-coronal were evaluated on different coronal exams '0012'",
    );
    await folder.write(path, text);
  });

  await t.step("the folder is a plan, of which status and gather know", async () => {
    const out = folder.at("first/logs/run_all/mrnet");
    const { plan, units } = await planStatus(out);
    assert.deepEqual([plan.kind, units.length, units.every(({ done }) => done)], ["all", 9, true]);
    const before = await folder.files("first");
    const table = await folder.text("first/logs/run_all/mrnet/results.json");
    const gathered = await gatherPlan(out);
    assert.ok(gathered.kind === "all");
    assert.deepEqual(gathered.results, result.results);
    assert.equal(await folder.text("first/logs/run_all/mrnet/results.json"), table);
    assert.deepEqual(await folder.files("first"), before);
  });

  await t.step("a unit that another process does is not waited for, and named", async () => {
    const out = folder.at("first/logs/run_all/mrnet");
    const path = "first/logs/run_all/mrnet/units/acl-coronal/unit.json";
    const text = await folder.text(path);
    await Deno.remove(folder.at(path));
    const lock = (await lockRun(`${out}/units/acl-coronal`))!;
    await assert.rejects(runAll({ ...first, onStart: () => assert.fail() }), {
      name: "TrainingError",
      message: `Cannot put together the models of '${out}': another process is at work on acl ` +
        "coronal: run the same again once it has come to its end",
    });
    await lock.release();
    await folder.write(path, text);
  });

  await t.step("with other options or labels it refuses, and names them", async () => {
    const state = folder.at("first/logs/run_all/mrnet/plan.json");
    const hint = "give the same options and data, or another --prefix_name";
    await assert.rejects(runAll({ ...first, learningRate: 1e-5, seed: 2 }), {
      name: "OptionError",
      message: `Cannot go on with the runs of '${state}': this is lr 0.00001 instead of 0.0001, ` +
        `seed 2 instead of 1: ${hint}`,
    });
    const labels = await folder.text("data/train-acl.csv");
    await folder.write("data/train-acl.csv", labels.replace("0000,0", "0000,1"));
    await assert.rejects(runAll(first), /this is labels \{.*\} instead of \{.*\}: give the same/);
    await folder.write("data/train-acl.csv", labels);
    // Where computing goes on is no difference.
    const { stopped } = await runAll({ ...first, threads: 2, inMemory: true, seed: undefined });
    assert.equal(stopped, "finished");
  });
});

Deno.test("exams that cannot be read are left out where that is asked for, and listed", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const kept = Array.from({ length: TRAIN }, (_, i) => String(i).padStart(4, "0"))
    .filter((id) => isTuneExam(id, TUNE));
  const trained = Array.from({ length: TRAIN }, (_, i) => String(i).padStart(4, "0"))
    .find((id) => !isTuneExam(id, TUNE))!;
  await Deno.remove(folder.at(`data/valid/coronal/0013.npy`));
  await Deno.remove(folder.at(`data/train/sagittal/${kept[0]}.npy`));
  await folder.write(`data/train/axial/${trained}.npy`, "not an exam");
  // Its header is sound, so that it is found when it is read.
  const { shape, data } = await readNpy(folder.at("data/valid/axial/0014.npy"));
  const values = Float32Array.from(data as Uint8Array);
  values[5] = NaN;
  await folder.write("data/valid/axial/0014.npy", encodeNpy(values, shape));
  const { results, leftOut, report } = await runAll({
    ...options(folder, "run"),
    skipBadExams: true,
  });
  assert.deepEqual(leftOut.map(({ plane, split, id }) => `${plane} ${split} ${id}`), [
    `axial train ${trained}`,
    "axial valid 0014",
    "coronal valid 0013",
    `sagittal tune ${kept[0]}`,
  ]);
  for (const { exams, combination, task } of results) {
    assert.deepEqual([exams, combination.exams], [4, kept.length - 1]);
    assert.equal(combination.fitExams!.length, kept.length - 1);
    const table = await folder.text(`run/logs/run_all/mrnet/predictions_${task}_valid.csv`);
    const ids = table.trim().split("\n").slice(1).map((row) => row.split(",")[0]);
    assert.deepEqual(ids, ["0012", "0015", "0016", "0017"]);
  }
  assert.match(await Deno.readTextFile(report!), /Exams that were left out, and why/);
});

Deno.test("another file of weights under the same name is noticed", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  // They kept out the same exams, or they could not be started from.
  const weights = await writeMember(folder, "axial", { tune: TUNE });
  const stop = new AbortController();
  const all = { ...options(folder, "run"), weights };
  await runAll({ ...all, signal: stop.signal, onExam: () => stop.abort() });
  await Deno.copyFile(
    await writeMember(folder, "coronal", { tune: TUNE }, "other.safetensors"),
    weights,
  );
  await assert.rejects(
    runAll({ ...all, onStart: () => assert.fail() }),
    /^OptionError: .*: this is weights_sha256 "[0-9a-f]{64}" instead of "[0-9a-f]{64}": give the/,
  );
});

Deno.test("two at once do not train the same: the second says so", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const all = options(folder, "run");
  const out = folder.at("run/logs/run_all/mrnet");
  const stop = new AbortController();
  const begin = () => runAll({ ...all, signal: stop.signal, onExam: () => stop.abort() });
  const outcomes = await Promise.allSettled([begin(), begin()]);
  const [refused, more] = outcomes.filter((each) => each.status === "rejected");
  assert.equal(more, undefined);
  assert.equal(
    String(refused.reason),
    `TrainingError: Cannot train the models of '${out}': another process is at work on them: ` +
      "wait for its end, or give another --out",
  );
  assert.deepEqual(await folder.files("run/logs/run_all/mrnet"), [
    ...["plan.json", "units/abnormal-axial/run.json"],
  ]);
  // Once the other has come to its end, it is gone on with.
  assert.equal((await begin()).stopped, "interrupted");
});

Deno.test("no state leads to a run outside of the logs that are given", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const all = options(folder, "run");
  const begin = async () => {
    const stop = new AbortController();
    let resumed = false;
    await runAll({
      ...all,
      signal: stop.signal,
      onStart: (_, start) => resumed = start.resumed !== undefined,
      onExam: () => stop.abort(),
    });
    return resumed;
  };
  assert.equal(await begin(), false);
  assert.equal(await begin(), true);
  // The same run from somebody else's folder: what is there stays as it is.
  const path = folder.at("run/logs/run_all/mrnet/units/abnormal-axial/run.json");
  const note = JSON.parse(await Deno.readTextFile(path));
  const mine = folder.at("mine", note.run);
  await Deno.mkdir(folder.at("mine"));
  await Deno.rename(folder.at("run/logs/abnormal/axial", note.run), mine);
  await Deno.writeTextFile(path, JSON.stringify({ ...note, run: `../../../../mine/${note.run}` }));
  await assert.rejects(begin(), {
    name: "DataError",
    message: `Cannot go on with the run of a unit by '${path}': it names no run: remove it`,
  });
  await Deno.writeTextFile(path, JSON.stringify(note));
  const before = await folder.files("mine");
  const bytes = await Deno.readFile(`${mine}/state.safetensors`);
  assert.equal(await begin(), false);
  assert.deepEqual(await folder.files("mine"), before);
  assert.deepEqual(await Deno.readFile(`${mine}/state.safetensors`), bytes);
});

Deno.test("the state of an earlier version becomes a plan, and nothing that is done is done again", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const all = { ...options(folder, "run"), jobs: 1 };
  const begin = async (seen: string[] = []) => {
    const stop = new AbortController();
    await runAll({
      ...all,
      signal: stop.signal,
      onStart: (model, { resumed }) => seen.push(`${name(model)} after ${resumed?.epochs}`),
      onExam({ number }, { epoch }) {
        if (number === 2 && epoch === 2) stop.abort();
      },
    });
    return seen;
  };
  assert.deepEqual(await begin(), [
    ...["abnormal/axial after undefined", "abnormal/coronal after undefined"],
  ]);

  // What an earlier version wrote in the place of plan and units.
  const out = "run/logs/run_all/mrnet";
  const opened = await openPlan(folder.at(out));
  const done = await readUnit(folder.at(out), opened, opened.plan.units[0]) as DoneModel;
  const { run } = JSON.parse(await folder.text(`${out}/units/abnormal-coronal/run.json`));
  const logFolder = `${all.logs}/abnormal/coronal/${run}`;
  const state = formatState({
    config: opened.plan.asked,
    models: { "abnormal/axial": { ...done, validExams: undefined } },
    running: { model: "abnormal/coronal", logFolder },
  });
  await Deno.remove(folder.at(out), { recursive: true });
  await folder.write(`${out}/run_all.json`, state);
  await assert.rejects(runAll({ ...all, learningRate: 1e-5 }), {
    name: "OptionError",
    message: `Cannot go on with the runs of '${folder.at(out)}/run_all.json': this is lr 0.00001 ` +
      "instead of 0.0001: give the same options and data, or another --prefix_name",
  });
  assert.deepEqual(await begin(), ["abnormal/coronal after 1"]);
  const files = ["plan.json", "units/abnormal-axial/unit.json", "units/abnormal-coronal/run.json"];
  assert.deepEqual(await folder.files(out), files);

  // A kill while the plan was made leaves both: what the plan lacks is taken from the state.
  await Deno.remove(folder.at(out, "units"), { recursive: true });
  await folder.write(`${out}/run_all.json`, state);
  assert.deepEqual(await begin(), ["abnormal/coronal after 1"]);
  assert.deepEqual(await folder.files(out), files);
});

Deno.test("the plan of somebody else, and units without a plan, are left alone", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const all = options(folder, "run");
  const { data, weights } = all;
  const out = folder.at("plan");
  await makePlan({ kind: "all", data, weights, out, seed: 1, threads: 1, tune: TUNE });
  await assert.rejects(runAll({ ...all, out }), {
    name: "OptionError",
    message: `Cannot train all models in '${out}': it has a plan that 'cli.ts plan' made: do its ` +
      "units with 'cli.ts unit', or give another --out",
  });
  await folder.write("units/units/acl-axial/unit.json", "{}");
  await assert.rejects(runAll({ ...all, out: folder.at("units") }), {
    name: "OptionError",
    message:
      `Cannot train all models in '${folder.at("units")}': units of another plan are there: ` +
      "give another --out",
  });
});

Deno.test("everything is checked before the first training", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: TRAIN, valid: 6 }, TASKS);
  const all = options(folder, "run");
  const refuses = async (change: Partial<RunAllOptions>, error: RegExp) => {
    await assert.rejects(runAll({ ...all, ...change, onStart: () => assert.fail() }), error);
    assert.deepEqual(await folder.files("run"), []);
  };
  await refuses({ prefix: "../x" }, /^OptionError: Cannot name a model with the prefix/);
  await refuses({ epochs: 0 }, /^OptionError: Cannot train with epochs 0/);
  await refuses({ tune: { fraction: 1, seed: 0 } }, /^OptionError: Cannot keep 1 of the training/);
  await refuses(
    { tune: { fraction: 0.01, seed: 0 } },
    /^DataError: Cannot keep a share of 0.01, seed 0, of the exams in .*: no exams are kept out/,
  );
  const weights = await writeMember(folder, "axial");
  await refuses(
    { weights },
    /^OptionError: Cannot keep 0.4 of the training exams by seed 0 out of a/,
  );
  await Deno.remove(folder.at("data/valid/sagittal/0015.npy"));
  await refuses({}, /^DataError: Cannot use 1 of the 6 exams .*0015/);
  await Deno.remove(folder.at("data/train-meniscus.csv"));
  await refuses({}, /^DataError: Cannot read the labels '.*train-meniscus.csv': there is no such/);
});
