import assert from "node:assert/strict";
import { byPlane, combinedProbability, fitRemark } from "../../lib/combine/combination.ts";
import { combineModels, type CombineOptions, combineTable } from "../../lib/combine/combine.ts";
import { readCombination, writeCombination } from "../../lib/combine/file.ts";
import { evaluatePlanes, openPlanes } from "../../lib/combine/evaluate.ts";
import { evaluateClassifier } from "../../lib/classifier/evaluate.ts";
import { loadCombined } from "../../lib/classifier/load.ts";
import { isTuneExam } from "../../lib/data/tune.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";
import { evaluationHtml } from "../../lib/report/report.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { memberName, writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { tinyDataset, tinyModel } from "../support/tiny_model.ts";

const TUNE = { fraction: 0.5, seed: 0 };
const ENGINE = { engine: "wasm", threads: 1 } as const;

Deno.test("three models are combined on the exams that none was trained on", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 16, valid: 6 });
  for (const plane of PLANES) await writeMember(folder, plane, { tune: TUNE });
  const data = folder.at("data");
  // The files say their planes, so any order does.
  const models = ["sagittal", "axial", "coronal"] as const;
  const before = tf.memory().numTensors;
  const seen = new Map<string, number>();
  const { path, combination } = await combineModels({
    models: models.map((plane) => folder.at("models", memberName(plane))),
    data,
    ...ENGINE,
    onExam: ({ plane, done }) => seen.set(plane, done),
  });
  assert.equal(tf.memory().numTensors, before);
  assert.equal(path, folder.at("models/combined_mrnet_acl.json"));
  assert.deepEqual(await readCombination(path), combination);
  const kept = Array.from({ length: 16 }, (_, i) => String(i).padStart(4, "0"))
    .filter((id) => isTuneExam(id, TUNE));
  assert.ok(kept.length > 3 && kept.length < 13, `${kept}`);
  assert.equal(combination.exams, kept.length);
  assert.deepEqual([...seen.values()], [kept.length, kept.length, kept.length]);
  assert.deepEqual([combination.fitOn, combination.tune, combination.task], ["tune", TUNE, "acl"]);
  assert.equal(combination.operatingPoint.exams, "tune");
  assert.equal(combination.members!.coronal.file, memberName("coronal"));

  // A dataset is evaluated by the models' own predictions, whatever way they came.
  const combined = await loadCombined(path);
  const datasets = await openPlanes({ data, split: "valid", task: "acl" });
  const { predictions, auc, loss } = await evaluateClassifier(combined, datasets);
  assert.equal(predictions.length, 6);
  assert.ok(auc >= 0 && auc <= 1);
  let sum = 0;
  for (const [index, { id, label, probability, planes }] of predictions.entries()) {
    assert.deepEqual({ id, label }, datasets.axial.labels[index]);
    for (const plane of PLANES) {
      const exam = await datasets[plane].read(index);
      const alone = await combined.members[plane].model.predict(exam);
      assert.ok(Math.abs(planes[plane]!.probability - alone.probability) < 1e-6);
    }
    const own = byPlane((plane) => planes[plane]!.probability);
    assert.equal(probability, combinedProbability(combination, own));
    sum -= Math.log(label === 1 ? probability : 1 - probability);
  }
  assert.ok(Math.abs(loss - sum / 6) < 1e-12);
  combined.dispose();
});

