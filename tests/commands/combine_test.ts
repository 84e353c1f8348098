/**
 * Combining from the command line, as a user does it: another process, with the documented
 * permissions, on files.
 */
import assert from "node:assert/strict";
import { readCombination } from "../../lib/combine/file.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { PLANES } from "../../lib/terms.ts";
import { runCli } from "../support/cli.ts";
import { memberName, writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const MODELS = PLANES.map((plane) => `models/${memberName(plane)}`).join();
const TABLE = "label,axial,coronal,sagittal\n" +
  "1,0.9,0.5,0.8\n1,0.7,0.4,0.9\n0,0.2,0.5,0.3\n0,0.4,0.6,0.1\n0,0.8,0.4,0.2\n";

Deno.test("three models become a file that says how they go together", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 16, valid: 4 });
  for (const plane of PLANES) {
    await writeMember(folder, plane, { tune: { fraction: 0.5, seed: 0 } });
  }
  const permissions = ["--allow-read=data,models", "--allow-write=models"];
  const args = ["combine", "-t", "acl", "--models", MODELS, "--backend", "wasm"];
  const { code, out, err } = await runCli(folder, args, { permissions });
  assert.equal(code, 0, err);
  const combination = await readCombination(folder.at("models/combined_mrnet_acl.json"));
  const { exams, positives, auc } = combination;
  const number = "[+−]\\d+\\.\\d{4}";
  assert.match(
    out,
    new RegExp(
      `^Fitted on ${exams} patients of the tune split, which no model was trained on; ` +
        `${positives} have the finding \\(acl\\)\naxial {5}${number}\ncoronal {3}${number}\n` +
        `sagittal {2}${number}\nintercept {1}${number}\n` +
        "Positive from \\d\\.\\d{4} on \\(by Youden’s index on these patients\\)\n" +
        `AUC ${auc.toFixed(4)} on these patients: how well it fits, not how well it does on ` +
        "others\nWrote models/combined_mrnet_acl.json\n$",
    ),
  );
  assert.match(err, /^Engine: WebAssembly .*\nExams: {2}\d+ patients in three planes, acl\n$/);

  const again = [...args, "--fit_on", "valid", "--prefix_name", "v2"];
  const valid = await runCli(folder, again, { permissions });
  assert.equal(valid.code, 0, valid.err);
  assert.match(
    valid.out,
    /^Fitted on 4 patients of the validation set; 2 have the finding \(acl\)\n/,
  );
  assert.match(valid.err, /\nFitted on the validation exams: metrics .* too good, .*\n$/);
  assert.equal((await readCombination(folder.at("models/combined_v2_acl.json"))).fitOn, "valid");

  // A file of PyTorch does not say how its input is prepared: that is told once, or remarked.
  const torch = MODELS.replace(".safetensors", ".pth");
  const axial = folder.at("models", memberName("axial"));
  await convertWeights(axial, axial.replace(".safetensors", ".pth"));
  const combine = (...more: string[]) =>
    runCli(folder, [...args, "--fit_on", "valid", "--models", torch, ...more], { permissions });
  const open = await combine();
  assert.match(
    open.err,
    /\n'model_axial\.pth' does not say how its model's input is prepared: taken as raw\n$/,
  );
  const told = await combine("--intensity", "raw");
  assert.equal(told.code, 0, told.err);
  assert.ok(!told.err.includes("taken as raw"));

  const denied = await runCli(folder, args, { permissions: ["--allow-read=data,models"] });
  assert.equal(denied.code, 1);
  assert.match(denied.err, /run again with --allow-write=models\n$/);
});

Deno.test("a table made elsewhere is combined without any model", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("table.csv", TABLE);
  const run = (...args: string[]) =>
    runCli(folder, ["combine", "--predictions", "table.csv", ...args], {
      permissions: ["--allow-read=table.csv,out", "--allow-write=out"],
    });
  const { code, out, err } = await run();
  assert.equal(code, 0, err);
  // The weights are those of scikit-learn 1.9.1, LogisticRegression(tol=1e-10).
  assert.match(
    out,
    /\naxial {5}\+0\.3353\ncoronal {3}−0\.0472\nsagittal {2}\+0\.6747\nintercept −0\.9018\n/,
  );
  assert.match(err, /^Fitted on predictions made elsewhere: /);
  assert.deepEqual(await folder.files(), ["table.csv"]);

  assert.equal((await run("--out", "out/c.json", "-t", "acl")).code, 0);
  const { task, fitOn, members } = await readCombination(folder.at("out/c.json"));
  assert.deepEqual([task, fitOn, members], ["acl", "table", undefined]);
  assert.match(
    (await run("-t", "acl")).out,
    /^Fitted on 5 patients of the table; 2 have .* \(acl\)\n/,
  );

  // It has no models, so nothing can be asked of it.
  for (const args of [["evaluate"], ["predict", "0001.npy"]]) {
    const refused = await runCli(folder, [...args, "--model", "out/c.json", "--backend", "wasm"], {
      permissions: ["--allow-read"],
    });
    assert.deepEqual([refused.code, refused.out], [1, ""]);
    assert.equal(
      refused.err,
      "Cannot use the combination 'out/c.json' for exams: it has weights but no models, for it was " +
        "fitted on a table: combine models with 'cli.ts combine --models AXIAL,CORONAL,SAGITTAL'\n",
    );
  }
});

Deno.test("arguments that do not go together are refused in argparse's words", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("table.csv", "label,axial,coronal,sagittal\n1,0.9,0.5,1.8\n");
  const refuses = async (args: string[], expected: number, message: string) => {
    const { code, out, err } = await runCli(folder, ["combine", ...args], {
      permissions: ["--allow-read"],
    });
    assert.deepEqual([code, out], [expected, ""]);
    assert.equal(err.trimEnd().split("\n").at(-1), message);
  };
  const wrong = "cli.ts: error:";
  await refuses([], 2, `${wrong} one of the arguments --models --predictions is required`);
  for (
    const [name, value] of [
      ...[["models", "a,b,c"], ["fit_on", "valid"], ["prefix_name", "x"], ["data", "data"]],
      ...[["backend", "auto"], ["threads", "2"]],
    ]
  ) {
    await refuses(
      ["--predictions", "table.csv", `--${name}`, value],
      2,
      `${wrong} argument --${name}: not allowed with argument --predictions`,
    );
  }
  await refuses(
    ["--predictions", "table.csv", "--intensity", "raw"],
    2,
    `${wrong} argument --intensity: not allowed with argument --predictions`,
  );
  await refuses(
    ["--models", "a,b"],
    2,
    `${wrong} argument --models: invalid value: 'a,b' (must be three files joined by commas)`,
  );
  await refuses(
    ["--predictions", "table.csv"],
    1,
    "Cannot read the predictions 'table.csv': line 2: the sagittal probability '1.8' is not a " +
      "number in 0–1: labels are 0 or 1, probabilities numbers in 0–1",
  );
});
