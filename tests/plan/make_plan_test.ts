import assert from "node:assert/strict";
import { makePlan } from "../../lib/plan/make_plan.ts";
import type { TrainPlanOptions } from "../../lib/plan/options.ts";
import type { TrainPlan } from "../../lib/plan/plan.ts";
import { formatPlan, parsePlan, readPlan } from "../../lib/plan/plan_file.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

/** A dataset of 24 and four exams in all planes, and options that plan for it. */
async function prepare(folder: TemporaryFolder): Promise<TrainPlanOptions> {
  await writePlanes(folder, { train: 24, valid: 4 }, TASKS);
  return {
    ...{
      kind: "all",
      out: folder.at("plan"),
      data: folder.at("data"),
      models: folder.at("models"),
    },
    ...{ weights: "none", seed: 7, threads: 1, tune: { fraction: 0.5, seed: 0 } },
  };
}

const plan = async (options: TrainPlanOptions) => (await makePlan(options)).plan as TrainPlan;

Deno.test("the same call again changes nothing, and another is refused with the differences", async () => {
  await using folder = await TemporaryFolder.make();
  const options = await prepare(folder);
  const first = await makePlan(options);
  const text = await folder.text("plan/plan.json");
  assert.equal(first.found, false);
  assert.deepEqual(await makePlan(options), { plan: first.plan, found: true });
  // What was drawn, or follows from the machine, is that of the plan.
  const again = await makePlan({ ...options, seed: undefined, threads: undefined });
  assert.equal(again.found, true);
  assert.deepEqual(await readPlan(options.out), first.plan);
  assert.deepEqual(await folder.files("plan"), ["plan.json"]);
  await assert.rejects(makePlan({ ...options, learningRate: 1e-4, seeds: 2 }), {
    name: "OptionError",
    message:
      `Cannot plan into '${options.out}', which has another plan: this is seeds 2 instead of 1, ` +
      "lr 0.0001 instead of 0.00001: give the same options and data, or another --out",
  });
  const labels = await folder.text("data/train-acl.csv");
  await folder.write("data/train-acl.csv", labels.replace("0000,0", "0000,1"));
  await assert.rejects(makePlan(options), /this is labels \{.*\} instead of \{.*\}: give the same/);
  assert.equal(await folder.text("plan/plan.json"), text);
});

Deno.test("a plan of all has nine units, and one of folds, seeds and settings all of them", async () => {
  await using folder = await TemporaryFolder.make();
  const options = await prepare(folder);
  const all = await plan(options);
  const nine = TASKS.flatMap((task) => PLANES.map((plane) => `${task}-${plane}`));
  assert.deepEqual(all.units.map(({ id }) => id), nine);
  assert.deepEqual(all.evaluateOn, ["tune", "valid"]);
  assert.deepEqual(all.units[4], {
    ...{ index: 4, id: "acl-coronal", task: "acl", plane: "coronal", network: "alexnet" },
    ...{ setting: 1, seed: 7, threads: 1 },
  });
  assert.deepEqual(all.settings[0].weights, { file: "none" });
  assert.deepEqual([all.settings[0].options.lr, all.settings[0].options.network], [
    1e-5,
    "alexnet",
  ]);

  await folder.write("sweep.json", '[{}, {"lr": 1e-4}]');
  const one = { tasks: ["acl"], planes: ["axial"] } as const;
  const many = await plan({
    ...{ ...options, ...one, kind: "sweep", sweep: folder.at("sweep.json") },
    ...{ out: folder.at("many"), folds: 2, stratify: true, seeds: 2 },
  });
  assert.deepEqual(many.units.map(({ id, seed }) => `${id} ${seed}`), [
    ...["acl-axial-setting1-fold1-seed7 7", "acl-axial-setting1-fold2-seed7 7"],
    ...["acl-axial-setting1-fold1-seed8 8", "acl-axial-setting1-fold2-seed8 8"],
    ...["acl-axial-setting2-fold1-seed7 7", "acl-axial-setting2-fold2-seed7 7"],
    ...["acl-axial-setting2-fold1-seed8 8", "acl-axial-setting2-fold2-seed8 8"],
  ]);
  // No choice among settings looks at the validation set.
  assert.deepEqual(many.evaluateOn, ["tune", "fold"]);
  assert.deepEqual(Object.keys(many.labels), ["train-acl"]);
  assert.deepEqual(many.settings.map(({ name }) => name), ["as given", "lr 0.0001"]);
  assert.deepEqual(await parsePlan(formatPlan(many), "plan.json"), many);
});

Deno.test("folds are the same whatever is planned, and patients of the dataset stay together", async () => {
  await using folder = await TemporaryFolder.make();
  const options = await prepare(folder);
  const folds = async (name: string, more: Partial<TrainPlanOptions>) => {
    const out = folder.at(name);
    await makePlan({ ...options, kind: "folds", folds: 2, stratify: true, out, ...more });
    return await folder.text(`${name}/folds.csv`);
  };
  const all = await folds("a", {});
  assert.equal(await folds("b", { tasks: ["meniscus"], planes: ["sagittal"], seed: 1 }), all);
  assert.match(all, /^id,fold\n0000,/);
  const patients = "0000,a\n0001,a\n0002,b\n0003,b\n";
  await folder.write("data/patients.csv", patients);
  const together = await folds("c", {});
  const foldOf = new Map(together.split("\n").map((row) => [row.slice(0, 4), row.split(",")[1]]));
  assert.equal(foldOf.get("0000"), foldOf.get("0001"));
  assert.equal(foldOf.get("0002"), foldOf.get("0003"));
});