Deno.test("files of PyTorch are taken in the order given, for the task given", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 4, valid: 4 });
  const models: string[] = [];
  for (const plane of PLANES) {
    models.push(folder.at(`${plane}.pth`));
    await convertWeights(await writeMember(folder, plane), models.at(-1)!);
  }
  const options = { models, data: folder.at("data"), fitOn: "valid", ...ENGINE } as const;
  await assert.rejects(combineModels(options), {
    name: "OptionError",
    message: `Cannot use the model '${models[0]}': its file does not say its task: give --task`,
  });
  const { path, combination } = await combineModels({
    ...options,
    task: "acl",
    out: folder.at("models/mine.json"),
  });
  assert.equal(combination.members!.sagittal.file, "../sagittal.pth");
  assert.match(JSON.parse(await Deno.readTextFile(path)).remark, /^Fitted on the validation exams/);
  const combined = await loadCombined(path);
  assert.deepEqual(PLANES.map((plane) => combined.members[plane].card.plane), [...PLANES]);
  combined.dispose();

  // How their input is prepared is kept, for their files have no place for it.
  for (const intensity of ["standardized", undefined] as const) {
    const { path } = await combineModels({ ...options, task: "acl", intensity });
    const { members } = await readCombination(path);
    const loaded = await loadCombined(path);
    for (const plane of PLANES) {
      assert.equal(members![plane].intensity, intensity ?? "raw");
      assert.equal(loaded.members[plane].model.intensity, intensity ?? "raw");
    }
    loaded.dispose();
  }
});

Deno.test("fitted on training exams, a combination leaves the shared tune split unseen", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 16, valid: 4 });
  const data = folder.at("data");
  const isKept = (id: number) => isTuneExam(String(id).padStart(4, "0"), TUNE);
  const kept = Array.from({ length: 16 }, (_, id) => id).filter(isKept).length;
  const models: string[] = [];
  for (const plane of PLANES) models.push(await writeMember(folder, plane, { tune: TUNE }));
  const options = { data, fitOn: "train", ...ENGINE } as const;
  const evaluate = (model: string, split: "train" | "tune" | "valid") =>
    evaluateModel({ model, data, split, seed: 1, samples: 10, ...ENGINE });

  const shared = await combineModels({ ...options, models });
  assert.equal(shared.combination.exams, 16 - kept);
  assert.deepEqual((await readCombination(shared.path)).tune, TUNE);
  assert.match(
    fitRemark(shared.combination)!,
    /^Fitted on exams that the models were trained on: /,
  );
  assert.equal((await evaluate(shared.path, "tune")).noOperatingPoint, undefined);
  const seen = await evaluate(shared.path, "train");
  assert.equal(seen.noOperatingPoint, "it was chosen by these very exams (train)");

  // One keeps out others, so there are no exams that all have left alone.
  const other = await writeMember(
    folder,
    "sagittal",
    { tune: { ...TUNE, seed: 7 } },
    "o.safetensors",
  );
  const mixed = await combineModels({ ...options, models: [models[0], models[1], other] });
  assert.deepEqual([mixed.combination.exams, mixed.combination.tune], [16, undefined]);
  assert.match(
    fitRemark(mixed.combination)!,
    /^Fitted on all training exams, on which each model /,
  );

  // Without its split's name the exams themselves tell.
  const { tune: _, ...unnamed } = shared.combination;
  await writeCombination(shared.path, unnamed);
  assert.equal((await evaluate(shared.path, "tune")).noOperatingPoint, undefined);

  // A file of before says nothing of the split that its models share: then it has seen that, too.
  const { fitExams, ...before } = unnamed;
  assert.equal(fitExams!.length, 16 - kept);
  await writeCombination(shared.path, before);
  const tuned = await evaluate(shared.path, "tune");
  assert.equal(
    tuned.noOperatingPoint,
    "it was chosen by the train exams, these among them; " +
      "that goes by the split’s name, for the model’s file does not tell which exams these were",
  );
  assert.match(evaluationHtml(tuned, new Date()), /The combination was fitted on these exams/);
  assert.equal((await evaluate(shared.path, "valid")).noOperatingPoint, undefined);
});

