/**
 * The report as a file, and in a browser where there is one.
 */
import assert from "node:assert/strict";
import { parseExamTable } from "../../lib/data/exam_table.ts";
import { summarizePredictions } from "../../lib/metrics/summary.ts";
import { compareAll } from "../../lib/report/evaluate_model.ts";
import { subgroupsOf } from "../../lib/report/subgroups.ts";
import { evaluationHtml } from "../../lib/report/report.ts";
import type { ModelEvaluation } from "../../lib/report/evaluate_model.ts";
import { drawEvaluation, drawPredictions } from "../support/evaluation.ts";
import { openBrowser } from "../support/browser.ts";
import { WHY_LEFT_OUT, WITHOUT_CHROMIUM } from "../support/chromium.ts";
import { TemporaryFolder } from "../support/folders.ts";

const DATE = new Date("2026-03-04T05:06:07Z");

/** An evaluation with patients, groups, exams that chose something, and two other models. */
function _withAll(predictions: ModelEvaluation["predictions"]): ModelEvaluation {
  const patients = new Map(predictions.map(({ id }, i) => [id, `${i >> 1}`]));
  const rows = predictions.map(({ id }, i) => `${id},${i % 3 ? "Siemens" : "GE"},${i % 2}`);
  const table = parseExamTable(`id,scanner,side of the knee\n${rows.join("\n")}\n`, "groups.csv");
  const base = drawEvaluation(predictions);
  const others = ["models/a.safetensors", "models/b.safetensors"].map((file) => ({
    ...{ ...base.against[0], file },
  }));
  return drawEvaluation(predictions, {
    summary: summarizePredictions(predictions, { seed: 1, samples: 100, patients }),
    subgroups: subgroupsOf(predictions, table, 0.5, patients),
    found: 70,
    chosenBy: { shared: 3, exams: 60, compared: true },
    pointBy: { shared: 3, exams: 60, compared: true },
    against: compareAll(base, others, patients),
  });
}

/** Evaluations of every kind that a report must show. */
const KINDS: Record<string, ModelEvaluation> = {
  "a usual one": drawEvaluation(),
  "one without an operating point": drawEvaluation(drawPredictions(30, 1), {
    against: [],
    noOperatingPoint: "the model's file names none",
    metadata: {},
  }),
  "one of classes told apart without fault": drawEvaluation(drawPredictions(20, 40)),
  "one of classes told apart the wrong way round": drawEvaluation(drawPredictions(20, -40)),
  "one of one probability for all": drawEvaluation(
    drawPredictions(20, 1).map((each) => ({ ...each, probability: 0.5, logit: 0, logits: [0, 0] })),
  ),
  "one of the exams that chose the model": drawEvaluation(undefined, { split: "tune" }),
  "one of the training exams": drawEvaluation(undefined, { split: "train" }),
  "one of one class": drawEvaluation(drawPredictions(40, 1).filter(({ label }) => label === 1)),
  "one of a single exam": drawEvaluation(drawPredictions(1, 1)),
  "one of a thousand exams": drawEvaluation(drawPredictions(1130, 1.5)),
  "one by patient, with groups, against several models": _withAll(drawPredictions(60, 1.5)),
  "one with names that are markup": drawEvaluation(undefined, {
    file: `<img src="https://example.org/x.png" onerror=alert(1)>`,
    data: `"><script>alert(1)</script>`,
    metadata: { config: "not JSON", epoch: "<b>1</b>" },
  }),
};

for (const [kind, evaluation] of Object.entries(KINDS)) {
  const text = evaluationHtml(evaluation, DATE);

  Deno.test(`a report needs nothing outside of itself: ${kind}`, () => {
    const tags = text.match(/<[^>]*>/g)!.join("\n");
    assert.doesNotMatch(tags, /<(script|link|img|iframe|object|embed|base|form)\b/i);
    assert.doesNotMatch(tags, /\b(src|srcset|href|action|on[a-z]+)\s*=/i);
    assert.doesNotMatch(text, /url\(|@import/);
  });

  Deno.test(`a report has landmarks, headings in order and names for its plots: ${kind}`, () => {
    assert.match(text, /^<!DOCTYPE html>\n<html lang="en">/);
    for (const landmark of ["header", "main", "footer", "h1", "title"]) {
      const count = text.match(new RegExp(`<${landmark}[ >]`, "g"))?.length;
      // Each plot has a title too.
      if (landmark === "title") assert(count! >= 2);
      else assert.equal(count, 1, landmark);
    }
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, "no id twice");
    for (const [, names] of text.matchAll(/aria-labelledby="([^"]+)"/g)) {
      for (const name of names.split(" ")) assert(ids.includes(name), name);
    }
    const tables = text.match(/<table/g)!.length;
    assert.equal(text.match(/<table[^>]*>\n<caption>/g)!.length, tables);
    const levels = [...text.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    levels.forEach((level, i) => assert(i === 0 ? level === 1 : level <= levels[i - 1] + 1));
  });

  Deno.test(`nothing that is not a number reaches a report: ${kind}`, () => {
    assert.doesNotMatch(text, /NaN|Infinity|\[object|null|>undefined undefined</);
    // No coordinate of a plot is undefined.
    assert.doesNotMatch(text, / (d|x|y|cx|cy|width|height|transform)="[^"]*undefined/);
  });
}

