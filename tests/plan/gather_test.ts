import assert from "node:assert/strict";
import { parseEnsemble } from "../../lib/classifier/ensemble_file.ts";
import { readCombination } from "../../lib/combine/file.ts";
import { byPlane } from "../../lib/combine/combination.ts";
import { hashTogether } from "../../lib/data/exam_hash.ts";
import { gatherPlan, planStatus } from "../../lib/plan/gather.ts";
import type { GatheredAuc } from "../../lib/plan/gathered.ts";
import { makePlan } from "../../lib/plan/make_plan.ts";
import type { TrainPlanOptions } from "../../lib/plan/options.ts";
import { openPlan, unitFolder } from "../../lib/plan/plan_file.ts";
import { writeUnit } from "../../lib/plan/unit_file.ts";
import type { TrainPlan } from "../../lib/plan/plan.ts";
import type { DoneModel, SavedPrediction } from "../../lib/plan/done_model.ts";
import { readFolds } from "../../lib/data/folds.ts";
import { sha256Of } from "../../lib/files.ts";
import { isTuneExam } from "../../lib/data/tune.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { rocAuc } from "../../lib/metrics/roc.ts";
import { createRandom } from "../../lib/random.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { openBrowser } from "../support/browser.ts";
import { WHY_LEFT_OUT, WITHOUT_CHROMIUM } from "../support/chromium.ts";
import { writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const TUNE = { fraction: 0.5, seed: 0 };

/** Plans trainings of small exams. */
async function prepare(folder: TemporaryFolder, more: Partial<TrainPlanOptions>): Promise<string> {
  await writePlanes(folder, { train: 24, valid: 6 }, TASKS);
  const out = folder.at("plan");
  const folders = { data: folder.at("data"), out };
  const how = { weights: "none", seed: 1, threads: 1, tune: TUNE } as const;
  await makePlan({ kind: "all", ...folders, ...how, ...more });
  return out;
}

/** Does every unit without training: its predictions are drawn. */
async function pretend(out: string, change?: (model: DoneModel, id: string) => void) {
  const opened = await openPlan(out);
  const plan = opened.plan as TrainPlan;
  const folds = plan.folds === undefined ? [] : await readFolds(`${out}/folds.csv`);
  for (const unit of plan.units) {
    const random = createRandom(1, unit.id);
    const said = (numbers: number[]): SavedPrediction[] =>
      numbers.map((number) => {
        const [id, label] = [String(number).padStart(4, "0"), number % 2 as 0 | 1];
        const logit = random.normal() + label;
        return [id, label, sigmoid(logit), logit];
      });
    const hashes = (rows: readonly SavedPrediction[]) =>
      rows.map(([id]) => `${PLANES.indexOf(unit.plane)}${id}`.padStart(16, "0"));
    const train = Array.from({ length: 24 }, (_, number) => number);
    const isHeld = (number: number) =>
      folds.some(({ id, fold }) => Number(id) === number && fold === unit.fold);
    const tune = said(
      train.filter((number) =>
        !isHeld(number) && isTuneExam(String(number).padStart(4, "0"), TUNE)
      ),
    );
    const fold = said(train.filter(isHeld));
    const valid = plan.evaluateOn.includes("valid")
      ? said(Array.from({ length: 6 }, (_, index) => 24 + index))
      : [];
    const model: DoneModel = {
      ...{ checkpoint: "models/m.safetensors", epoch: 1, epochs: 2, leftOut: [] },
      sha256: createHash(unit.index),
      computed: { engine: "wasm", threads: 1, precision: "float32" },
      ...{ tune, tuneExams: hashes(tune), valid, validExams: hashes(valid) },
      ...(unit.fold !== undefined && { fold, foldExams: hashes(fold) }),
    };
    change?.(model, unit.id);
    await Deno.mkdir(unitFolder(out, unit), { recursive: true });
    await writeUnit(out, opened, unit, model);
  }
}

const createHash = (index: number) => index.toString(16).padStart(64, "0");

Deno.test("units that are missing are named, by status and by gather", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder, { kind: "seeds", seeds: 2, tasks: ["acl"], planes: ["axial"] });
  await assert.rejects(gatherPlan(out), {
    name: "DataError",
    message:
      /^Cannot gather the plan '.*': 2 of 2 units are not done: 0 \(acl-axial-seed1\), 1 \(acl-axial-seed2\): .*unit .* --index 0$/,
  });
  await pretend(out);
  await Deno.remove(`${out}/units/acl-axial-seed2/unit.json`);
  const { units } = await planStatus(out);
  assert.deepEqual(units.map(({ done }) => done), [true, false]);
  await assert.rejects(gatherPlan(out), /: 1 of 2 units are not done: 1 \(acl-axial-seed2\): /);
});

