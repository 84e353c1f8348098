/**
 * The examples run as they stand, and print what they are for. All but those that say otherwise are only
 * tried here (`--quick`): they have too few exams to learn from.
 */
import assert from "node:assert/strict";
import { withoutDriver } from "./support/cli.ts";
import { TemporaryFolder } from "./support/folders.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);

/** What each example must print. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  calibration:
    /^as the model says it: Brier score 0\.\d+\n( .*\n)+scaled by .*: Brier score 0\.\d+\n/,
  conversion:
    /model\.pth: 9\.\d MB.*\n.*model\.onnx: .*\nsafetensors: task acl, the same\npth: .*same\n/,
  cross_validation: /^(fold [12] of 2: AUC [\d.]+ on 3 exams\n){2}all folds: AUC [\d.]+ \(.*\)\n$/,
  custom_logger:
    /^\{"epoch":1,"trainLoss":.*"hardest":"\d{4}"\}\nThe log: .*\nThe best model: .*\n$/,
  explanation:
    /^Exam \d{4}, .*\n( {2}slice \d: .*\n){2} {2}with the bias .*\nThe contact sheet: .*\n$/,
  frozen_features:
    /^logistic regression: AUC [\d.]+ \([\d.]+–[\d.]+\) on 4 knees\nlinear layer: AUC [\d.]+\n$/,
  own_augmentation: /^epoch 1: loss [\d.]+ on varied exams, .*\nAUC [\d.]+\n$/,
  own_data: /^(epoch \d: loss [\d.]+, AUC [\d.]+\n)+AUC [\d.]+ on 12 exams .*\n$/,
  service: /^Listening on http:\/\/127\.0\.0\.1:\d+, .*\n200 \{\n[^]*"probability": [\d.]+/,
  sweep: /^learning rate .*\n([12]e-4 +[\d.]+ +[\d.]+\n){2}$/,
};

/** Examples that learn even here, and the least AUC on exams that were not trained on. */
const LEARNT: Readonly<Record<string, number>> = { own_data: 0.9 };

Deno.test("every example is tested, listed, and of a page's length", async () => {
  const names: string[] = [];
  const list = await Deno.readTextFile(new URL("README.md", EXAMPLES));
  for await (const { name } of Deno.readDir(EXAMPLES)) {
    if (!name.endsWith(".ts") || name === "knees.ts") continue;
    names.push(name.replace(".ts", ""));
    const text = await Deno.readTextFile(new URL(name, EXAMPLES));
    assert.ok(text.split("\n").length <= 70, `${name} is longer than a page`);
    assert.match(text, /from "\.\.\/mod\.ts"/);
    assert.ok(text.includes(`deno run -A examples/${name}`), `${name} does not say how to run it`);
    assert.ok(list.includes(`[${name}](${name})`), `examples/README.md does not list ${name}`);
    assert.doesNotMatch(text, /from "(?!\.\.\/mod\.ts|\.\/knees\.ts)/);
  }
  assert.deepEqual(names.sort(), Object.keys(PRINTS));
});

for (const [name, printed] of Object.entries(PRINTS)) {
  Deno.test(`examples/${name}.ts runs`, async () => {
    await using folder = await TemporaryFolder.make();
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", new URL(`${name}.ts`, EXAMPLES).pathname, "--quick"],
      // What it leaves is in the folder for temporary files, which is this one.
      env: { NO_COLOR: "1", TMPDIR: folder.path },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 0, err);
    assert.equal(withoutDriver(err), "");
    assert.match(out, printed);
    const least = LEARNT[name];
    if (least === undefined) return;
    const aucs = [...out.matchAll(/AUC ([\d.]+)/g)].map(([, auc]) => Number(auc));
    assert.ok(aucs.at(-1)! >= least, out);
    const losses = [...out.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
    assert.ok(losses.at(-1)! < losses[0] / 2, out);
  });
}
