import assert from "node:assert/strict";
import { inflateRawSync } from "node:zlib";
import { readExam } from "../../lib/data/exam.ts";
import { createHandler, type Handler } from "../../lib/serve/handler.ts";
import { engineTurns } from "../../lib/serve/queue.ts";
import { listExams } from "../../lib/serve/viewer/exam_list.ts";
import { LeastRecent } from "../../lib/serve/viewer/least_recent.ts";
import { fromTheMiddle } from "../../lib/serve/viewer/slices.ts";
import { examBytes, TemporaryFolder, voxels, writeTinyDataset } from "../support/folders.ts";
import { modelBytes, writeModel } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

Deno.test("whatever exams there are are listed, with the labels there are", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  await folder.write("data/valid/axial/0003.npy", examBytes());
  await folder.write("data/valid/axial/alone.npy", examBytes());
  await folder.write("data/valid/axial/notes.txt", "no exam");
  await folder.write("data/valid/axial/7.npy", examBytes());
  const long = "a".repeat(65);
  for (const name of ["aux", "COM1", long, "a b", "\x1b[2J"]) {
    await folder.write(`data/valid/sagittal/${name}.npy`, examBytes());
  }
  await folder.write("data/valid-meniscus.csv", "0003,maybe\n");
  const { exams, faults } = await listExams(folder.at("data"));
  assert.deepEqual(exams.map(({ split, id, planes, labels }) => [split, id, planes, labels]), [
    ["valid", "0002", ["coronal"], { acl: 0 }],
    ["valid", "0003", ["axial", "coronal"], { acl: 1 }],
    ["valid", "alone", ["axial"], {}],
    ["train", "0000", ["coronal"], { acl: 0 }],
    ["train", "0001", ["coronal"], { acl: 1 }],
  ]);
  assert.equal(faults.length, 3);
  assert.match(faults[0], /^Cannot list '7\.npy' of '.*axial': no exam has such a name: /);
  assert.ok(
    faults[1].startsWith(
      `Cannot list '?[2J.npy', 'COM1.npy', 'a b.npy', '${"a".repeat(40)}...', 'aux.npy' of '`,
    ),
    faults[1],
  );
  assert.match(faults[2], /valid-meniscus\.csv.*the label 'maybe' is not 0 or 1/);
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
  // Names that no exam can have are not there either.
  for (const id of ["aux", "COM1", "a".repeat(65), "1"]) {
    for (const path of [`slices/valid/${id}/axial`, `reading/valid/${id}`]) {
      const [status, detail] = await ask(handler, path);
      assert.equal(status, 404, path);
      assert.ok(detail.length < 120, detail);
    }
  }
  const [status, detail] = await ask(handler, "slices/valid/0001/axial");
  assert.equal(status, 422);
  assert.match(detail, /as \.npy: it begins with the bytes/);
  assert.equal((await ask(handler, "verdicts?split=test"))[0], 400);
});

/** Drops an exam and says what it is called. */
async function drop(handler: Handler, bytes = examBytes()): Promise<string> {
  const body = new FormData();
  body.append("sagittal", new Blob([bytes as BlobPart]), "exam.npy");
  const response = await handler(
    new Request("http://localhost/viewer/exams", { method: "POST", body }),
  );
  return (await response.json()).id;
}

Deno.test(
  "nobody finds a dropped exam who does not know its name, and it is let go",
  OUTLIVING,
  async () => {
    const models = [{ source: await modelBytes(), name: "acl" }];
    const handler = createHandler({ models, engine: "wasm", viewer: true });
    const ask = (path: string, from = handler) =>
      from(new Request(`http://localhost/viewer/${path}`));
    const names: string[] = [];
    for (let time = 0; time < 9; time++) names.push(await drop(handler));
    assert.equal(new Set(names).size, 9);
    for (const name of names) assert.match(name, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
    const [first, second] = names;
    assert.equal((await ask(`slices/dropped/${first}/sagittal`)).status, 404, "eight are kept");
    const reading = await ask(`reading/dropped/${second}`);
    assert.equal((await reading.json()).predictions.length, 1);
    await drop(handler);
    assert.equal((await ask(`reading/dropped/${second}`)).status, 200, "it was asked for just now");
    for (let time = 0; time < 8; time++) await drop(handler);
    assert.equal(
      (await ask(`reading/dropped/${second}`)).status,
      404,
      "what was read of it is gone",
    );
    const other = createHandler({ viewer: true });
    assert.equal((await ask(`slices/dropped/${names[8]}/sagittal`, other)).status, 404);
  },
);

Deno.test("dropped exams take no more memory together than uploads may", OUTLIVING, async () => {
  const handler = createHandler({ viewer: true, limits: { uploadBytes: 20_000 } });
  const names = [await drop(handler), await drop(handler), await drop(handler)];
  const statuses = await Promise.all(names.map(async (name) => {
    const path = `http://localhost/viewer/slices/dropped/${name}/sagittal`;
    const { status, body } = await handler(new Request(path));
    await body?.cancel();
    return status;
  }));
  assert.deepEqual(statuses, [404, 200, 200], "8192 bytes each");
});

Deno.test(
  "a reading waits in the queue, leaves it with its client, and loads nothing before its turn",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await writeModel(folder.at("acl.safetensors"), 1, { task: "acl", plane: "coronal" });
    const handler = createHandler({
      models: [folder.at("acl.safetensors")],
      engine: "wasm",
      viewer: { data: folder.at("data") },
      limits: { queue: 1 },
    });
    await handler.ready();
    const read = (id: string, init: RequestInit = {}) =>
      handler(new Request(`http://localhost/viewer/reading/valid/${id}`, init));
    const engine = Promise.withResolvers<void>();
    const busy = engineTurns.take(() => engine.promise);
    const client = new AbortController();
    const gone = read("0002", { signal: client.signal });
    const both = [read("0003")];
    // However long the first of them takes to load what reads an exam.
    while (engineTurns.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    const full = await read("0002");
    assert.equal(full.status, 429);
    assert.ok(full.headers.has("retry-after"));
    assert.equal((await read("0009")).status, 404, "what is not there need not wait");
    client.abort();
    assert.equal((await gone).status, 503);
    assert.equal(engineTurns.length, 2);
    both.push(read("0003"));
    // Nothing of it is in memory yet.
    await folder.write("data/valid/coronal/0003.npy", examBytes(voxels(0, 3 * 4096), [3, 64, 64]));
    engine.resolve();
    await busy;
    for (const response of await Promise.all(both)) {
      const { planes } = await response.json();
      const [{ shares }] = Object.values(planes) as { shares: number[] }[];
      assert.equal(shares.length, 3);
    }
    assert.equal((await read("0003")).status, 200);
  },
);

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
