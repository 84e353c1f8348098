/** Recalibrating files of every kind, and what is then said with them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ensembleModels } from "../../lib/classifier/ensemble_models.ts";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { combineModels } from "../../lib/combine/combine.ts";
import { readExam } from "../../lib/data/exam.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { explain } from "../../lib/explain/explain.ts";
import { recalibrated } from "../../lib/metrics/recalibration.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { loadMRNet, saveMRNet } from "../../lib/model/create.ts";
import { readSafetensorsHeader } from "../../lib/model/weights/safetensors.ts";
import { cautions } from "../../lib/report/cautions.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";
import { evaluationJson, predictionsCsv } from "../../lib/report/files.ts";
import { evaluationHtml } from "../../lib/report/report.ts";
import { recalibrate } from "../../lib/report/recalibrate.ts";
import { train } from "../../lib/train/train.ts";
import { createRandom } from "../../lib/random.ts";
import { PLANES } from "../../lib/terms.ts";
import { writeCombined, writeMember } from "../support/combined.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";
import { tinyDataset } from "../support/tiny_model.ts";

await startEngine("wasm", { threads: 1 });

/** How many exams there are of each split. */
const COUNT = 12;

/** The number of an exam as its name. */
const nameOf = (number: number) => String(number).padStart(4, "0");

/** Exams of noise, brighter and brighter, of all planes; `labels` gives the label of each number. */
async function writeExams(folder: TemporaryFolder, labels: (number: number) => number) {
  for (const [split, first] of [["train", 0], ["valid", COUNT]] as const) {
    const numbers = Array.from({ length: COUNT }, (_, i) => first + i);
    for (const plane of PLANES) {
      for (const number of numbers) {
        const random = createRandom(number, plane);
        const bright = 20 + 15 * (number % COUNT);
        const voxels = Uint8Array.from({ length: 64 * 64 }, () => bright + random.integer(40));
        await folder.write(
          `data/${split}/${plane}/${nameOf(number)}.npy`,
          examBytes(voxels, [1, 64, 64]),
        );
      }
    }
    const rows = numbers.map((number) => `${nameOf(number)},${labels(number)}\n`);
    await folder.write(`data/${split}-acl.csv`, rows.join(""));
  }
}

/** The same exams with the finding where the model's logits are high, but for a few. */
async function labelBy(folder: TemporaryFolder, model: string): Promise<void> {
  await writeExams(folder, (number) => number % 2);
  const ranks = new Map<string, number>();
  for (const split of ["train", "valid"] as const) {
    const { predictions } = await evaluateModel({
      ...{ model, data: folder.at("data"), split, seed: 1, samples: 1 },
    });
    const sorted = predictions.toSorted((a, b) => a.logits[1] - b.logits[1]);
    sorted.forEach(({ id }, rank) => ranks.set(id, rank));
  }
  await writeExams(folder, (number) => {
    const rank = ranks.get(nameOf(number))!;
    return (rank === 4 || rank >= 6) && rank !== 8 ? 1 : 0;
  });
}

/** Whether files are the same; megabytes are not shown. */
const equalBytes = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

const POINT = { threshold: 0.5, rule: "youden", exams: "tune" } as const;

