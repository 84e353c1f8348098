/**
 * What every classifier does, whatever it is made of.
 */
import assert from "node:assert/strict";
import type { Classifier } from "../../lib/classifier/classifier.ts";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { predictPatients } from "../../lib/classifier/predict_patients.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { sha256Of } from "../../lib/files.ts";
import { decide } from "../../lib/model/card.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { writeCombined, writeMember } from "../support/combined.ts";
import { examBytes, TemporaryFolder, voxels } from "../support/folders.ts";

const size = { slices: 2, height: 64, width: 64 };
const exams = {
  axial: { id: "a", ...size, voxels: voxels(0, 2 * 64 * 64) },
  coronal: { id: "c", ...size, voxels: voxels(1, 2 * 64 * 64) },
  sagittal: { id: "s", ...size, voxels: voxels(0, 2 * 64 * 64) },
};

/** A model that decides from 0.25 on and a combination that does from 0.5 on. */
async function* classifiers(folder: TemporaryFolder): AsyncGenerator<Classifier> {
  const operatingPoint = { threshold: 0.25, rule: "youden", exams: "tune" } as const;
  const single = await writeMember(folder, "coronal", { operatingPoint }, "single.safetensors");
  const { path: combined } = await writeCombined(folder);
  for (const source of [single, combined, await Deno.readFile(single)]) {
    using classifier = await loadClassifier(source);
    yield classifier;
  }
}

Deno.test("a classifier says what it is, what it sees and why, and holds nothing afterwards", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const before = tf.memory().numTensors;
  const seen: string[] = [];
  for await (const classifier of classifiers(folder)) {
    const { name, kind, task, planes, models, card, combination, file, sha256 } = classifier;
    seen.push(`${name} ${kind} ${card.plane} ${planes.join("+")}`);
    assert.deepEqual([task, card.epochBy], ["acl", kind === "single" ? ["tune"] : []]);
    assert.equal(combination?.fitOn, kind === "single" ? undefined : "tune");
    if (name !== "model") assert.equal(sha256, await sha256Of(await Deno.readFile(file)));

    const { planes: said, probability, logit, logits, ...decision } = await classifier.predict(
      exams,
    );
    const answers = [];
    for (const { model, card } of models) answers.push(await model.predict(exams[card.plane]));
    assert.deepEqual(planes.map((plane) => said[plane]), answers);
    const concluded = { probability, logit, logits, ...decision };
    assert.deepEqual(concluded, classifier.conclude(answers));
    assert.deepEqual([sigmoid(logit), logits[1]], [probability, logit]);
    assert.deepEqual(decision, decide(probability, { operatingPoint: card.operatingPoint }));

    const explained = await classifier.explain(exams, { map: "classic" });
    assert.equal(explained.probability, probability);
    for (const plane of planes) assert.equal(explained.planes[plane]!.slices.length, 2);
    await assert.rejects(classifier.predict({ axial: exams.axial }), /there is no coronal /);
  }
  assert.deepEqual(seen, [
    "single single coronal coronal",
    "combined combined combined axial+coronal+sagittal",
    "model single coronal coronal",
  ]);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("files of exams come to the same as exams in memory", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  for (const plane of PLANES) {
    await folder.write(`${plane}.npy`, examBytes(exams[plane].voxels));
  }
  const files = Object.fromEntries(PLANES.map((plane) => [plane, folder.at(`${plane}.npy`)]));
  for await (const classifier of classifiers(folder)) {
    const { probability } = await classifier.predict(exams);
    for await (const outcome of predictPatients(classifier, [{ id: "0001", files }])) {
      assert.ok("prediction" in outcome && outcome.id === "0001");
      assert.ok(Math.abs(outcome.prediction.probability - probability) < 1e-6);
    }
  }
});

Deno.test("options that contradict a file are refused, and nothing is left", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const single = await writeMember(folder, "coronal");
  const { path: combined } = await writeCombined(folder);
  const before = tf.memory().numTensors;
  await assert.rejects(loadClassifier(single, { plane: "axial" }), {
    name: "OptionError",
    message: /for acl in the axial plane: by its file it is for acl in the coronal plane: /,
  });
  await assert.rejects(loadClassifier(combined, { plane: "axial", planeOption: "--other" }), {
    name: "OptionError",
    message: /by its file it is for acl in all three planes: leave --task and --other out$/,
  });
  await assert.rejects(loadClassifier(combined, { intensity: "standardized" }), {
    message: /its axial model is raw: leave the intensity out, or combine again with it$/,
  });
  assert.equal(tf.memory().numTensors, before);
});
