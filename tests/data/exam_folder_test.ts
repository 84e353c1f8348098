import assert from "node:assert/strict";
import { examsInFolder, examsWithoutLabel } from "../../lib/data/exam_folder.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("exams are listed by their files; those that no label names too", async () => {
  await using folder = await TemporaryFolder.make();
  const data = folder.at("data");
  for (const name of ["0002.npy", "0000.npy", "0001.NPY", "0003.txt", "...npy"]) {
    await folder.write(`data/train/axial/${name}`, "");
  }
  await folder.write("data/train-acl.csv", "0000,0\n0004,1\n");
  assert.deepEqual(await examsInFolder(data, "train", "axial"), ["0000", "0001", "0002"]);
  assert.deepEqual(await examsInFolder(data, "valid", "axial"), []);
  const found = await examsWithoutLabel({ data, split: "train", plane: "axial", task: "acl" });
  assert.deepEqual(found, ["0001", "0002"]);
});

Deno.test("a folder that cannot be listed is said to be one", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("data/train/axial", "no folder");
  await assert.rejects(examsInFolder(folder.at("data"), "train", "axial"), {
    name: "DataError",
    message: /^Cannot list the exams in '.*axial': /,
  });
});