Deno.test("a model's file keeps its weights to the bit, and gives the recalibrated probability everywhere", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await writeMember(folder, "axial", {
    operatingPoint: { ...POINT, threshold: 0.4875 },
  });
  await labelBy(folder, path);
  const before = await Deno.readFile(path);
  const options = { model: path, data: folder.at("data") };
  for (const method of ["platt", "isotonic", "temperature"] as const) {
    const own = folder.at("models", `${method}.safetensors`);
    const result = await recalibrate({ ...options, split: "valid", method, out: own });
    const { recalibration } = result;
    assert.deepEqual([recalibration?.exams, recalibration?.positives], [COUNT, 6]);
    assert.equal(recalibration?.hashes?.length, COUNT);
    const bytes = await Deno.readFile(own);
    const { tensors } = await readSafetensorsHeader(own);
    const size = [...tensors.values()].reduce((sum, { shape }) => {
      return sum + 4 * shape.reduce((product, each) => product * each, 1);
    }, 0);
    assert.ok(equalBytes(bytes.subarray(-size), before.subarray(-size)), "the weights");

    using plain = await loadMRNet(path);
    using loaded = await loadMRNet(own);
    using classifier = await loadClassifier(own);
    const exam = await readExam(
      folder.at("data/valid/axial", `${nameOf(COUNT)}.npy`),
      nameOf(COUNT),
    );
    const raw = await plain.model.predict(exam);
    const { probability, logit } = recalibrated(recalibration!.map, raw.logits[1]);
    const expected = { logits: raw.logits, probability, recalibrated: logit };
    assert.deepEqual(await loaded.model.predict(exam), expected);
    const explained = await explain(loaded.model, exam);
    assert.ok(Math.abs(explained.probability - probability) < 1e-9);
    const said = await classifier.predict({ axial: exam });
    assert.deepEqual([said.probability, said.logit, said.logits], [probability, logit, raw.logits]);
    assert.equal(said.threshold, result.threshold!.now);
    assert.equal(
      said.threshold,
      recalibrated(recalibration!.map, Math.log(0.4875 / 0.5125)).probability,
    );
    // What is ranked stays ranked, what is decided stays decided.
    const ask = { data: options.data, seed: 1, samples: 20 } as const;
    const [first, second] = [
      await evaluateModel({ ...ask, model: path }),
      await evaluateModel({ ...ask, model: own }),
    ];
    assert.equal(second.summary.auc.value, first.summary.auc.value);
    const [, one] = first.summary.thresholds;
    const [, other] = second.summary.thresholds;
    if (result.changedDecisions === 0) assert.deepEqual(other.confusion, one.confusion);
    const [caution] = cautions(second, "valid").filter((each) => each.includes("recalibrated"));
    assert.match(
      caution,
      /^Its probabilities were recalibrated on these exams\. Calibration on them/,
    );
    assert.deepEqual(cautions(first, "valid").filter((each) => each.includes("recalibrated")), []);
    const page = evaluationHtml(second, new Date());
    assert.ok(page.includes(`recalibrated by ${method} on ${COUNT} valid exams`));
    assert.ok(
      page.includes("weighted cross-entropy of training, of the logits before recalibration"),
    );
    assert.match(`${evaluationJson(second).recalibration}`, new RegExp(method));
    assert.match(predictionsCsv(second.predictions), /^exam,label,probability,logit,raw_logit\n/);
    assert.match(predictionsCsv(first.predictions), /^exam,label,probability,logit\n/);
    // Other exams are not those of the fit, whatever their split is called.
    const elsewhere = await evaluateModel({ ...ask, model: own, split: "train" });
    assert.equal(elsewhere.recalibratedOn?.shared, 0);

    const undone = folder.at("models", "undone.safetensors");
    await recalibrate({ model: own, method: "none", out: undone });
    assert.ok(equalBytes(await Deno.readFile(undone), before), "taken away again");
    await assert.rejects(recalibrate({ ...options, model: own, split: "valid" }), {
      name: "OptionError",
      message:
        `Cannot recalibrate '${own}': it is recalibrated by ${method} on ${COUNT} valid exams ` +
        "already: take that away with --undo first",
    });
  }
});

