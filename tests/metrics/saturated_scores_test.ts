/**
 * Exams are ranked by their logits: far from 0 the sigmoid gives many logits the same probability.
 */
import assert from "node:assert/strict";
import { fitCombination } from "../../lib/combine/fit.ts";
import { saturationRemarks } from "../../lib/combine/saturation.ts";
import { compareModels, summarizePredictions } from "../../lib/metrics/summary.ts";
import { createMRNet } from "../../lib/model/create.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { predictionsCsv } from "../../lib/report/files.ts";
import { patientsOf, predictionsTable } from "../../lib/plan/patients.ts";
import { taskResult } from "../../lib/plan/run_all/results.ts";
import type { DoneModel, SavedPrediction } from "../../lib/plan/done_model.ts";
import type { Label } from "../../lib/terms.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { train } from "../../lib/train/train.ts";
import { onEachEngine } from "../support/engines.ts";

/** Logits whose probabilities are all 1, and labels that they rank with an AUC of 5/6. */
const SATURATED: { label: Label; logit: number }[] = [
  { label: 0, logit: 40 },
  { label: 1, logit: 60 },
  { label: 0, logit: 50 },
  { label: 1, logit: 45 },
  { label: 1, logit: 90 },
];

const predictions = SATURATED.map(({ label, logit }, id) => ({
  id: String(id),
  label,
  logit,
  probability: sigmoid(logit),
}));

Deno.test("a summary ranks by logits where it has them all", () => {
  assert.ok(predictions.every(({ probability }) => probability === 1));
  const { auc, roc, brier } = summarizePredictions(predictions, { seed: 1, samples: 50 });
  assert.equal(auc.value, 5 / 6);
  assert.ok(auc.delong.low < auc.value && auc.bootstrap.low < auc.bootstrap.high);
  assert.equal(roc.thresholds.length, 6);
  // What is no ranking goes by the probabilities.
  assert.equal(brier, 2 / 5);
  const without = predictions.map(({ logit: _, ...rest }) => rest);
  assert.equal(summarizePredictions(without, { seed: 1, samples: 50 }).auc.value, 0.5);
  const one = [...predictions.slice(1), without[0]];
  assert.equal(summarizePredictions(one, { seed: 1, samples: 50 }).auc.value, 0.5);
});

Deno.test("two models that are both sure of everything are told apart by their logits", () => {
  const other = predictions.map((each) => ({ ...each, logit: each.label === 1 ? 70 : 50 }));
  assert.equal(compareModels(other, predictions).difference, 1 - 5 / 6);
});

Deno.test("the table of predictions has the logits, every digit of them", () => {
  const logits = [0, 40.5] as const;
  const csv = predictionsCsv([{ id: "0012", label: 1, probability: 1, logits }]);
  assert.equal(csv, "exam,label,probability,logit\n0012,1,1,40.5\n");
});

onEachEngine("training and evaluation rank saturated exams by their logits", async () => {
  // Two grey values far from 0–255, the brighter ones positive: 8 exams, both classes.
  const size = { slices: 1, height: 64, width: 64 };
  const exams = {
    labels: Array.from({ length: 8 }, (_, id) => ({
      id: String(id),
      label: (id % 2) as Label,
    })),
    read: (index: number) => {
      const voxels = new Float32Array(64 * 64);
      for (let i = 0; i < voxels.length; i++) {
        voxels[i] = 40_000 * (1 + ((i * 31 + index * 17) % 13) / 13) * (1 + index / 16);
      }
      return Promise.resolve({ id: String(index), ...size, voxels });
    },
  };
  const model = await createMRNet({ weights: "none", seed: 1 });
  const { auc, predictions } = await evaluate(model, exams);
  const saturated = new Set(predictions.map(({ probability }) => probability));
  const distinct = new Set(predictions.map(({ logits }) => logits[1]));
  assert.equal(distinct.size, 8);
  assert.deepEqual([...saturated], [1]);
  const pairs = predictions.filter(({ label }) => label === 1).flatMap((positive) =>
    predictions.filter(({ label }) => label === 0).map((negative) =>
      positive.logits[1] > negative.logits[1] ? 1 : 0
    )
  );
  assert.equal(auc, pairs.filter(Boolean).length / pairs.length);
  const { epochs } = await train(model, { train: exams, valid: exams }, {
    epochs: 1,
    learningRate: 1e-12,
    augment: false,
    seed: 1,
  });
  assert.equal(epochs[0].valAuc, Math.round(auc * 1e4) / 1e4);
  model.dispose();
}, { engines: ["wasm"] });

const rows = (withLogits: boolean): SavedPrediction[] =>
  predictions.map(({ id, label, logit, probability }) =>
    withLogits ? [id, label, probability, logit] : [id, label, probability]
  );

const done = (withLogits: boolean): DoneModel => ({
  ...{ checkpoint: "models/m.safetensors", sha256: "0".repeat(64), epoch: 1, epochs: 1 },
  computed: { engine: "wasm", threads: 1, precision: "float32" },
  ...{ leftOut: [], tune: rows(withLogits), valid: rows(withLogits) },
});

Deno.test("run_all's table ranks by logits, and by probabilities from a state that has none", () => {
  const files = { axial: "a", coronal: "c", sagittal: "s", combined: "x" };
  const auc = (withLogits: boolean) => {
    const one = done(withLogits);
    const patients = patientsOf({ axial: one, coronal: one, sagittal: one }, "valid", Error);
    const combination = fitCombination(patients, "tune");
    const table = predictionsTable(patients, combination).split("\n")[0];
    assert.equal(table.endsWith("axial_logit,coronal_logit,sagittal_logit"), withLogits);
    return taskResult("acl", patients, combination, files).aucs.axial.auc;
  };
  assert.equal(auc(true), 5 / 6);
  assert.equal(auc(false), 0.5);
});

Deno.test("probabilities of exactly 0 or 1 in both classes are said to tell nobody apart", () => {
  const patient = (label: Label, axial: number) => ({
    label,
    probabilities: { axial, coronal: 0.4, sagittal: label },
  });
  const remarks = saturationRemarks([patient(0, 1), patient(1, 1), patient(1, 0.5)]);
  assert.equal(remarks.length, 1);
  assert.match(
    remarks[0],
    /^The axial probability is exactly 1 for 2 of 3 patients, with and without/,
  );
});
