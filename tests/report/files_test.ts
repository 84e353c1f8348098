import assert from "node:assert/strict";
import { rankingScores } from "../../lib/metrics/summary.ts";
import { evaluationJson, predictionsCsv } from "../../lib/report/files.ts";
import { evaluationLines } from "../../lib/report/text.ts";
import { drawEvaluation, drawPredictions } from "../support/evaluation.ts";

Deno.test("the CSV file keeps every digit", () => {
  const predictions = drawPredictions(20, 1);
  const logits = rankingScores(predictions);
  const [head, ...rows] = predictionsCsv(predictions).trimEnd().split("\n");
  assert.equal(head, "exam,label,probability,logit");
  assert.deepEqual(
    rows.map((row) => row.split(",")).map(([id, ...numbers]) => [id, ...numbers.map(Number)]),
    predictions.map(({ id, label, probability }, i) => [id, label, probability, logits[i]]),
  );
});

Deno.test("the JSON object has the metrics under plain names", () => {
  const evaluation = drawEvaluation();
  const json = JSON.parse(JSON.stringify(evaluationJson(evaluation)));
  const { summary, against } = evaluation;
  assert.deepEqual(Object.keys(json), [
    ...["model", "sha256", "task", "plane", "intensity", "recalibration", "data", "split"],
    ...["engine", "exams", "positives", "patients", "exams_found", "protocol"],
    ...["loss", "auc", "auc_ci_delong", "auc_ci_bootstrap", "bootstrap", "brier"],
    ...["average_precision", "average_precision_ci", "calibration_slope", "calibration_slope_ci"],
    ...["calibration_intercept", "calibration_intercept_ci"],
    ...["observed_to_expected", "observed_to_expected_ci"],
    ...["thresholds", "precision_recall", "decision_curve", "calibration"],
    ...["no_operating_point", "cautions", "groups", "against"],
  ]);
  assert.equal(json.auc, summary.auc.value);
  assert.deepEqual(json.auc_ci_delong, [summary.auc.delong.low, summary.auc.delong.high]);
  const [standard, chosen] = json.thresholds;
  assert.equal(standard.kind, "half");
  assert.equal(chosen.kind, "operating_point");
  assert.equal(standard.true_positives, summary.thresholds[0].confusion.truePositives);
  assert.equal(standard.sensitivity, summary.thresholds[0].sensitivity.value);
  assert.equal(standard.npv_ci[1], summary.thresholds[0].npv.high);
  assert.equal(json.calibration.length, 10);
  assert.equal(json.against[0].p, against[0].comparison.p);
  assert.deepEqual([json.no_operating_point, json.cautions], [null, []]);
  assert.deepEqual([json.against[0].plane, json.against[0].cautions], ["sagittal", []]);
  const tuned = evaluationJson(drawEvaluation(undefined, { split: "tune" }));
  assert.deepEqual(tuned.cautions, [
    "These exams chose the model’s epoch: its AUC on them is the best of several; " +
    "that goes by the split’s name, for the model’s file does not tell which exams these were.",
  ]);
});

Deno.test("what is undefined is null in JSON, and says so in the table", () => {
  const ones = drawPredictions(40, 1).filter(({ label }) => label === 1);
  const evaluation = drawEvaluation(ones, { against: [], noOperatingPoint: "why" });
  const json = JSON.parse(JSON.stringify(evaluationJson(evaluation)));
  assert.equal(json.auc, null);
  assert.equal(json.auc_ci_delong, null);
  assert.equal(json.thresholds[0].specificity, null);
  assert.equal(json.thresholds[0].specificity_ci, null);
  assert.deepEqual(json.against, []);
  assert.equal(json.no_operating_point, "why");
  const lines = evaluationLines(evaluation);
  assert(lines.some((line) => /^AUC +undefined \(95 % CI undefined, DeLong\)$/.test(line)));
  assert(lines.some((line) => /^Specificity +undefined +undefined +undefined$/.test(line)));
});

Deno.test("the table is aligned, fits a terminal and ends no line with blanks", () => {
  const lines = evaluationLines(drawEvaluation());
  for (const line of lines) assert(line.length <= 100 && line === line.trimEnd(), line);
  const at = lines.findIndex((line) => line.includes("at 0.5"));
  assert.match(lines[at], /^ +at 0\.5 +at 0\.3614 +at 0\.7$/);
  const column = lines[at].indexOf("at 0.3614");
  for (const line of lines.slice(at + 1, at + 11)) {
    assert.equal(line[column - 1], " ", line);
    assert.notEqual(line[column], " ", line);
  }
  assert(lines.includes("Against models/other.safetensors (sagittal plane)"));
  // The other model gives the squares of the same probabilities: the same order.
  assert(lines.some((line) => /^Difference +0\.000 \(95 % CI 0\.000–0\.000\)$/.test(line)));
  assert(lines.some((line) => /^DeLong's test +z = 0\.00, p = 1\.000$/.test(line)));
});

Deno.test("the table says what an interval without width is worth", () => {
  const says = (apart: number, words: string) =>
    evaluationLines(drawEvaluation(drawPredictions(20, apart), { against: [] }))
      .some((line) => line.startsWith(words));
  const faultless = "Where the probabilities separate the classes without fault, DeLong’s interval";
  assert.deepEqual([40, 1, -40].map((apart) => says(apart, faultless)), [true, false, false]);
  const alike = "Where every exam ranks alike among those of the other class, ";
  assert.deepEqual([40, 1, -40].map((apart) => says(apart, alike)), [false, false, true]);
});