Deno.test("a combination and an ensemble are recalibrated, and so are their members", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder);
  await labelBy(folder, path);
  const options = { data: folder.at("data"), split: "valid" } as const;
  const { recalibration, calibration } = await recalibrate({ ...options, model: path });
  assert.equal(recalibration?.map.method, "platt");
  assert.ok(calibration!.after.brier <= calibration!.before.brier);
  const about = { model: path, ...options, seed: 1, samples: 20 };
  const evaluation = await evaluateModel(about);
  assert.deepEqual(evaluation.recalibratedOn, { shared: COUNT, exams: COUNT, compared: true });
  for (const { logit, logits, probability } of evaluation.predictions) {
    assert.deepEqual(recalibrated(recalibration!.map, logits[1]), { logit, probability });
  }
  await recalibrate({ model: path, method: "none" });
  assert.equal((await evaluateModel(about)).card.recalibration, undefined);

  // A recalibrated member counts by what its probability is then.
  const members = PLANES.map((plane) => folder.at("models", `model_${plane}.safetensors`));
  await labelBy(folder, members[0]);
  await recalibrate({ ...options, model: members[0], method: "temperature" });
  await assert.rejects(evaluateModel(about), /its axial model .* is another than the one that/);
  const remarks: string[] = [];
  const { combination, path: again } = await combineModels({
    ...{ models: members, data: options.data, fitOn: "valid" },
    out: folder.at("models", "again.json"),
    onRemark: (remark) => remarks.push(remark),
  });
  assert.match(remarks[0], /model_axial\.safetensors' are recalibrated by temperature on 12 valid/);
  assert.equal(combination.exams, COUNT);
  const combined = await evaluateModel({ ...about, model: again });
  assert.equal(combined.recalibratedOn?.shared, COUNT);
  for (const { planes: { axial } } of combined.predictions) {
    assert.equal(axial!.probability, 1 / (1 + Math.exp(-axial!.recalibrated!)));
    assert.notEqual(axial!.recalibrated, axial!.logits[1]);
  }

  const second = await writeMember(folder, "axial", {}, "second.safetensors", { other: "one" });
  const out = folder.at("models", "ensemble.json");
  const ensemble = await ensembleModels({ models: [members[0], second], out });
  assert.match(ensemble.remarks[0], /recalibrated by temperature on 12 valid exams: the mean is/);
  const both = await evaluateModel({ ...about, model: out });
  for (const { logit, planes: { axial } } of both.predictions) {
    assert.equal(logit, axial!.recalibrated);
  }
  await recalibrate({ ...options, model: out, method: "platt" });
  using loaded = await loadClassifier(out);
  assert.deepEqual(
    loaded.recalibrations.map(({ recalibration: { map: { method } } }) => method),
    ["temperature", "platt"],
  );
});

Deno.test("training takes a recalibration away, and a card that still says it is refused", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await writeMember(folder, "axial");
  await labelBy(folder, path);
  await recalibrate({ model: path, data: folder.at("data"), split: "valid" });
  const { model, card } = await loadMRNet(path);
  try {
    await saveMRNet(model, folder.at("copy.safetensors"), card);
    using copy = await loadMRNet(folder.at("copy.safetensors"));
    assert.deepEqual(copy.card.recalibration, card.recalibration);
    const data = () => tinyDataset([[0, 20], [1, 120]]);
    await train(model, { train: data(), valid: data() }, { epochs: 1 });
    assert.equal(model.recalibration, undefined);
    await assert.rejects(saveMRNet(model, folder.at("copy.safetensors"), card), {
      name: "OptionError",
      message: /^Cannot save a model with a card that says how it is recalibrated: the model was/,
    });
  } finally {
    model.dispose();
  }
  // A state dict has no place for it, and says so.
  const converted = await convertWeights(path, folder.at("plain.pth"));
  assert.deepEqual([converted.keptMetadata, converted.recalibration?.exams], [false, COUNT]);
  using plain = await loadMRNet(folder.at("plain.pth"));
  assert.equal(plain.model.recalibration, undefined);
});

