import assert from "node:assert/strict";
import { examFileOf, readExamFiles } from "../../lib/data/exam_files.ts";
import { encodeNpy } from "../../lib/data/npy.ts";
import { DataError } from "../../lib/errors.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { predictFiles } from "../../lib/train/predict.ts";
import { onEachEngine } from "../support/engines.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { seededExam, seededState } from "../support/seeded.ts";

/** Writes exams of two slice counts, with a broken one between them; the files in order. */
async function writeExams(folder: TemporaryFolder) {
  const exams = [2, 3, 2, 2].map((slices, seed) => {
    return seededExam(seed, { slices, height: 64, width: 64 });
  });
  for (const { id, voxels, slices, height, width } of exams) {
    await folder.write(`${id}.npy`, encodeNpy(voxels, [slices, height, width]));
  }
  await folder.write("broken.npy", "no array");
  const names = ["0", "1", "broken", "2", "missing", "3"];
  return { exams, paths: names.map((name) => folder.at(`${name}.npy`)) };
}

onEachEngine("files are predicted in order, as the model predicts them", async () => {
  await using folder = await TemporaryFolder.make();
  const { exams, paths } = await writeExams(folder);
  const model = new MRNet(seededState(11), { intensity: "standardized" });
  const said: string[] = [];
  for await (const outcome of predictFiles(model, paths)) {
    said.push(outcome.id);
    assert.equal(outcome.path, paths[said.length - 1]);
    if ("error" in outcome) {
      assert.ok(outcome.error instanceof DataError);
      continue;
    }
    const exam = exams.find(({ id }) => id === outcome.id)!;
    const { logits, probability } = await model.predict(exam);
    outcome.prediction.logits.forEach((logit, index) => {
      assert.ok(Math.abs(logit - logits[index]) <= 1e-5 * Math.abs(logits[index]));
    });
    assert.ok(Math.abs(outcome.prediction.probability - probability) < 1e-5);
  }
  assert.deepEqual(said, ["0", "1", "broken", "2", "missing", "3"]);
  model.dispose();
});

onEachEngine("a caller may stop before the last file, and none need be given", async () => {
  await using folder = await TemporaryFolder.make();
  const { paths } = await writeExams(folder);
  const model = new MRNet(seededState(11));
  for await (const { id } of predictFiles(model, paths)) if (id === "1") break;
  for await (const _ of predictFiles(model, [])) assert.fail("nothing was asked");
  model.dispose();
}, { engines: ["webgpu", "wasm"] });

Deno.test("the next exam is read while the caller works on the current one", async () => {
  await using folder = await TemporaryFolder.make();
  const { paths } = await writeExams(folder);
  const files = readExamFiles([paths[0], paths[1], paths[3]]);
  await files.next();
  // Time for the second to be read; the third has not been asked for.
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const path of [paths[1], paths[3]]) await Deno.remove(path);
  const [second, third] = [await files.next(), await files.next()];
  assert.ok("exam" in second.value!, "it was in memory already");
  assert.ok("error" in third.value!, "no more than one is read ahead");
});

Deno.test("an exam is called after its file", () => {
  const names = ["a/b/0001.npy", "0002.NPY", "knee.v2.npy", "plain"].map((path) => {
    return examFileOf(path).id;
  });
  assert.deepEqual(names, ["0001", "0002", "knee.v2", "plain"]);
});
