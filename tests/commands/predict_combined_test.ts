/**
 * Predicting patients and evaluating a combination from the command line, with the documented
 * permissions.
 */
import assert from "node:assert/strict";
import { PLANES } from "../../lib/terms.ts";
import { runCli } from "../support/cli.ts";
import { writeCombined, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const MODEL = ["--model", "models/combined.json", "--backend", "wasm", "--threads", "1"];
const EXAMS = PLANES.map((plane) => `data/valid/${plane}/0003.npy`);

Deno.test("a combination predicts a patient, says how, and shows where it looked", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 4 });
  await writeCombined(folder);
  const permissions = ["--allow-read=data,models,cams", "--allow-write=cams"];
  const run = (...args: string[]) => runCli(folder, [...args, ...MODEL], { permissions });

  const line = await run("predict", ...EXAMS);
  assert.equal(line.code, 0, line.err);
  const p = "0\\.\\d{4}";
  assert.match(
    line.out,
    new RegExp(
      `^0003  acl combined  probability ${p}  axial ${p} coronal ${p} sagittal ${p}  ` +
        "(positive|negative) \\(from 0\\.5\\)\n$",
    ),
  );
  assert.match(line.err, /Positive from 0\.5 on: the combination's operating point, .* tune exams/);

  const files = PLANES.flatMap((plane, i) => [`--${plane}`, EXAMS[i]]);
  const told = await run("predict", ...files, "--json", "--cam", "cams");
  assert.equal(told.code, 0, told.err);
  const json = JSON.parse(told.out);
  assert.deepEqual([json.exam, json.task, json.plane], ["0003", "acl", "combined"]);
  assert.ok(line.out.includes(`probability ${json.probability.toFixed(4)}`));
  assert.deepEqual(Object.keys(json.planes), [...PLANES]);
  const [absent, present] = json.logits;
  assert.ok(Math.abs(1 / (1 + Math.exp(absent - present)) - json.probability) < 1e-12);
  assert.deepEqual(Object.keys(json), [
    ...["exam", "task", "plane", "probability", "logits", "decision", "threshold"],
    ...["threshold_from", "planes"],
  ]);
  assert.equal(json.planes.sagittal.file, EXAMS[2]);
  const made = await folder.files("cams");
  for (const plane of PLANES) assert.ok(made.includes(`${plane}/0003.gif`), `${made}`);

  const evaluated = await run("evaluate", "--json", "--seed", "1");
  assert.equal(evaluated.code, 0, evaluated.err);
  const { plane, exams, auc } = JSON.parse(evaluated.out);
  assert.deepEqual([plane, exams], ["combined", 4]);
  assert.ok(auc >= 0 && auc <= 1);
});

Deno.test("what does not go together is refused", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 2 });
  await writeCombined(folder);
  const refuses = async (args: string[], code: number, message: RegExp) => {
    const outcome = await runCli(folder, ["predict", ...args], { permissions: ["--allow-read"] });
    assert.deepEqual([outcome.code, outcome.out], [code, ""], outcome.err);
    assert.match(outcome.err.trimEnd().split("\n").at(-1)!, message);
  };
  await refuses(
    [...MODEL, EXAMS[0], EXAMS[1]],
    1,
    /^Cannot predict patient '0003': there is no sagi/,
  );
  await folder.write("deno.json", "{}");
  await refuses(
    ["--model", "deno.json", "knee.npy"],
    1,
    /^Cannot use the combination 'deno.json': its format is not 'mrnet-combination': /,
  );
  await refuses([...MODEL, "--axial", EXAMS[0]], 1, /there is no coronal and no sagittal exam: /);
  await refuses(MODEL, 2, /^cli\.ts: error: the following arguments are required: EXAM$/);
  await refuses(
    [...MODEL, EXAMS[0], "--axial", EXAMS[0]],
    2,
    /^cli\.ts: error: argument EXAM: not allowed with argument --axial$/,
  );
  await refuses(
    ["--model", "models/model_axial.safetensors", EXAMS[0], "--axial", EXAMS[0]],
    2,
    /^cli\.ts: error: argument --axial: only allowed with a combination's \.json file$/,
  );
  await refuses(
    [...MODEL, ...EXAMS, "-p", "axial"],
    1,
    /^Cannot use the combination .* for acl in the axial plane: by its file it is for acl in all /,
  );
  await refuses(
    [...MODEL, ...EXAMS, "--intensity", "standardized"],
    1,
    /^Cannot use the combination .* with intensity standardized: its axial model is raw: /,
  );
});

Deno.test("pictures are named only where there are some", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 2, valid: 2 });
  await writeCombined(folder);
  await folder.write("data/valid/sagittal/0003.npy", "no array");
  const permissions = ["--allow-read=data,models,cams", "--allow-write=cams"];
  const { code, out, err } = await runCli(
    folder,
    ["predict", ...MODEL, "--cam", "cams", ...EXAMS],
    { permissions },
  );
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /\nCannot .*0003\.npy/);
  assert.doesNotMatch(err, /Pictures/);
});
