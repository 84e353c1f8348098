// The page of nine models and their combinations, in a browser where there is one.
import assert from "node:assert/strict";
import { byPlane } from "../../../lib/combine/combination.ts";
import { fitCombination } from "../../../lib/combine/fit.ts";
import type { PlanePredictions } from "../../../lib/combine/predictions.ts";
import { createRandom } from "../../../lib/random.ts";
import { type ResultsOrigin, resultsPage } from "../../../lib/plan/run_all/page.ts";
import { flatResults, resultsText, taskResult } from "../../../lib/plan/run_all/results.ts";
import type { DoneModel } from "../../../lib/plan/done_model.ts";
import { modelKey } from "../../../lib/plan/run_all/state.ts";
import { PLANES, type Task, TASKS } from "../../../lib/terms.ts";
import { openBrowser } from "../../support/browser.ts";
import { WHY_LEFT_OUT, WITHOUT_CHROMIUM } from "../../support/chromium.ts";
import { TemporaryFolder } from "../../support/folders.ts";

/** Patients of whom three models know something; `spread` 0 makes models without a mistake. */
function patients(seed: number, spread: number): PlanePredictions[] {
  const random = createRandom(seed, "page");
  return Array.from({ length: 40 }, (_, index) => {
    const label = index % 2 as 0 | 1;
    const probability = () => Math.min(1, Math.max(0, 0.25 + label / 2 + spread * random.normal()));
    return { label, probabilities: byPlane(probability) };
  });
}

function result(task: Task, spread: number) {
  const combination = { ...fitCombination(patients(1, spread), "tune"), task };
  const planes = byPlane((plane) => `models/${task}_${plane}`);
  const files = { ...planes, combined: `models/${task}_combined` };
  return taskResult(task, patients(2, spread), combination, files);
}

const DONE: DoneModel = {
  ...{ checkpoint: "models/a_model.safetensors", sha256: "0123456789abcdef".repeat(4) },
  ...{ epoch: 2, epochs: 3, tune: [], valid: [] },
  computed: { engine: "wasm", threads: 2, precision: "float32" },
  leftOut: [],
};

const ORIGIN: ResultsOrigin = {
  data: "data",
  tune: { fraction: 0.1, seed: 0 },
  config: {
    ...{ epochs: 3, lr: 1e-5, weights_sha256: DONE.sha256 },
    labels: { "train-abnormal": "0123456789abcdef", "valid-abnormal": "fedcba9876543210" },
  },
  models: Object.fromEntries(
    TASKS.flatMap((task) => PLANES.map((plane) => [modelKey(task, plane), DONE])),
  ),
  leftOut: [{ plane: "axial", split: "valid", id: "0012", reason: "there is no such file" }],
};

Deno.test("with one positive exam there is an AUC and no interval, and nothing is broken", () => {
  const few = [0, 0, 1, 0, 0].map((label, index) => ({
    label: label as 0 | 1,
    probabilities: byPlane(() => 0.1 + index / 10),
  }));
  const combination = { ...fitCombination(patients(1, 0.3), "tune"), task: "acl" } as const;
  const files = { axial: "a", coronal: "c", sagittal: "s", combined: "all" };
  const one = taskResult("acl", few, combination, files);
  const usual = TASKS.map((task) => result(task, 0.3));
  const results = [usual[0], one, usual[2]];
  assert.match(resultsText(results)[2], /^acl +0\.500 \(undefined\) +0\.500 \(undefined\)/);
  const html = resultsPage(results, ORIGIN, new Date(0));
  assert.doesNotMatch(html, /NaN/);
  assert.equal(html.match(/class="whisker"/g)!.length, 8);
  assert.equal(html.match(/class="point"/g)!.length, 12);
  assert.match(JSON.stringify(flatResults(results)), /"auc":0\.5,"auc_low":null,"auc_high":null/);
});

Deno.test("the page says by how many exams, on what, and without which, whatever the task", () => {
  const usual = TASKS.map((task) => result(task, 0.3));
  const html = resultsPage(usual, ORIGIN, new Date(0));
  assert.match(html, /evaluated on the 40 validation exams in/);
  const fewer = [usual[0], { ...usual[1], exams: 38 }, usual[2]];
  assert.match(
    resultsPage(fewer, ORIGIN, new Date(0)),
    /evaluated on the 38–40 validation exams in/,
  );
  assert.ok(html.includes(DONE.sha256) && html.includes("wasm, 2 threads"));
  assert.ok(html.includes("there is no such file"));
  assert.match(html, />labels, train-abnormal<\/t[dh]>\s*<td[^>]*>0123456789abcdef</);
  const none = resultsPage(usual, { ...ORIGIN, leftOut: [] }, new Date(0));
  assert.doesNotMatch(none, /could not be read/);
});

Deno.test("the page says what intervals without width are worth, each kind once", () => {
  const page = (...spreads: number[]) =>
    resultsPage(TASKS.map((task, i) => result(task, spreads[i])), ORIGIN, new Date(0));
  const count = (text: string, words: string) => text.split(words).length - 1;
  const [faultless, alike] = ["separate the classes without fault", "every exam ranks alike among"];
  const mixed = page(0.3, 0.3, 0.3);
  assert.deepEqual([count(mixed, faultless), count(mixed, alike)], [0, 0]);
  const without = page(0, 0, 0.3);
  assert.deepEqual([count(without, faultless), count(without, alike)], [1, 0]);
  // One probability for all.
  const constant = TASKS.map((task) => result(task, 0.3)).map((each) => ({
    ...each,
    aucs: { ...each.aucs, axial: { ...each.aucs.axial, auc: 0.5, low: 0.5, high: 0.5 } },
  }));
  const text = resultsPage(constant, ORIGIN, new Date(0));
  assert.deepEqual([count(text, faultless), count(text, alike)], [0, 1]);
});

Deno.test({
  name: `a browser finds the page of nine models accessible, quiet and narrow${WHY_LEFT_OUT}`,
  ignore: WITHOUT_CHROMIUM,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await using browser = await openBrowser();
    for (const [kind, spread] of [["of mixed worth", 0.3], ["without a mistake", 0]] as const) {
      const results = TASKS.map((task) => result(task, spread));
      await folder.write("report.html", resultsPage(results, ORIGIN, new Date(0)));
      for (
        const view of [{ colors: "light", width: 1280 }, { colors: "dark", width: 400 }] as const
      ) {
        const found = await browser.inspect(folder.at("report.html"), view);
        const what = `models ${kind}, ${view.colors}, ${view.width} pixels`;
        assert.deepEqual(found.violations, [], what);
        assert.deepEqual(found.requests, [], what);
        assert.deepEqual(found.messages, [], what);
        assert.ok(found.pageWidth <= view.width, `${what}: ${found.pageWidth} pixels wide`);
        assert.deepEqual(found.overlaps, [], what);
      }
    }
  },
});