Deno.test("whatever cannot be recalibrated is refused in one line, and the file stays", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await writeMember(folder, "axial");
  await labelBy(folder, path);
  const before = await Deno.readFile(path);
  const options = { model: path, data: folder.at("data"), split: "valid" } as const;
  const refuses = async (change: Partial<Parameters<typeof recalibrate>[0]>, message: RegExp) => {
    await assert.rejects(recalibrate({ ...options, ...change }), (error: Error) => {
      assert.match(error.message, message);
      assert.ok(!error.message.includes("\n"));
      return ["OptionError", "DataError", "WeightsError"].includes(error.name);
    });
    assert.ok(equalBytes(await Deno.readFile(path), before));
  };
  await refuses({ split: undefined }, /on its tune split: it was trained without one: give --on/);
  await refuses({ method: "none" }, /Cannot take the recalibration out of '.*': it has none/);
  await refuses({ method: "best" as "platt" }, /Cannot recalibrate by 'best': choose from platt,/);
  await refuses({ out: folder.at("a.json") }, /its name must end in \.safetensors/);
  await refuses({ data: folder.at("nowhere") }, /Cannot open the dataset in '.*nowhere'/);
  await refuses({ labels: "labels.csv" }, /give 'labels' or 'split'/);
  await refuses(
    { model: folder.at("models/none.safetensors") },
    /Cannot recalibrate .*: there is no/,
  );
  const plain = folder.at("models/plain.pth");
  await convertWeights(path, plain);
  await refuses(
    { model: plain },
    /a file of PyTorch has no place for it: convert it with 'cli\.ts/,
  );
  await folder.write("models/broken.json", "{");
  await refuses(
    { model: folder.at("models/broken.json") },
    /Cannot use the combination .*not JSON/,
  );
  // Exams of one class, none at all, and a model that ranks them the wrong way round.
  await folder.write("data/valid-acl.csv", "0012,1\n0013,1\n");
  await refuses({}, /Cannot use .*valid-acl\.csv|all .* with the finding/);
  await folder.write("data/valid-acl.csv", "");
  await refuses({}, /valid-acl\.csv/);
  const { predictions } = await (async () => {
    await writeExams(folder, (number) => number % 2);
    return await evaluateModel({ ...options, seed: 1, samples: 1 });
  })();
  const ranks = predictions.toSorted((a, b) => b.logits[1] - a.logits[1]).map(({ id }) => id);
  await writeExams(folder, (number) => {
    const rank = ranks.indexOf(nameOf(number));
    return rank < 0 ? number % 2 : rank >= 6 ? 1 : 0;
  });
  for (const method of ["platt", "isotonic", "temperature"] as const) {
    await refuses({ method }, /have no higher logits than those without it, and a recalibration/);
  }
});

Deno.test("exams that the model was trained on are a caution, by their hashes", async () => {
  await using folder = await TemporaryFolder.make();
  const first = await writeMember(folder, "axial");
  await labelBy(folder, first);
  const once = await recalibrate({ model: first, data: folder.at("data"), split: "valid" });
  assert.deepEqual(once.cautions, []);
  const trainedExams = once.recalibration!.hashes!.slice(0, 5);
  const path = await writeMember(folder, "axial", { trainedExams }, "trained.safetensors");
  const options = { model: path, data: folder.at("data"), split: "valid" } as const;
  const { cautions: said } = await recalibrate({ ...options, method: "isotonic" });
  assert.match(
    said[0],
    /^The model was trained on 5 of these 12 exams: it is surer of them than of/,
  );
  assert.match(said[1], /^12 exams are few for isotonic/);
  // Half of the exams of the fit, in another folder's training set.
  for (let number = 0; number < COUNT; number++) {
    const from = folder.at("data/valid/axial", `${nameOf(COUNT + number)}.npy`);
    if (number < 3) {
      await Deno.copyFile(from, folder.at("data/train/axial", `${nameOf(number)}.npy`));
    }
  }
  const about = { ...options, split: "train", seed: 1, samples: 1 } as const;
  const { recalibratedOn } = await evaluateModel(about);
  assert.deepEqual(recalibratedOn, { shared: 3, exams: COUNT, compared: true });
});
