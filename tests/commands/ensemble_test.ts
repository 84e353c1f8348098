/** `ensemble`, and what the other commands make of the file that it writes. */
import assert from "node:assert/strict";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { runMain } from "../support/console.ts";
import { writeCombined, writePlanes } from "../support/combined.ts";
import { writeEnsemble, writeOutOfFold, writeSeeds } from "../support/ensembles.ts";
import { TemporaryFolder } from "../support/folders.ts";

async function run(args: readonly string[], code = 0): Promise<{ out: string[]; err: string }> {
  const outcome = await runMain(args);
  assert.equal(outcome.code, code, outcome.err);
  return { out: outcome.out.trimEnd().split("\n"), err: outcome.err };
}

Deno.test("models become an ensemble, with an operating point where predictions choose one", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  const models = await writeSeeds(folder, "axial", [11, 12, 13]);
  const file = folder.at("models", "ensemble_acl.json");
  const plain = await run(["ensemble", ...models, "--out", file]);
  assert.deepEqual(plain.out, ["Ensemble of 3 (ACL tear, axial plane)", `Wrote ${file}`]);
  assert.match(
    plain.err,
    /^No operating point: there are no out-of-fold predictions, and exams that/,
  );

  const table = await writeOutOfFold(folder);
  const chosen = await run(["ensemble", ...models, "--out", file, "--predictions", table]);
  assert.deepEqual(chosen.out, [
    "Ensemble of 3 (ACL tear, axial plane)",
    "Out-of-fold predictions: 6 exams, 3 with the finding",
    "Positive from 0.5 on (by Youden’s index on these)",
    "AUC 1.0000 on these: that of single members, which the ensemble's may exceed",
    `Wrote ${file}`,
  ]);
  assert.match(
    chosen.err,
    /^The operating point was chosen by out-of-fold predictions, each of which/,
  );
  const rule = ["--operating_point", "specificity=0.9"];
  const strict = await run(["ensemble", ...models, "--out", file, "--predictions", table, ...rule]);
  assert.equal(strict.out[2], "Positive from 0.5 on (by a specificity of 0.9 on these)");
  const without = await run(["ensemble", ...models, "--out", file, ...rule], 2);
  assert.match(
    without.err,
    /argument --operating_point: not allowed without argument --predictions/,
  );
  const { err } = await run(["ensemble", ...models], 2);
  assert.match(err, /error: the following arguments are required: --out/);
  await run(["ensemble", models[0], "--out", file], 1);
});

Deno.test("predict says what an ensemble says, and draws its mean map", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  await writePlanes(folder, { train: 2, valid: 2 });
  const predictions = await writeOutOfFold(folder);
  const file = await writeEnsemble(folder, "axial", { predictions });
  const exam = folder.at("data/valid/axial/0002.npy");
  const cam = folder.at("cam");
  const { out, err } = await run(["predict", "--model", file, "--cam", cam, "--json", exam]);
  const [line] = out.map((each) => JSON.parse(each));
  assert.match(
    err,
    /Positive from 0\.5 on: the ensemble's operating point, chosen on its out-of-fold/,
  );
  assert.doesNotMatch(err, /does not say how its model's input is prepared/);
  const { exam: id, task, plane, logits, threshold_from } = line;
  assert.deepEqual([id, task, plane, threshold_from], ["0002", "acl", "axial", "model"]);
  const written = JSON.parse(await Deno.readTextFile(`${cam}/0002_contributions.json`));
  using ensemble = await loadClassifier(file);
  assert.deepEqual([written.model.file, written.model.sha256], [file, ensemble.sha256]);
  for (const output of [0, 1]) assert.ok(Math.abs(written.logits[output] - logits[output]) < 1e-6);
  const sum = written.contributions.reduce((sum: number, each: number) => sum + each, written.bias);
  assert.ok(Math.abs(sum - logits[1]) < 1e-5, `${sum}, ${logits[1]}`);
  assert.equal(written.contributions.length, 3 * 256);

  const text = await run(["predict", "--model", file, exam]);
  assert.match(text.out[0], /0002\.npy {2}acl axial {2}probability 0\.\d{4} {2}logits \S+ \S+ {2}/);
  const refused = await run(["predict", "--model", file, "--axial", exam], 1);
  assert.match(refused.err, /it reads the axial plane alone: give the exam without an option$/m);
});

Deno.test("evaluate gives metrics at an operating point only where out-of-fold predictions chose it", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  await writePlanes(folder, { train: 4, valid: 6 });
  const models = await writeSeeds(folder, "axial", [11, 12]);
  const without = await writeEnsemble(folder, "axial", { models });
  const data = ["--data", folder.at("data"), "--seed", "1", "--backend", "wasm", "--threads", "1"];
  const plain = await run(["evaluate", "--model", without, ...data]);
  assert.match(
    plain.err,
    /at an operating point: the ensemble was made without out-of-fold predict/,
  );

  const predictions = await writeOutOfFold(folder);
  const file = await writeEnsemble(folder, "axial", { models, predictions });
  const reports = folder.at("reports");
  const args = ["evaluate", "--model", file, "--against", models[0], "--out", reports, "--json"];
  const { out } = await run([...args, ...data]);
  const json = JSON.parse(out[0]);
  const kinds = json.thresholds.map(({ kind }: { kind: string }) => kind);
  assert.deepEqual([json.plane, json.exams, kinds.join()], ["axial", 6, "half,operating_point"]);
  assert.equal(json.against[0].plane, "axial");
  const page = await Deno.readTextFile(`${reports}/report.html`);
  assert.match(page, /Members: the logit is the mean of theirs/);
  assert.match(page, /6 exams, 3 with the finding, AUC 1\.000/);
  const csv = await Deno.readTextFile(`${reports}/predictions.csv`);
  assert.match(csv, /^exam,label,probability,logit\n/);

  // Training exams may have chosen it: their names alone do not say.
  const train = await run([...args, "--split", "train", ...data]);
  const known = JSON.parse(train.out[0]);
  assert.match(
    known.no_operating_point,
    /by the out-of-fold exams, these among them; that goes by/,
  );
});

Deno.test("an ensemble of combinations predicts patients", async () => {
  await using folder = await TemporaryFolder.make();
  await startEngine("wasm", { threads: 1 });
  await writePlanes(folder, { train: 2, valid: 2 });
  const { path } = await writeCombined(folder);
  const other = folder.at("models", "other.json");
  await Deno.rename(path, other);
  await writeCombined(folder, { intercept: 1 });
  const file = await writeEnsemble(folder, "axial", { models: [path, other] });
  const exams = ["axial", "coronal", "sagittal"].map((plane) =>
    folder.at(`data/valid/${plane}/0003.npy`)
  );
  const cam = folder.at("cam");
  const { out } = await run(["predict", "--model", file, "--json", "--cam", cam, ...exams]);
  const { exam, plane, planes } = JSON.parse(out[0]);
  assert.deepEqual([exam, plane, Object.keys(planes).length], ["0003", "combined", 3]);
  for (const plane of Object.keys(planes)) assert.ok(await Deno.stat(`${cam}/${plane}/0003.gif`));
});
