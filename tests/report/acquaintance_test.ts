/**
 * Whether a model was chosen by the exams that it is evaluated on is told by the exams themselves,
 * whatever the split or the folder is called.
 */
import assert from "node:assert/strict";
import { ensembleModels } from "../../lib/classifier/ensemble_models.ts";
import { fitRemark } from "../../lib/combine/combination.ts";
import { combineModels } from "../../lib/combine/combine.ts";
import { readCombination } from "../../lib/combine/file.ts";
import { readExam } from "../../lib/data/exam.ts";
import { hashExam } from "../../lib/data/exam_hash.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { loadMRNet, saveMRNet } from "../../lib/model/create.ts";
import { createRandom } from "../../lib/random.ts";
import { cautions } from "../../lib/report/cautions.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";
import { type Plane, PLANES } from "../../lib/terms.ts";
import { type RunOptions, trainRun } from "../../lib/train/run.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";

await startEngine("wasm");

/** Exams of noise, a drawn one for each number; `named` says what they are called. */
async function writeExams(
  folder: TemporaryFolder,
  split: string,
  numbers: readonly number[],
  named = (number: number) => String(number).padStart(4, "0"),
): Promise<void> {
  await folder.write(`${split}-acl.csv`, numbers.map((n) => `${named(n)},${n % 2}\n`).join(""));
  for (const plane of PLANES) {
    for (const number of numbers) {
      const random = createRandom(number, plane);
      // As bright as others of either class, so that no order of them has an AUC of 0.
      const light = 50 * (number % 3);
      const voxels = Uint8Array.from({ length: 2 * 64 * 64 }, () => light + random.integer(150));
      await folder.write(`${split}/${plane}/${named(number)}.npy`, examBytes(voxels));
    }
  }
}

const VALID = [20, 21, 22, 23, 24, 25];

async function writeAll(folder: TemporaryFolder): Promise<void> {
  await writeExams(folder, "data/train", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await writeExams(folder, "data/valid", VALID);
}

async function trained(
  folder: TemporaryFolder,
  plane: Plane,
  more: Partial<RunOptions> = {},
): Promise<string> {
  const { checkpoint } = await trainRun({
    ...{ task: "acl", plane, epochs: 1, seed: 1, weights: "none", engine: "wasm", threads: 1 },
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ learningRate: 1e-4, ...more },
  });
  return checkpoint!;
}

function evaluating(model: string) {
  return async (data: string, split: "valid" | "train" = "valid") => {
    const evaluated = await evaluateModel({
      model,
      data,
      split,
      seed: 1,
      samples: 10,
      engine: "wasm",
    });
    const own = evaluated.summary.thresholds.some(({ kind }) => kind === "operating point");
    return { own, why: evaluated.noOperatingPoint, cautions: cautions(evaluated, split) };
  };
}

async function chosenExams(model: string): Promise<readonly string[]> {
  const { card, model: network } = await loadMRNet(model);
  network.dispose();
  return card.chosenExams!;
}

Deno.test("a model keeps its operating point on the validation set of another folder", async () => {
  await using folder = await TemporaryFolder.make();
  await writeAll(folder);
  const model = await trained(folder, "axial");
  assert.equal((await chosenExams(model)).length, VALID.length);
  const evaluate = evaluating(model);
  const chosen = "These exams chose the model’s epoch: its AUC on them is the best of several.";
  assert.deepEqual(await evaluate(folder.at("data")), {
    own: false,
    why: "it was chosen by these very exams (valid)",
    cautions: [chosen],
  });

  await writeExams(folder, "elsewhere/valid", [30, 31, 32, 33]);
  const unknown = { own: true, why: undefined, cautions: [] };
  assert.deepEqual(await evaluate(folder.at("elsewhere")), unknown);

  // Training exams of another folder are none of this model's.
  await writeExams(folder, "elsewhere/train", [40, 41, 42, 43]);
  assert.deepEqual(await evaluate(folder.at("elsewhere"), "train"), unknown);
  const knows = "The metrics say how well it knows them, not how it does on others.";
  const own = await evaluate(folder.at("data"), "train");
  assert.deepEqual(own.cautions, [`The model was trained on these exams. ${knows}`]);
  await writeExams(folder, "again/valid", [3, 4, 50, 51], (number) => `again-${number}`);
  const again = await evaluate(folder.at("again"));
  assert.deepEqual(again.cautions, [`The model was trained on 2 of these 4 exams. ${knows}`]);

  // The same exams under other names and as another split.
  await writeExams(folder, "copy/train", VALID, (number) => `copy-${number}`);
  const copied = await evaluate(folder.at("copy"), "train");
  assert.equal(copied.why, "it was chosen by the valid exams, these among them");
  assert.equal(copied.cautions.at(-1), chosen);

  await writeExams(folder, "mixed/valid", [20, 25, 31, 32]);
  assert.deepEqual(await evaluate(folder.at("mixed")), {
    own: false,
    why: "it was chosen by exams of which 2 are among these 4",
    cautions: ["2 of these 4 exams chose the model’s epoch: its AUC on all profits from that."],
  });
});

