/** The card of a model, asked from the command line. */
import assert from "node:assert/strict";
import { VERSION } from "../../lib/version.ts";
import { runCli } from "../support/cli.ts";
import { writeMember } from "../support/combined.ts";
import { runMain } from "../support/console.ts";
import { FULL_CARD } from "../support/described.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { evaluationFile } from "../support/results_file.ts";

Deno.test("a card is printed, written as a README and as a bundle, with no more permissions than named", async () => {
  await using folder = await TemporaryFolder.make();
  await writeMember(folder, "sagittal", FULL_CARD, "acl.safetensors");
  const printed = await runCli(folder, ["card", "models/acl.safetensors"], {
    permissions: ["--allow-read=models"],
  });
  assert.equal(printed.code, 0, printed.err);
  assert.match(printed.out, /^Tears of the ACL \|/);
  assert.match(printed.out, new RegExp(`\\n  Made by       MRNet for Deno ${VERSION}\\n`));
  assert.deepEqual(printed.out.split("\n").filter((line) => line.length > 80), []);

  const page = await runCli(
    folder,
    ["card", "models/acl.safetensors", "--out", "cards/README.md"],
    { permissions: ["--allow-read=models,cards", "--allow-write=cards"] },
  );
  assert.deepEqual([page.code, page.out, page.err], [0, "", "Wrote cards/README.md\n"]);
  assert.match(await folder.text("cards/README.md"), /^---\nlicense: cc-by-nc-4\.0\n/);

  const bundle = await runCli(folder, ["card", "models/acl.safetensors", "--out", "bundle"], {
    permissions: ["--allow-read=models,bundle", "--allow-write=bundle"],
  });
  assert.deepEqual([bundle.code, bundle.out], [0, ""], bundle.err);
  assert.deepEqual(await folder.files("bundle/models"), ["model.onnx", "model.pt"]);
  const metadata = JSON.parse(await folder.text("bundle/configs/metadata.json"));
  const { version, mrnet } = metadata;
  assert.deepEqual([version, mrnet.threshold, mrnet.models.length], ["1.2.0", 0.3, 1]);
  assert.match(await folder.text("bundle/docs/README.md"), /\n# Tears of the ACL /);
});

Deno.test("what cannot be asked of a card is refused in one line", async () => {
  await using folder = await TemporaryFolder.make();
  const path = await writeMember(folder, "sagittal", FULL_CARD, "acl.safetensors");
  const results = folder.at("results.json");
  await folder.write("results.json", JSON.stringify(evaluationFile("0".repeat(64))));
  await folder.write("broken.json", "{");
  const cases: [string[], number, RegExp][] = [
    [[], 2, /^cli\.ts: error: the following arguments are required: MODEL$/],
    [
      [path, "--out", "card.json"],
      2,
      /^cli\.ts: error: argument --out: invalid value: 'card\.json' \(must end in \.md, or be a folder\)$/,
    ],
    [[folder.at("none.safetensors")], 1, /^Cannot read the model '.*': there is no such file: /],
    [[folder.at("broken.json")], 1, /^Cannot use the combination '.*': it is not JSON/],
    [
      [path, "-t", "meniscus"],
      1,
      /^Cannot describe '.*' with the finding meniscus: by its file it is acl: leave it out$/,
    ],
    [
      [path, "--results", results],
      1,
      /^Cannot use the results '.*': they are of a model with the SHA-256 000000000000…, that of '.*' is/,
    ],
  ];
  for (const [args, expected, line] of cases) {
    const { code, out, err } = await runMain(["card", ...args]);
    assert.equal(code, expected, err);
    assert.equal(out, "");
    assert.match(err.trimEnd().split("\n").at(-1)!, line);
  }
});

Deno.test("text of a card commands no terminal", async () => {
  await using folder = await TemporaryFolder.make();
  const said = { engine: "a\u202eb", prefix: "x" };
  const path = await writeMember(folder, "axial", {}, "odd.safetensors", said);
  const { code, err } = await runMain(["card", path]);
  assert.equal(code, 1);
  assert.match(err, /^Cannot use the model '.*': its engine is 'a\uFFFDb': a text of one line is/);
});
