import assert from "node:assert/strict";
import { isFileName } from "../lib/file_name.ts";
import { writeExplanation } from "../lib/explain/write.ts";
import { runAll } from "../lib/plan/run_all/run_all.ts";
import { TemporaryFolder } from "./support/folders.ts";

Deno.test("the name of a file leads nowhere else, on any system", () => {
  for (
    const good of ["a", "0012.npy", ".hidden", "a..b", "knee 1.npy", "コ", "console", "com10.x"]
  ) {
    assert.ok(isFileName(good), good);
  }
  const bad = [
    "",
    ".",
    "..",
    "...",
    "a.",
    "a ",
    "a/b",
    "/",
    "a\\b",
    "..\\a",
    "a\nb",
    "a\0",
    "\x1b",
  ];
  const devices = ["con", "CON", "aux.npy", "nul.tar.gz", "COM1", "lpt9.txt", "prn"];
  for (const each of [...bad, ...devices, "x".repeat(256), "膝".repeat(86)]) {
    assert.ok(!isFileName(each), JSON.stringify(each));
  }
});

Deno.test("run_all keeps its state in no other folder than one of the logs", async () => {
  await using folder = await TemporaryFolder.make();
  await Deno.mkdir(folder.at("logs"));
  const folders = { data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") };
  for (
    const [prefix, found] of [
      ["..", /^Cannot name a model with the prefix '\.\.': /],
      [".", /^Cannot name a model with the prefix '\.': /],
      ["aux", /^Cannot keep the state in a folder called 'aux', the prefix: .* with --out$/],
      ["a.", /^Cannot keep the state in a folder called 'a\.', the prefix: /],
    ] as const
  ) {
    await assert.rejects(runAll({ ...folders, prefix }), { name: "OptionError", message: found });
  }
  // With a folder of its own any prefix of a model will do: the data is what is missing now.
  const out = folder.at("out");
  await assert.rejects(runAll({ ...folders, prefix: "aux", out }), { name: "DataError" });
  assert.deepEqual(await folder.files(), []);
});

Deno.test("pictures are written to the folder that is asked for, whatever an exam is called", async () => {
  await using folder = await TemporaryFolder.make();
  const model = { task: "acl", plane: "axial", intensity: "raw", file: "a", sha256: "" } as const;
  for (const id of ["../mine", "a/b", "aux", "a\x1b[2J"]) {
    const exam = { id, slices: 1, height: 64, width: 64, voxels: new Uint8Array(64 * 64) };
    await assert.rejects(writeExplanation(folder.at("cam"), exam, {} as never, model), {
      name: "OutputError",
      message:
        `Cannot write pictures of the exam '${id}' to '${folder.at("cam")}': no files can be ` +
        "called so on every system: give the exam's file another name",
    });
  }
  assert.deepEqual(await folder.files(), []);
});