Deno.test("a model knows the exams of the models that it was trained further from", async () => {
  await using folder = await TemporaryFolder.make();
  await writeAll(folder);
  const first = await trained(folder, "axial");
  const second = { train: [40, 41, 42, 43, 44, 45], valid: [50, 51, 52, 53] };
  for (const [split, numbers] of Object.entries(second)) {
    await writeExams(folder, `second/${split}`, numbers);
  }
  const data = folder.at("second");
  // No split says that the first kept them out: the exams themselves do.
  const tune = { fraction: 0.5, seed: 1 };
  const further = await trained(folder, "axial", { data, weights: first, tune, prefix: "second" });
  const third = await trained(folder, "axial", { data, weights: further, prefix: "third" });
  const knows = "The metrics say how well it knows them, not how it does on others.";
  for (const model of [further, third]) {
    const { cautions } = await evaluating(model)(folder.at("data"), "train");
    assert.deepEqual(cautions, [`The model was trained on these exams. ${knows}`]);
    await writeExams(folder, "elsewhere/valid", [3, 4, 60, 61]);
    const elsewhere = await evaluating(model)(folder.at("elsewhere"));
    assert.deepEqual(elsewhere.cautions, [`The model was trained on 2 of these 4 exams. ${knows}`]);
  }

  // Of folds, too.
  const rows = second.train.map((number) =>
    `${String(number).padStart(4, "0")},${1 + number % 3}\n`
  );
  await folder.write("folds.csv", `id,fold\n${rows.join("")}`);
  const folds = { folds: folder.at("folds.csv"), fold: 1, data };
  await trained(folder, "axial", { ...folds, weights: first, prefix: "fold" });
  await assert.rejects(trained(folder, "axial", { ...folds, weights: third, prefix: "known" }), {
    name: "OptionError",
    message:
      `Cannot keep fold 1 out of a training that starts from '${third}', which knows its exams: by ` +
      "their hashes it was trained on 2 of these 2: start from imagenet, none, or another network without " +
      "a linear layer of MRNet",
  });
});

Deno.test("a model of unknown exams leaves it open what a model knows that started from it", async () => {
  await using folder = await TemporaryFolder.make();
  await writeAll(folder);
  const first = await loadMRNet(await trained(folder, "axial"));
  const start = folder.at("start.safetensors");
  await saveMRNet(first.model, start, { task: "acl", plane: "axial" });
  first[Symbol.dispose]();
  const further = await trained(folder, "axial", { weights: start });
  using loaded = await loadMRNet(further);
  assert.equal(loaded.card.earlierExams, "unknown");
  const known = await evaluating(further)(folder.at("data"), "train");
  assert.match(known.cautions[0], /^The model was trained on these exams\. /);
  await assert.rejects(
    trained(folder, "axial", { weights: further, tune: { fraction: 0.5, seed: 1 } }),
    { name: "OptionError", message: /, which may know them: its file does not say that it was / },
  );
});

