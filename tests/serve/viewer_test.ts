import assert from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import { readExam } from "../../lib/data/exam.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { listExams } from "../../lib/serve/viewer/exam_list.ts";
import { LeastRecent } from "../../lib/serve/viewer/least_recent.ts";
import { fromTheMiddle } from "../../lib/serve/viewer/slices.ts";
import { examBytes, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";

Deno.test("whatever exams there are are listed, with the labels there are", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await folder.write("data/valid/axial/0003.npy", examBytes());
  await folder.write("data/valid/axial/alone.npy", examBytes());
  await folder.write("data/valid/axial/notes.txt", "no exam");
  await folder.write("data/valid/axial/7.npy", examBytes());
  await folder.write("data/valid-meniscus.csv", "0003,maybe\n");
  const { exams, faults } = await listExams(folder.at("data"));
  assert.deepEqual(exams.map(({ split, id, planes, labels }) => [split, id, planes, labels]), [
    ["valid", "0002", ["coronal"], { acl: 0 }],
    ["valid", "0003", ["axial", "coronal"], { acl: 1 }],
    ["valid", "alone", ["axial"], {}],
    ["train", "0000", ["coronal"], { acl: 0 }],
    ["train", "0001", ["coronal"], { acl: 1 }],
  ]);
  assert.equal(faults.length, 1);
  assert.match(faults[0], /valid-meniscus\.csv.*the label 'maybe' is not 0 or 1/);
  await assert.rejects(listExams(folder.at("nowhere")), /Cannot open the dataset in '.*nowhere'/);
});

Deno.test("slices come from the middle outwards, and are those of the file", async () => {
  assert.deepEqual(fromTheMiddle(5), [2, 3, 1, 4, 0]);
  assert.deepEqual(fromTheMiddle(1), [0]);
  await using folder = await TemporaryFolder.make();
  const values = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => i / 7 - 500);
  await folder.write("data/valid/axial/0001.npy", examBytes(values, [3, 64, 64]));
  const handler = createHandler({ viewer: { data: folder.at("data") } });
  const response = await handler(new Request("http://localhost/viewer/slices/valid/0001/axial"));
  const bytes = await response.bytes();
  const end = bytes.indexOf(10);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), {
    slices: 3,
    height: 64,
    width: 64,
    type: "float32",
  });
  const exam = await readExam(folder.at("data/valid/axial/0001.npy"), "0001");
  const order: number[] = [];
  for (let at = end + 1; at < bytes.length;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const [slice, length] = [view.getUint32(0, true), view.getUint32(4, true)];
    const voxels = new Uint8Array(inflateRawSync(bytes.subarray(at + 8, at + 8 + length)));
    order.push(slice);
    assert.deepEqual(
      new Float32Array(voxels.buffer),
      exam.voxels.slice(slice * 4096, (slice + 1) * 4096),
    );
    at += 8 + length;
  }
  assert.deepEqual(order, [1, 2, 0]);
});

Deno.test("a viewer without a dataset, and exams that are not there or broken", async () => {
  const bare = createHandler({ viewer: true });
  const ask = async (handler: typeof bare, path: string) => {
    const response = await handler(new Request(`http://localhost/viewer/${path}`));
    return [response.status, (await response.json()).detail];
  };
  assert.deepEqual(await ask(bare, "slices/valid/0001/axial"), [
    404,
    "This viewer has no dataset: start it with --data",
  ]);
  await using folder = await TemporaryFolder.make();
  await folder.write("data/valid/axial/0001.npy", "no exam");
  const handler = createHandler({ viewer: { data: folder.at("data") } });
  assert.equal((await ask(handler, "slices/valid/0002/axial"))[0], 404);
  assert.equal((await ask(handler, "slices/dropped/exam-1/axial"))[0], 404);
  const [status, detail] = await ask(handler, "slices/valid/0001/axial");
  assert.equal(status, 422);
  assert.match(detail, /as \.npy: it begins with the bytes/);
  assert.equal((await ask(handler, "verdicts?split=test"))[0], 400);
});

Deno.test("of a few values the one that was not asked for the longest is let go", () => {
  const gone: string[] = [];
  const kept = new LeastRecent<number>({
    most: 2,
    mostSize: 10,
    sizeOf: (value) => value,
    onForget: (key) => gone.push(key),
  });
  const keys = () => ["a", "b", "c", "d"].filter((key) => kept.get(key) !== undefined);
  kept.set("a", 1);
  kept.set("b", 2);
  assert.equal(kept.get("a"), 1);
  kept.set("c", 3);
  assert.deepEqual([keys(), gone], [["a", "c"], ["b"]]);
  kept.set("d", 8);
  assert.deepEqual([keys(), gone], [["d"], ["b", "a", "c"]], "together they were too large");
  kept.set("a", 20);
  assert.deepEqual(keys(), ["a"], "one alone may be larger");
  kept.delete("a");
  assert.deepEqual(gone, ["b", "a", "c", "d"], "what is deleted was not let go");
});