Deno.test("a combination of other models is left alone, one of the same models is replaced", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 4, valid: 4 });
  const models: string[] = [];
  for (const plane of PLANES) {
    models.push(await writeMember(folder, plane, {}, `${plane}.safetensors`, { prefix: "knees" }));
  }
  const options = { data: folder.at("data"), fitOn: "valid", ...ENGINE } as const;
  const combine = async (change: Partial<CombineOptions> = {}) =>
    (await combineModels({ ...options, models, ...change })).path;
  assert.equal(await combine(), folder.at("models/combined_knees_acl.json"));
  const first = await folder.text("models/combined_knees_acl.json");
  assert.equal(await combine(), folder.at("models/combined_knees_acl.json"));
  const again = { prefix: "knees", run: "another" };
  const other = await writeMember(folder, "axial", {}, "o.safetensors", again);
  const others = [other, models[1], models[2]];
  for (let time = 0; time < 2; time++) {
    assert.equal(await combine({ models: others }), folder.at("models/combined_knees_acl-2.json"));
  }
  assert.equal(await folder.text("models/combined_knees_acl.json"), first);
  // What is no combination is somebody's, too.
  await folder.write("models/combined_x_acl.json", "{}");
  assert.equal(await combine({ prefix: "x" }), folder.at("models/combined_x_acl-2.json"));
  assert.equal(await folder.text("models/combined_x_acl.json"), "{}");
  // Prefixes that differ are none, and one that leads out of the folder is none either.
  const plain = await writeMember(folder, "axial", {}, "p.safetensors", { prefix: "feet" });
  const mixed = await combine({ models: [plain, models[1], models[2]] });
  assert.equal(mixed, folder.at("models/combined_mrnet_acl.json"));
  const odd: string[] = [];
  for (const plane of PLANES) {
    odd.push(await writeMember(folder, plane, {}, `${plane}_odd.safetensors`, { prefix: "../x" }));
  }
  assert.equal(await combine({ models: odd }), folder.at("models/combined_mrnet_acl-2.json"));
  // A file that was asked for is replaced.
  const out = folder.at("models/combined_knees_acl.json");
  assert.equal(await combine({ models: others, out }), out);
  assert.notEqual(await folder.text("models/combined_knees_acl.json"), first);
});

Deno.test("the same file in two planes and another ending than .json are refused", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 4, valid: 4 });
  const at = (name: string) => folder.at("models", name);
  await convertWeights(await writeMember(folder, "axial"), at("a.pth"));
  await convertWeights(await writeMember(folder, "coronal"), at("c.pth"));
  await Deno.copyFile(at("a.pth"), at("again.pth"));
  const options = { data: folder.at("data"), fitOn: "valid", task: "acl", ...ENGINE } as const;
  await assert.rejects(
    combineModels({ ...options, models: [at("a.pth"), at("c.pth"), at("again.pth")] }),
    (error: Error) => {
      assert.equal(error.name, "OptionError");
      assert.match(
        error.message.replaceAll(folder.at("models"), "models"),
        /^Cannot combine 'models\/a\.pth' as the axial and 'models\/again\.pth' as the sagittal model: they are the same file \(SHA-256 [0-9a-f]{12}…\): give one model of each plane$/,
      );
      return true;
    },
  );
  await assert.rejects(combineModels({ ...options, models: [], operatingPoint: "cost=2" }), {
    name: "OptionError",
    message: "Cannot choose the operating point cost=2 on the valid exams: only exams of a tune " +
      "split, or out-of-fold predictions, may choose it: leave one of the two out",
  });
  const refused = {
    name: "OptionError",
    message: "Cannot write the combination to 'models/cx.bin': a combination is known by a name " +
      "that ends in .json: give one, such as 'models/cx.json'",
  };
  await assert.rejects(combineModels({ ...options, models: [], out: "models/cx.bin" }), refused);
  await assert.rejects(combineTable("no-such.csv", { out: "models/cx.bin" }), refused);
});

