import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/data/npy.ts";
import { Budget } from "../../lib/serve/body.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { CHUNK_BYTES, outgoing } from "../../lib/serve/outgoing.ts";
import { TemporaryFolder } from "../support/folders.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A folder with one exam of noise, which cannot be compressed. */
async function withNoise(shape: readonly number[]): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  const voxels = new Uint8Array(shape.reduce((product, length) => product * length));
  for (let at = 0; at < voxels.length; at += 65536) {
    crypto.getRandomValues(voxels.subarray(at, at + 65536));
  }
  await folder.write("data/valid/axial/0001.npy", encodeNpy(voxels, shape));
  return folder;
}

const SLICES_OF_0001 = "http://localhost/viewer/slices/valid/0001/axial";

Deno.test("an answer is sent in chunks, and gives back what it took", async () => {
  const budget = new Budget(1000);
  const parts = [new Uint8Array(2 * CHUNK_BYTES + 5).fill(7), Uint8Array.of(1, 2)];
  let freed = 0;
  const stream = outgoing({
    ...{ budget, bytes: 900, deadline: 1000, next: () => parts.shift(), free: () => freed++ },
  });
  assert.equal(budget.taken, 900);
  const lengths = (await Array.fromAsync(stream)).map((chunk) => chunk.length);
  assert.deepEqual([lengths, budget.taken, freed], [[CHUNK_BYTES, CHUNK_BYTES, 5, 2], 0, 1]);
});

Deno.test("an answer that nobody reads is given up, and one that is let go", async () => {
  const budget = new Budget(1000);
  let freed = 0;
  const options = { budget, bytes: 600, deadline: 50, free: () => freed++ };
  const stream = outgoing({ ...options, next: () => Uint8Array.of(1) });
  assert.throws(() => outgoing({ ...options, next: () => undefined }), { status: 503 });
  assert.equal(freed, 1);
  const reader = stream.getReader();
  await reader.read();
  await pause(300);
  assert.deepEqual([budget.taken, freed], [0, 2]);
  await assert.rejects(reader.read(), { status: 408 });
  await outgoing({ ...options, next: () => undefined }).cancel();
  assert.deepEqual([budget.taken, freed], [0, 3]);
});

Deno.test("an exam that many look at and nobody reads is in memory once", async () => {
  await using folder = await withNoise([32, 512, 512]);
  const handler = createHandler({ viewer: { data: folder.at("data") } });
  const before = Deno.memoryUsage();
  const answers = await Promise.all(
    Array.from({ length: 190 }, async () => await handler(new Request(SLICES_OF_0001))),
  );
  // The first chunk is asked for by the connection, whoever reads it.
  const readers = answers.map((answer) => answer.body!.getReader());
  await Promise.all(readers.map((reader) => reader.read()));
  const { external, heapUsed } = Deno.memoryUsage();
  const grown = (external + heapUsed - before.external - before.heapUsed) / 1024 / 1024;
  // 190 copies of 8 MB would be 1520.
  assert.ok(grown < 160, `${grown} MB`);
  const statuses = new Set(answers.map(({ status }) => status));
  assert.ok(statuses.has(200) && !statuses.has(500), [...statuses].join());
  await Promise.all(readers.map((reader) => reader.cancel()));
});

Deno.test("what waits to be written is limited, and given back once it is given up", async () => {
  await using folder = await withNoise([2, 256, 256]);
  const handler = createHandler({
    viewer: { data: folder.at("data") },
    limits: { answerBytes: 1024 * 1024, deadline: 100 },
  });
  const ask = async () => await handler(new Request(SLICES_OF_0001));
  const unread = [await ask(), await ask(), await ask()];
  const refused = await ask();
  assert.deepEqual([...unread, refused].map(({ status }) => status), [200, 200, 200, 503]);
  assert.match((await refused.json()).detail, /^Too many answers wait/);
  await pause(500);
  const late = await ask();
  assert.equal(late.status, 200);
  const line = (await late.text()).split("\n")[0];
  assert.equal(JSON.parse(line).slices, 2);
});
