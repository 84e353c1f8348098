import assert from "node:assert/strict";
import {
  countAmong,
  decodeHashes,
  encodeHashes,
  hashExam,
  hashTogether,
} from "../../lib/data/exam_hash.ts";

const voxels = Uint8Array.from({ length: 4 * 64 * 64 }, (_, at) => at * 31 % 256);
const exam = { slices: 4, height: 64, width: 64, voxels };

Deno.test("an exam's hash tells shape, type and every voxel, and not its name", async () => {
  const hash = await hashExam(exam);
  assert.match(hash, /^[0-9a-f]{16}$/);
  assert.equal(await hashExam({ ...exam, voxels: voxels.slice() }), hash);
  const renamed = { ...exam, id: "other" };
  assert.equal(await hashExam(renamed), hash);
  const changed = voxels.slice();
  changed[changed.length - 1]++;
  const others = [
    { ...exam, voxels: changed },
    { ...exam, slices: 2, height: 128 },
    { ...exam, voxels: Float32Array.from(voxels) },
  ];
  const hashes = await Promise.all(others.map(hashExam));
  assert.equal(new Set([hash, ...hashes]).size, 4);
});

Deno.test("a hash is of the voxels as they are when it is asked for", async () => {
  const own = voxels.slice();
  const asked = hashExam({ ...exam, voxels: own });
  own.fill(0);
  assert.equal(await asked, await hashExam(exam));
});

Deno.test("hashes of 1,250 exams take less than 20 kB as a text, and come back", async () => {
  const hashes = await Promise.all(
    Array.from({ length: 1250 }, (_, at) => hashTogether([String(at)])),
  );
  const text = encodeHashes(hashes);
  assert.ok(text.length < 14_000, `${text.length}`);
  assert.deepEqual(decodeHashes(text), hashes);
  assert.deepEqual(decodeHashes(encodeHashes([])), []);
  assert.equal(countAmong(hashes.slice(0, 7), hashes.slice(4)), 3);
  for (const bad of ["AAAA", "no base64!", 7, null]) {
    assert.throws(() => decodeHashes(bad), { name: "RangeError", message: /8 bytes each/ });
  }
});