Deno.test("folds and seeds are gathered with combinations, which name their models", async () => {
  await using folder = await TemporaryFolder.make();
  const options = { kind: "folds", folds: 2, stratify: true, seeds: 2, tasks: ["acl"] } as const;
  const out = await prepare(folder, { ...options, tasks: [...options.tasks] });
  await pretend(out);
  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "trainings");
  const columns = [...PLANES, "combined"];
  assert.deepEqual([...new Set(gathered.aucs.map(({ plane }) => plane))], columns);
  const pooled = gathered.aucs.filter(({ exams, seed }) => exams === "out of fold" && seed === 1);
  assert.deepEqual(
    pooled.map(({ count, positives }) => [count, positives]),
    Array(4).fill([24, 12]),
  );
  assert.deepEqual(gathered.seeds.map(({ exams }) => exams).sort(), [
    ...Array(4).fill("out of fold"),
    ...Array(4).fill("valid"),
  ]);

  const names = (await folder.files("plan/combinations")).sort();
  assert.equal(names.length, 4);
  const name = "plan/combinations/combined_mrnet_acl-setting1-fold2-seed1.json";
  const { members, exams, fitOn } = await readCombination(folder.at(name));
  assert.equal(fitOn, "tune");
  assert.ok(exams >= 4);
  assert.deepEqual(
    byPlane((plane) => members![plane].file),
    byPlane((plane) => `../units/acl-${plane}-fold2-seed1/models/m.safetensors`),
  );
  // Of each plane and of the combinations an ensemble, with an operating point by the held-out folds.
  const ensembles = (await folder.files("plan/ensembles")).sort();
  assert.deepEqual(ensembles, [
    ...["axial", "combined", "coronal", "sagittal"].map((plane) =>
      `ensemble_mrnet_acl-${plane}-setting1.json`
    ),
  ]);
  for (const [at, plane] of columns.entries()) {
    const path = folder.at(`plan/ensembles/ensemble_mrnet_acl-${plane}-setting1.json`);
    const ensemble = parseEnsemble(await Deno.readTextFile(path), path);
    assert.deepEqual([ensemble.plane, ensemble.members.length], [plane, 4]);
    const { exams, positives, auc, hashes } = ensemble.outOfFold!;
    assert.deepEqual([exams, positives, hashes!.length], [24, 12, 24]);
    const ofAllSeeds: GatheredAuc[] = gathered.aucs.filter((each) =>
      each.exams === "out of fold" && each.seed === null && each.plane === plane
    );
    assert.deepEqual(ofAllSeeds.map(({ auc }) => auc), [auc]);
    const hashOf = (plane: number) => `${plane}0007`.padStart(16, "0");
    const seventh = plane === "combined"
      ? await hashTogether([hashOf(0), hashOf(1), hashOf(2)])
      : hashOf(at);
    assert.ok(hashes!.includes(seventh), `${hashes}`);
    for (const { file, sha256 } of ensemble.members) {
      if (plane === "combined") {
        assert.equal(
          sha256,
          await sha256Of(await Deno.readFile(folder.at("plan/ensembles", file))),
        );
      } else {assert.match(
          file,
          new RegExp(`^\\.\\./units/acl-${plane}-fold[12]-seed[12]/models/m`),
        );}
    }
  }

  // The table of predictions says the same as the metrics.
  const rows = (await folder.text("plan/predictions.csv")).trim().split("\n")
    .map((row) => row.split(","));
  const ours = rows.filter(([, seed, , , plane, split]) =>
    seed === "1" && plane === "combined" && split === "fold"
  );
  const auc = rocAuc(ours.map((row) => Number(row[7])), ours.map((row) => Number(row[9])));
  assert.equal(auc, pooled[3].auc);
  const file = JSON.parse(await folder.text("plan/results.json"));
  assert.deepEqual([file.kind, file.units, file.aucs.length], ["folds", 12, gathered.aucs.length]);
  // Gathering again changes nothing but the date of the page.
  const before = await folder.files("plan");
  await gatherPlan(out);
  assert.deepEqual(await folder.files("plan"), before);
});

Deno.test("more models than an ensemble may have make none, and that is said", async () => {
  await using folder = await TemporaryFolder.make();
  const one = { tasks: ["acl"], planes: ["axial"] } as const;
  const out = await prepare(folder, { kind: "seeds", seeds: 101, ...one });
  await pretend(out);
  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "trainings");
  assert.deepEqual(gathered.remarks, [
    "There is no ensemble 'ensemble_mrnet_acl-axial-setting1.json': it would have 101 members, and " +
    "100 are allowed: make one of fewer models with 'cli.ts ensemble', or plan fewer folds or seeds",
  ]);
  assert.deepEqual(await folder.files("plan/ensembles"), []);
});