Deno.test("models that do not go together are refused in one line, and nothing is written", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 16, valid: 4 });
  const data = folder.at("data");
  const at = (name: string) => folder.at("models", name);
  const axial = await writeMember(folder, "axial", { tune: TUNE });
  const coronal = await writeMember(folder, "coronal", { tune: TUNE });
  const sagittal = await writeMember(folder, "sagittal", { tune: TUNE });
  const before = tf.memory().numTensors;
  const refuses = async (models: string[], message: string) => {
    const name = "OptionError";
    await assert.rejects(combineModels({ models, data, ...ENGINE }), { name, message });
    assert.equal(tf.memory().numTensors, before);
  };
  await refuses(
    [axial, coronal],
    [
      "Cannot combine 2 models: give three, of the axial, the coronal and the sagittal plane",
    ].join(),
  );
  await refuses(
    [axial, coronal, axial],
    `Cannot combine '${axial}' and '${axial}': both read the axial plane: give one model of each ` +
      "plane; files that do not say theirs are taken as axial, coronal, sagittal",
  );
  const other = await writeMember(
    folder,
    "sagittal",
    { task: "meniscus", tune: TUNE },
    "o.safetensors",
  );
  await refuses(
    [axial, coronal, other],
    `Cannot combine models of different tasks: '${axial}' is for acl, '${other}' for meniscus: ` +
      "give three models of one task",
  );
  const whole = await writeMember(folder, "sagittal", {}, "whole.safetensors");
  await refuses(
    [axial, coronal, whole],
    `Cannot combine on exams that no model was trained on: by its file '${whole}' was trained ` +
      "without a tune split: train with --tune 0.1, or fit on other exams with --fit_on train or " +
      "--fit_on valid, at the price of metrics to be believed",
  );
  const seed = await writeMember(
    folder,
    "sagittal",
    { tune: { ...TUNE, seed: 7 } },
    "seed.safetensors",
  );
  await refuses(
    [axial, coronal, seed],
    `Cannot combine on exams that no model was trained on: '${axial}' kept out 0.5 of the exams ` +
      `by seed 0 and '${seed}' 0.5 of the exams by seed 7: train all three with the same --tune ` +
      "and --tune_seed, or give --fit_on train or valid",
  );
  const models = [axial, coronal, sagittal];
  await assert.rejects(
    combineModels({ models, data, task: "meniscus", ...ENGINE }),
    /^OptionError: Cannot use the model '.*' for meniscus in the axial plane: by its file it is for acl in the axial plane: leave --task out, or give another model$/,
  );
  await assert.rejects(combineModels({ models, data, prefix: "../x", ...ENGINE }), {
    name: "OptionError",
  });
  await assert.rejects(
    combineModels({ models, data, signal: AbortSignal.abort(), ...ENGINE }),
    { name: "AbortError" },
  );
  assert.deepEqual((await folder.files("models")).filter((name) => name.endsWith(".json")), []);
  assert.ok((await Deno.stat(at(memberName("axial")))).isFile);
});

Deno.test("patients must be the same in the three planes", async () => {
  const models = { axial: tinyModel(), coronal: tinyModel(0.2), sagittal: tinyModel(0.3) };
  await startEngine("cpu");
  const exams = [[0, 10], [1, 200], [0, 30]] as const;
  const same = {
    axial: tinyDataset(exams),
    coronal: tinyDataset(exams),
    sagittal: tinyDataset(exams),
  };
  const patients = await evaluatePlanes(models, same);
  assert.deepEqual(patients.map(({ id, label }) => [id, label]), [
    ["0000", 0],
    ["0001", 1],
    ["0002", 0],
  ]);
  assert.ok(patients[1].probabilities.sagittal > patients[1].probabilities.axial);
  const fewer = { ...same, coronal: tinyDataset(exams.slice(0, 2)) };
  await assert.rejects(evaluatePlanes(models, fewer), {
    name: "DataError",
    message: "Cannot combine the planes: 2 exams are coronal and 3 axial: " +
      "give the same patients in the three planes",
  });
  const shifted = { ...same, sagittal: tinyDataset(exams, 1) };
  await assert.rejects(evaluatePlanes(models, shifted), {
    message: "Cannot combine the planes: exam '0001' is not in the axial dataset with the same " +
      "label as in the sagittal one: give the same patients in the three planes",
  });
  for (const plane of PLANES) models[plane].dispose();
});