Deno.test("a report says what was evaluated, when, by what, and what it is not for", () => {
  const text = evaluationHtml(KINDS["a usual one"], DATE);
  for (
    const expected of [
      "ACL tear, sagittal plane",
      "40 exams of the validation set",
      "models/one.safetensors",
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "2026-03-04 at 05:06 UTC",
      "not for diagnosis",
      "0.3614, by Youden’s index on the tune exams",
      "0.1 of the training exams, seed 0",
      "DeLong’s paired test of each difference",
    ]
  ) assert(text.includes(expected), expected);
  assert.match(text, /<strong>AUC 0\.\d{3}<\/strong>\n<span>95 % CI 0\.\d{3}–[01]\.\d{3}<\/span>/);
});

Deno.test("a report lists every exam, the worst mistake first", () => {
  const evaluation = drawEvaluation(drawPredictions(30, 1));
  const text = evaluationHtml(evaluation, DATE);
  const list = text.slice(text.indexOf(`id="exams"`));
  const ids = [...list.matchAll(/<tr><th scope="row">(\d+)/g)].map(([, id]) => id);
  const error = (id: string) => {
    const { label, probability } = evaluation.predictions.find((each) => each.id === id)!;
    return Math.abs(label - probability);
  };
  assert.equal(new Set(ids).size, 30);
  ids.forEach((id, i) => assert(i === 0 || error(id) <= error(ids[i - 1])));
});

Deno.test("a report says what its metrics are not worth", () => {
  const says = (kind: string, words: string) =>
    assert(evaluationHtml(KINDS[kind], DATE).includes(words), kind);
  says("one of classes told apart without fault", "separate the classes without fault");
  for (const kind of ["classes told apart the wrong way round", "one probability for all"]) {
    says(`one of ${kind}`, "every exam ranks alike among those of the other class");
    assert.doesNotMatch(evaluationHtml(KINDS[`one of ${kind}`], DATE), /without fault/);
  }
  const chosen = "These exams chose the model’s epoch: its AUC on them is the best of several; " +
    "that goes by the split’s name, for the model’s file does not tell which exams these were.";
  assert.equal(
    evaluationHtml(KINDS["one of the exams that chose the model"], DATE).split(chosen).length - 1,
    2,
    "of the model and of the other one",
  );
  assert.ok(!evaluationHtml(KINDS["a usual one"], DATE).includes(chosen));
  says(
    "one of the training exams",
    "The model was trained on these exams; that goes by the split’s name",
  );
  says("one without an operating point", "No metrics at an operating point: the model&#39;s file");
  says("one of one class", "Undefined with exams of one class only.");
});

Deno.test("a report says who chose what, which groups are small, and how many tests there are", () => {
  const text = evaluationHtml(KINDS["one by patient, with groups, against several models"], DATE);
  for (
    const expected of [
      "by 30 patients (Obuchowski), as all intervals here",
      "these chose something, and 3 of the 60 evaluated exams are among them",
      "Groups by side of the knee",
      "<strong>(small)</strong>",
      "2 models are compared with this one. One of twenty tests has p &lt; 0.05 by chance",
      "Adjusted for the number of tests",
      "Left out: they are of the tune split",
    ]
  ) assert(text.includes(expected), expected);
});

Deno.test("a report counts what was left out of studies, and why", () => {
  const text = evaluationHtml(
    drawEvaluation(undefined, {
      split: "studies",
      leftOut: { unlabelled: ["a", "b"], unknownLabels: ["c"], skipped: [] },
    }),
    DATE,
  );
  const row = (name: string, count: number) =>
    assert(text.includes(`${name}</th><td class="number">${count}</td>`), name);
  row("Studies found", 42);
  row("Left out: studies without a label", 2);
  row("Labels of studies that are not there", 1);
  row("Evaluated", 40);
});

const VIEWS = [{ colors: "light", width: 1280 }, { colors: "dark", width: 400 }] as const;

Deno.test({
  name: `a browser finds reports accessible, quiet and no wider than a phone${WHY_LEFT_OUT}`,
  ignore: WITHOUT_CHROMIUM,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await using browser = await openBrowser();
    for (const [kind, evaluation] of Object.entries(KINDS)) {
      // Axe takes a minute for the table of a thousand rows, which are all alike.
      if (evaluation.predictions.length > 100) continue;
      await folder.write("report.html", evaluationHtml(evaluation, DATE));
      for (const view of VIEWS) {
        const found = await browser.inspect(folder.at("report.html"), view);
        const what = `${kind}, ${view.colors}, ${view.width} pixels`;
        assert.deepEqual(found.violations, [], what);
        assert.deepEqual(found.requests, [], what);
        assert.deepEqual(found.messages, [], what);
        assert(found.pageWidth <= view.width, `${what}: ${found.pageWidth} pixels wide`);
        assert.deepEqual(found.overlaps, [], what);
      }
    }
  },
});