Deno.test("a combination is told from its patients' exams, not from the split it was fitted on", async () => {
  await using folder = await TemporaryFolder.make();
  await writeAll(folder);
  const models: string[] = [];
  for (const plane of PLANES) models.push(await trained(folder, plane));
  const data = folder.at("data");
  const { path, combination } = await combineModels({
    models,
    data,
    fitOn: "valid",
    engine: "wasm",
  });
  assert.equal(combination.fitExams!.length, VALID.length);
  const evaluate = evaluating(path);
  const here = await evaluate(data);
  assert.equal(here.why, "it was chosen by these very exams (valid)");
  assert.deepEqual(here.cautions, [
    "These exams chose the epochs of its models: its AUC on them profits from that.",
    "The combination was fitted on these exams. The metrics say how well it fits, not how it does on " +
    "others.",
  ]);
  await writeExams(folder, "elsewhere/valid", [30, 31, 32, 33]);
  const unknown = { own: true, why: undefined, cautions: [] };
  assert.deepEqual(await evaluate(folder.at("elsewhere")), unknown);
  await writeExams(folder, "mixed/valid", [20, 31, 32, 33]);
  const mixed = await evaluate(folder.at("mixed"));
  assert.equal(mixed.why, "it was chosen by exams of which 1 is among these 4");
  assert.match(mixed.cautions[1], /^The combination was fitted on 1 of these 4 exams\. /);

  // Exams that are called training exams, and that no model was trained on.
  await writeExams(folder, "elsewhere/train", [40, 41, 42, 43]);
  for (const [name, unseen] of [["elsewhere", true], ["data", undefined]] as const) {
    const fitted = { models, data: folder.at(name), fitOn: "train", engine: "wasm" } as const;
    const { path, combination } = await combineModels({ ...fitted, out: folder.at("c.json") });
    assert.equal(combination.unseen, unseen);
    assert.equal(fitRemark(combination) === undefined, unseen === true);
    assert.equal((await readCombination(path)).unseen, unseen);
  }
});

Deno.test("an ensemble knows the exams that any of its members was trained or chosen on", async () => {
  await using folder = await TemporaryFolder.make();
  await writeExams(folder, "one/train", [0, 1, 2, 3, 4, 5, 6, 7]);
  await writeExams(folder, "one/valid", [20, 21, 22, 23]);
  await writeExams(folder, "two/train", [4, 5, 6, 7, 8, 9, 10, 11]);
  await writeExams(folder, "two/valid", [22, 23, 24, 25]);
  const models: string[] = [];
  for (const name of ["one", "two"]) {
    models.push(await trained(folder, "axial", { data: folder.at(name), prefix: name }));
  }
  const { path } = await ensembleModels({ models, out: folder.at("models/ensemble.json") });
  const evaluate = evaluating(path);
  await writeExams(folder, "three/valid", [0, 11, 20, 25, 30, 31]);
  assert.deepEqual((await evaluate(folder.at("three"))).cautions, [
    "The model was trained on 2 of these 6 exams. The metrics say how well it knows them, not how it " +
    "does on others.",
    "2 of these 6 exams chose the epochs of its models: its AUC on all profits from that.",
  ]);

  // Its operating point is known by hashes, where the table of predictions has them.
  const hashes = await Promise.all([20, 25, 0, 11].map(async (number) => {
    const id = String(number).padStart(4, "0");
    return await hashExam(await readExam(folder.at(`three/valid/axial/${id}.npy`), id));
  }));
  const rows = hashes.map((hash, index) => `${index},${index % 2},0.${index + 1},${hash}\n`);
  await folder.write("out_of_fold.csv", `exam,label,probability,hash\n${rows.join("")}`);
  const predictions = folder.at("out_of_fold.csv");
  await ensembleModels({ models, out: path, predictions });
  const { own, why } = await evaluate(folder.at("three"));
  assert.deepEqual([own, why], [false, "it was chosen by exams of which 4 are among these 6"]);
  await writeExams(folder, "elsewhere/train", [40, 41, 42, 43]);
  const elsewhere = await evaluate(folder.at("elsewhere"), "train");
  assert.deepEqual(elsewhere, { own: true, why: undefined, cautions: [] });
});

Deno.test("exams that were left out of a run are not among those it was chosen by", async () => {
  await using folder = await TemporaryFolder.make();
  await writeAll(folder);
  await folder.write("data/valid/axial/0022.npy", "no array");
  const model = await trained(folder, "axial", { skipBadExams: true });
  assert.equal((await chosenExams(model)).length, VALID.length - 1);
});
