/** `evaluate` goes one way, whatever a classifier is made of. */
import assert from "node:assert/strict";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { openPlanes } from "../../lib/combine/evaluate.ts";
import { openDataset } from "../../lib/data/dataset.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { evaluate } from "../../lib/report/evaluate.ts";
import { PLANES } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { writeCombined, writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("a classifier of any kind is evaluated as its file is", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 6 });
  const data = folder.at("data");
  await startEngine("wasm", { threads: 1 });
  const { path: combined } = await writeCombined(folder);
  const single = await writeMember(
    folder,
    "coronal",
    { lossWeights: "class" },
    "single.safetensors",
  );
  const before = tf.memory().numTensors;
  const datasets = await openPlanes({ data, split: "valid", task: "acl" });
  for (const model of [single, combined]) {
    using classifier = await loadClassifier(model);
    const seen: string[] = [];
    const { auc, loss, predictions } = await evaluate(classifier, datasets, {
      onRead: ({ exam }, { card }) => seen.push(`${card.plane} ${exam.id}`),
      onExam: ({ plane, done, total }) => seen.push(`${plane} ${done} of ${total}`),
    });
    assert.equal(seen.length, 2 * 6 * classifier.planes.length);
    assert.ok(seen.includes("coronal 0002") && seen.includes("coronal 6 of 6"), seen.join());
    const threads = { engine: "wasm", threads: 1, samples: 5, seed: 1 } as const;
    const byFile = await evaluate({ model, data, ...threads });
    assert.deepEqual(byFile.predictions, predictions);
    assert.deepEqual([byFile.summary.auc.value, byFile.summary.loss], [auc, loss]);
    for (const [index, { id, label, ...prediction }] of predictions.entries()) {
      assert.deepEqual({ id, label }, datasets.axial.labels[index]);
      const said = classifier.models.map(({ card }) => prediction.planes[card.plane]!);
      const { loss: _, ...concluded } = prediction;
      assert.deepEqual(concluded, classifier.predictionFrom(said));
    }
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("a classifier of one plane takes a dataset alone, and has the loss of its training", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 6 });
  const exams = { data: folder.at("data"), split: "valid", task: "acl", plane: "axial" } as const;
  await startEngine("wasm", { threads: 1 });
  const dataset = await openDataset(exams);
  using classifier = await loadClassifier(
    await writeMember(folder, "axial", { lossWeights: "class" }),
  );
  const { loss, auc, predictions } = await evaluate(classifier, dataset);
  const [{ model }] = classifier.models;
  const own = await evaluate(model, dataset, { lossWeights: "class" });
  assert.deepEqual([loss, auc], [own.loss, own.auc]);
  assert.deepEqual(predictions.map(({ logits }) => logits), own.predictions.map((p) => p.logits));
  const output = await evaluate(model, dataset);
  assert.notEqual(loss, output.loss);
});

Deno.test("a plane without a dataset is named, and so is an option that is none", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 2 });
  await startEngine("wasm", { threads: 1 });
  const { path } = await writeCombined(folder);
  using combined = await loadClassifier(path);
  const datasets = await openPlanes({ data: folder.at("data"), split: "valid", task: "acl" });
  const { axial } = datasets;
  await assert.rejects(evaluate(combined, { axial }), {
    name: "DataError",
    message: `Cannot evaluate '${path}': there is no coronal and no sagittal dataset: it reads ` +
      "axial, coronal, sagittal: give a dataset of each plane, as { axial, coronal, sagittal }",
  });
  assert.deepEqual(combined.planes, PLANES);
  const onUnreadable = () => {};
  await assert.rejects(evaluate(combined, datasets, { onUnreadable } as unknown as undefined), {
    name: "OptionError",
    message: /^Cannot evaluate with an option 'onUnreadable': there is none of that name: /,
  });
});