Deno.test("whatever cannot be planned is refused before anything is written", async () => {
  await using folder = await TemporaryFolder.make();
  const options = await prepare(folder);
  const refuses = async (change: Partial<TrainPlanOptions>, error: RegExp) => {
    await assert.rejects(makePlan({ ...options, ...change }), error);
    assert.deepEqual(await folder.files("plan"), []);
  };
  await refuses({ kind: "folds" }, /^OptionError: Cannot make a plan: nothing says how many folds/);
  await refuses({ kind: "sweep" }, /^OptionError: .*: nothing says what to vary: give the file/);
  await refuses({ sweep: "x" }, /settings belong to a sweep, not to all: leave 'sweep' out/);
  await refuses({ seeds: 0 }, /it cannot have 0 seeds: give a whole number of 1 to 1000/);
  await refuses({ tasks: [] }, /there is no task or no plane/);
  await refuses({ prefix: "../x" }, /^OptionError: Cannot name a model with the prefix/);
  await refuses({ epochs: 0 }, /^OptionError: Cannot train with epochs 0/);
  const axial = await writeMember(folder, "axial", { tune: options.tune });
  await refuses(
    { weights: axial, network: "resnet18" },
    /^OptionError: Cannot train the network 'resnet18' from '.*', which holds alexnet: leave the/,
  );
  await refuses({ weights: folder.at("none.pth") }, /^WeightsError: Cannot read the weights/);
  const weights = await writeMember(folder, "axial", { tune: options.tune });
  await refuses(
    { kind: "folds", folds: 2, stratify: true, weights },
    /^OptionError: Cannot keep fold 1 out of a training that starts from/,
  );
  // Of the twelve exams with the finding, so many folds leave one without.
  await refuses(
    { kind: "folds", folds: 20 },
    /^DataError: Cannot keep fold \d of '.*folds.csv' out: of its \d exams? .* (none|all) show/,
  );
  await refuses(
    { kind: "folds", folds: 2, stratify: true, tune: { fraction: 0.05, seed: 0 } },
    /^DataError: Cannot keep a share of 0.05, .* seed \(without the exams of fold \d\)$/,
  );
  await refuses(
    { tune: { fraction: 0.01, seed: 0 } },
    /^DataError: Cannot keep a share of 0.01, seed 0, .*: no exams are kept out/,
  );
  await Deno.remove(folder.at("data/valid/sagittal/0025.npy"));
  await refuses({}, /^DataError: Cannot use 1 of the 4 exams .*0025/);
  await refuses(
    { data: folder.at("nowhere") },
    /^DataError: Cannot open the dataset in '.*nowhere'/,
  );
});

Deno.test("a folder with units of another plan takes no new one", async () => {
  await using folder = await TemporaryFolder.make();
  const options = await prepare(folder);
  await folder.write("plan/units/acl-axial/unit.json", "{}");
  await assert.rejects(makePlan(options), {
    name: "OptionError",
    message: `Cannot write a plan to '${options.out}': units of another plan are there: ` +
      "give another --out",
  });
});

Deno.test("a plan that is none is refused in one line", async () => {
  await using folder = await TemporaryFolder.make();
  const made = formatPlan(await plan(await prepare(folder)));
  const refuses = async (text: string, found: RegExp) => {
    await assert.rejects(parsePlan(text, "plan.json"), (error: Error) => {
      assert.equal(error.name, "DataError");
      assert.match(error.message, /^Cannot read the plan 'plan.json': .*: give the folder that/);
      assert.match(error.message, found);
      return true;
    });
  };
  await refuses("{", /it is not JSON/);
  await refuses("[]", /expected object/);
  await refuses(made.replace("mrnet-plan", "other"), /its format: it is not a 'mrnet-plan' file/);
  await refuses(made.replace('"version": 1', '"version": 2'), /its version: its version is not 1/);
  await refuses(made.replace('"index": 3', '"index": 4'), /its unit 3 has another number/);
  await refuses(made.replace('"id": "acl-axial"', '"id": ".."'), /its unit 3 has .* no name/);
  await refuses(made.replace('"id": "acl-axial"', '"id": "a/b"'), /its units\.3\.id: /);
  await refuses(
    made.replace('"acl-coronal"', '"acl-axial"'),
    /two of its units have the same name/,
  );
  await refuses(made.replace('"setting": 1', '"setting": 2'), /a setting that there is none of/);
  await refuses(
    made.replace('"setting": 1,', '"setting": 1, "fold": 1,'),
    /a fold that there is none/,
  );
  await refuses(
    made.replace(/"alexnet"(?=,\s+"setting")/, '"a\\u001bb"'),
    /its units\.0\.network: /,
  );
  await assert.rejects(readPlan(folder.at("no")), /^DataError: .*there is no such file.*plan all/);
});
