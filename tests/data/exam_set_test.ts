import assert from "node:assert/strict";
import { countNames, describeLabels, parseExamSet } from "../../lib/data/exam_set.ts";
import type { LabelledId } from "../../lib/data/labels.ts";

const LABELS: LabelledId[] = [{ id: "0002", label: 1 }, { id: "0001", label: 0 }];

Deno.test("exams are described by counts and hashes, whatever their order", async () => {
  const set = await describeLabels(LABELS);
  // printf '0001\n0002\n' | sha256sum, and printf '0002,1\n0001,0\n' | sha256sum
  assert.deepEqual(set, {
    exams: 2,
    positives: 1,
    ids: "be39764fef8d971ef2e7bd17a47e255352b43d3be638de443cdf7d7ed0cc67e6",
    labels: "c208d8229926440ee6c8acee4ea5c7ace4035c7d142f5fb1bfafbb3121e4336a",
  });
  const other = await describeLabels(LABELS.toReversed());
  assert.equal(other.ids, set.ids);
  assert.notEqual(other.labels, set.labels);
  assert.deepEqual(parseExamSet(JSON.parse(JSON.stringify(set))), set);
});

Deno.test("of many names the frequent ones are counted, the rest is one", () => {
  const names = ["b", "a", "a", "", " \x07", ...Array.from({ length: 9 }, (_, at) => `n${at}`)];
  assert.deepEqual(countNames(names), [
    { name: "a", exams: 2 },
    { name: "b", exams: 1 },
    ...[0, 1, 2, 3, 4].map((at) => ({ name: `n${at}`, exams: 1 })),
    { name: "others", exams: 4 },
  ]);
  assert.deepEqual(countNames(["x".repeat(100)]), [{ name: "x".repeat(80), exams: 1 }]);
  assert.deepEqual(countNames([]), []);
});

Deno.test("what is no set of exams is refused", () => {
  const sound = { exams: 2, positives: 1, ids: "0".repeat(64), labels: "1".repeat(64) };
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ ...sound, exams: 0 }, /^numbers of exams/],
    [{ ...sound, positives: 3 }, /^numbers of exams/],
    [{ ...sound, labels: "A".repeat(64) }, /^hashes of ids and labels/],
    [{ ...sound, slices: [3, 2] }, /^the fewest and the most slices/],
    [{ ...sound, slices: [1, 2, 3] }, /^the fewest and the most slices/],
    [{ ...sound, sizes: [] }, /^the sizes must be 1 to 8 names with counts/],
    [{ ...sound, scanners: [null] }, /^the scanners must be/],
    [{ ...sound, sequences: [{ name: "\x1b", exams: 1 }] }, /^the sequences must be/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => parseExamSet(value), { name: "RangeError", message });
  }
});
