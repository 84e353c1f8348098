/**
 * Studies from a scanner, predicted without being imported first.
 */
import assert from "node:assert/strict";
import { importExams } from "../../lib/imaging/import.ts";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";
import { concat } from "../../lib/bytes.ts";
import { encodeZip } from "../../lib/zip.ts";

const READ = ["--allow-read=.", "--allow-env=XDG_RUNTIME_DIR"];

/** Two studies, one of them an archive, with a combination and the same as imported exams. */
async function hospital(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  for (const [name, bytes] of study(1)) await folder.write(`pacs/first/${name}`, bytes);
  await folder.write("pacs/second.zip", concat(encodeZip(study(2))));
  await importExams({ paths: [folder.at("pacs")], out: folder.at("data") });
  return folder;
}

Deno.test("a study is predicted as its imported exams are, by all planes and by one", async () => {
  await using folder = await hospital();
  const json = async (...args: string[]) => {
    const { code, out, err } = await runCli(
      folder,
      ["predict", "--json", "--backend", "wasm", ...args],
      { permissions: READ },
    );
    assert.equal(code, 0, err);
    return out.trimEnd().split("\n").map((line) => JSON.parse(line));
  };
  const exams = ["0001", "0002"].flatMap((id) =>
    ["axial", "coronal", "sagittal"].map((plane) => `data/valid/${plane}/${id}.npy`)
  );
  const combined = ["--model", "combined.json"];
  const expected = await json(...combined, ...exams);
  const found = await json(...combined, "pacs");
  assert.deepEqual(found.map(({ exam }) => exam), ["first", "second"]);
  assert.deepEqual(
    found.map(({ probability, logits }) => [probability, logits]),
    expected.map(({ probability, logits }) => [probability, logits]),
  );
  await folder.write("acl.safetensors", await modelBytes());
  const single = ["--model", "acl.safetensors"];
  const [one] = await json(...single, "data/valid/sagittal/0002.npy");
  const [other] = await json(...single, "pacs/second.zip");
  assert.deepEqual([other.probability, other.file], [one.probability, "second"]);
});

Deno.test("a study that lacks a plane, or has two of it, is said and not guessed", async () => {
  await using folder = await hospital();
  const predict = (...args: string[]) =>
    runCli(folder, ["predict", "--backend", "wasm", "--model", "combined.json", ...args], {
      permissions: READ,
    });
  for (const [name, bytes] of study(1, { "0020,000E UI": "2.25.99", "0008,103E LO": "again" })) {
    if (name.startsWith("axial")) await folder.write(`pacs/first/more/${name}`, bytes);
  }
  const two = await predict("pacs");
  assert.equal(two.code, 1);
  assert.match(two.out, /^second {2}acl combined/);
  assert.match(two.err, /Study first is not predicted, axial: several series could be meant\./);
  const chosen = await predict("pacs/first", "--series", "axial=again");
  assert.equal(chosen.code, 0, chosen.err);
  assert.match(chosen.out, /^first {2}acl combined/);
  assert.match(chosen.err, /Study first, axial: again\n/);

  await Deno.remove(folder.at("pacs/first/coronal"), { recursive: true });
  const none = await predict("pacs/first");
  assert.equal(none.code, 1);
  assert.match(none.err, /Study first is not predicted: it has no coronal series that can be read/);

  await Deno.mkdir(folder.at("empty"));
  const empty = await predict("empty");
  assert.equal(empty.code, 1);
  assert.match(empty.err, /There is no series that an exam can be made of\./);
});