Deno.test("a sweep compares its settings, and never on the validation set", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("sweep.csv", "lr\n1e-5\n1e-4\n1e-3\n");
  const out = await prepare(folder, {
    ...{ kind: "sweep", sweep: folder.at("sweep.csv"), tasks: ["acl"], planes: ["axial"] },
  });
  await pretend(out);
  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "trainings");
  assert.deepEqual([...new Set(gathered.aucs.map(({ exams }) => exams))], ["tune"]);
  assert.deepEqual(gathered.comparisons.map(({ setting, against }) => `${setting}, ${against}`), [
    ...["lr 0.0001, lr 0.00001", "lr 0.001, lr 0.00001"],
  ]);
});

Deno.test("units that saw different exams under one name are not put together", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder, { kind: "seeds", seeds: 2, tasks: ["acl"], planes: ["axial"] });
  await pretend(out, (model, id) => {
    if (id === "acl-axial-seed2") model.validExams![3] = "f".repeat(16);
  });
  await assert.rejects(gatherPlan(out), {
    name: "DataError",
    message:
      `Cannot gather the plan '${out}': the units acl-axial-seed1 and acl-axial-seed2 were evaluated ` +
      "on different axial exams '0027': give all units the same exams, and do those again that had " +
      "others",
  });
});

Deno.test("all nine give the table of run_all, in the plan's folder", async () => {
  await using folder = await TemporaryFolder.make();
  const out = await prepare(folder, {});
  await pretend(out);
  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "all");
  assert.deepEqual(gathered.results.map(({ task }) => task), [...TASKS]);
  const flat = JSON.parse(await folder.text("plan/results.json"));
  assert.deepEqual([flat.length, flat[3].plane], [12, "combined"]);
  assert.equal(flat[0].model, `${out}/units/abnormal-axial/models/m.safetensors`);
  const files = (await folder.files("plan")).filter((name) => !name.startsWith("units/"));
  assert.deepEqual(files, [
    ...TASKS.map((task) => `combinations/combined_mrnet_${task}.json`),
    "plan.json",
    ...TASKS.flatMap((task) =>
      ["tune", "valid"].map((split) => `predictions_${task}_${split}.csv`)
    ),
    ...["report.html", "results.json"],
  ]);
});

Deno.test("a plan's rule chooses the operating points of combinations and ensembles", async () => {
  await using folder = await TemporaryFolder.make();
  const folds = { kind: "folds", folds: 2, stratify: true, tasks: ["acl" as const] } as const;
  const out = await prepare(folder, { ...folds, operatingPoint: "sensitivity=0.9" });
  await pretend(out);
  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "trainings");
  const rules: string[] = [];
  for (const name of await folder.files("plan/combinations")) {
    rules.push((await readCombination(folder.at("plan/combinations", name))).operatingPoint.rule);
  }
  for (const name of await folder.files("plan/ensembles")) {
    const text = await folder.text(`plan/ensembles/${name}`);
    rules.push(parseEnsemble(text, name).outOfFold!.operatingPoint.rule);
  }
  const missed = rules.filter((rule) => rule === "youden").length;
  assert.equal(rules.length, 6);
  assert.ok(rules.every((rule) => rule === "youden" || rule === "sensitivity=0.9"));
  // Every one that did not get what was asked for is told.
  assert.equal(gathered.remarks.length, missed);
  assert.ok(missed < 6);
  for (const remark of gathered.remarks) {
    assert.match(remark, /^No threshold reaches the sensitivity 0\.9 .*chosen by Youden’s index$/);
  }
});

Deno.test({
  name: `a browser finds the page of many trainings accessible, quiet and narrow${WHY_LEFT_OUT}`,
  ignore: WITHOUT_CHROMIUM,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await folder.write("sweep.csv", "lr\n1e-5\n1e-4\n");
    const out = await prepare(folder, {
      ...{ kind: "sweep", sweep: folder.at("sweep.csv"), tasks: ["acl"] },
      ...{ folds: 2, stratify: true, seeds: 2 },
    });
    await pretend(out);
    await gatherPlan(out);
    await using browser = await openBrowser();
    for (
      const view of [{ colors: "light", width: 1280 }, { colors: "dark", width: 400 }] as const
    ) {
      const found = await browser.inspect(`${out}/report.html`, view);
      const what = `${view.colors}, ${view.width} pixels`;
      assert.deepEqual(found.violations, [], what);
      assert.deepEqual(found.requests, [], what);
      assert.deepEqual(found.messages, [], what);
      assert.ok(found.pageWidth <= view.width, `${what}: ${found.pageWidth} pixels wide`);
    }
  },
});
