/**
 * A combination is evaluated as a model is: the same metrics, files and page.
 */
import assert from "node:assert/strict";
import { combinedProbability } from "../../lib/combine/combination.ts";
import { combineModels } from "../../lib/combine/combine.ts";
import { parsePredictions } from "../../lib/combine/predictions.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { evaluateModel } from "../../lib/report/evaluate_model.ts";
import { evaluationJson, predictionsCsv } from "../../lib/report/files.ts";
import { evaluationHtml } from "../../lib/report/report.ts";
import { evaluationLines } from "../../lib/report/text.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { memberName, writeCombined, writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const ENGINE = { engine: "wasm", threads: 1, seed: 1, samples: 50 } as const;

Deno.test("a combination is evaluated on patients, with the metrics of a model", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 8 });
  const { path: model, combination } = await writeCombined(folder);
  const data = folder.at("data");
  const done: number[] = [];
  const evaluation = await evaluateModel({
    ...{ model, data, ...ENGINE },
    against: folder.at("models", memberName("axial")),
    onExam: (progress) => done.push(progress.done / progress.total),
  });
  const { card, summary, predictions, against, combination: told } = evaluation;
  assert.deepEqual([card.task, card.plane, card.intensity], ["acl", "combined", "raw"]);
  assert.deepEqual(told, combination);
  assert.equal(summary.exams, 8);
  assert.deepEqual([done.length, done.at(-1)], [8 * 3 + 8, 1]);
  assert.deepEqual(summary.thresholds.map(({ kind }) => kind), ["half", "operating point"]);
  assert.equal(against[0].card.plane, "axial");

  // What is written down is what the weights make of the planes.
  const csv = predictionsCsv(predictions);
  assert.match(
    csv,
    /^exam,label,probability,axial,coronal,sagittal,logit,axial_logit,coronal_logit,sagittal_logit\n/,
  );
  const rows = parsePredictions(csv, "predictions.csv");
  rows.forEach(({ probabilities }, i) =>
    assert.equal(combinedProbability(combination, probabilities), predictions[i].probability)
  );
  const labels = rows.map(({ label }) => label);
  assert.equal(summary.auc.value, rocAuc(labels, predictions.map((each) => each.probability)));
  const axial = against[0].predictions.map(({ probability }) => probability);
  rows.forEach(({ probabilities }, i) => assert.equal(probabilities.axial, axial[i]));

  const json = evaluationJson(evaluation);
  assert.deepEqual([json.plane, json.exams, json.task], ["combined", 8, "acl"]);
  assert.ok(evaluationLines(evaluation).some((line) => line.startsWith("AUC")));
  const page = evaluationHtml(evaluation, new Date());
  assert.match(page, /<h1>ACL tear, three planes combined<\/h1>/);
  assert.match(page, /Weight, sagittal/);
  assert.match(page, /This model, three planes combined/);
});

Deno.test("a combination is held against a model of PyTorch once that is told its plane", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 8 });
  const { path: model } = await writeCombined(folder);
  const against = folder.at("coronal.pth");
  await convertWeights(folder.at("models", memberName("coronal")), against);
  const options = { model, against, data: folder.at("data"), ...ENGINE };
  const evaluation = await evaluateModel({ ...options, againstPlane: "coronal" });
  assert.equal(evaluation.against[0].card.plane, "coronal");
  evaluation.predictions.forEach((prediction, i) => {
    assert.ok("planes" in prediction);
    const { probability } = evaluation.against[0].predictions[i];
    assert.equal(prediction.planes.coronal!.probability, probability);
  });
  assert.ok(evaluationLines(evaluation).includes(`Against ${against} (coronal plane)`));
  assert.match(evaluationHtml(evaluation, new Date()), /<\/code>, coronal plane/);
  await assert.rejects(evaluateModel(options), {
    name: "OptionError",
    message: `Cannot use the model '${against}': its file does not say its plane: ` +
      "give --against_plane",
  });
  await assert.rejects(
    evaluateModel({ ...options, against: model, againstPlane: "axial" }),
    /: by its file it is for acl in all three planes: leave --task and --against_plane out$/,
  );
});

Deno.test("a combination owes its metrics to the exams that chose its models", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 8 });
  const operatingPoint = { threshold: 0.5, rule: "youden", exams: "valid" } as const;
  const models: string[] = [];
  for (const plane of PLANES) models.push(await writeMember(folder, plane, { operatingPoint }));
  const data = folder.at("data");
  const { path: model } = await combineModels({ models, data, fitOn: "train", engine: "wasm" });
  const evaluation = await evaluateModel({ model, data, ...ENGINE });
  assert.deepEqual(evaluationJson(evaluation).cautions, [
    "These exams chose the epochs of its models: its AUC on them profits from that; " +
    "that goes by the split’s name, for the model’s file does not tell which exams these were.",
  ]);
});

Deno.test("a combination that is evaluated on what it was fitted on is called that", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 8 });
  const tuned = { fitOn: "valid", tune: undefined } as const;
  const operatingPoint = { threshold: 0.5, rule: "youden", exams: "valid" } as const;
  const { path: model } = await writeCombined(folder, { ...tuned, operatingPoint });
  const data = folder.at("data");
  const evaluation = await evaluateModel({ model, data, ...ENGINE });
  assert.equal(
    evaluation.noOperatingPoint,
    "it was chosen by these very exams (valid); that goes by the split’s name, for the model’s file " +
      "does not tell which exams these were",
  );
  assert.match(evaluationHtml(evaluation, new Date()), /The combination was fitted on these exams/);

  const before = tf.memory().numTensors;
  const refuses = (told: { task?: "meniscus"; plane?: "axial" }, asked: string) =>
    assert.rejects(evaluateModel({ model, data, ...ENGINE, ...told }), {
      name: "OptionError",
      message: `Cannot use the combination '${model}' for ${asked}: by its file it is for acl in ` +
        "all three planes: leave --task and --plane out",
    });
  await refuses({ task: "meniscus" }, "meniscus");
  await refuses({ plane: "axial" }, "acl in the axial plane");
  await assert.rejects(evaluateModel({ model, data, ...ENGINE, intensity: "standardized" }), {
    name: "OptionError",
    message: `Cannot use the combination '${model}' with intensity standardized: its axial model ` +
      "is raw: leave the intensity out, or combine again with it",
  });
  await assert.rejects(
    evaluateModel({ model, data, split: "tune", ...ENGINE }),
    /^OptionError: Cannot evaluate the model '.*combined.json' on its tune split: it was trained without one/,
  );
  assert.equal(tf.memory().numTensors, before);
});
