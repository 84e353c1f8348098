import assert from "node:assert/strict";
import type { FoldRow } from "../../lib/data/folds.ts";
import { dealFolds, readPatients } from "../../lib/plan/folds.ts";
import type { Label } from "../../lib/terms.ts";
import { TemporaryFolder } from "../support/folders.ts";

const ids = (count: number) => Array.from({ length: count }, (_, i) => String(i).padStart(4, "0"));
const labelled = (count: number, label: (index: number) => number) =>
  ids(count).map((id, index) => ({ id, label: label(index) as Label }));

/** How many exams each fold has. */
function sizes(rows: readonly FoldRow[]): number[] {
  const counts = Map.groupBy(rows, ({ fold }) => fold);
  return [...counts.keys()].sort((a, b) => a - b).map((fold) => counts.get(fold)!.length);
}

const COUNT = { count: 5, seed: 0, stratify: false };

Deno.test("folds are disjoint, even, and the same for the same seed whatever the order", () => {
  const labels = labelled(23, (index) => index % 2);
  const rows = dealFolds({ acl: labels }, COUNT);
  assert.deepEqual(rows.map(({ id }) => id), ids(23));
  assert.deepEqual(sizes(rows), [5, 5, 5, 4, 4]);
  assert.deepEqual(dealFolds({ acl: labels.toReversed() }, COUNT), rows);
  assert.notDeepEqual(dealFolds({ acl: labels }, { ...COUNT, seed: 1 }), rows);
  // Without --stratify labels change nothing, so that tasks share their folds.
  assert.deepEqual(dealFolds({ meniscus: labelled(23, () => 0) }, COUNT), rows);
});

Deno.test("stratified folds share out every combination of labels", () => {
  const acl = labelled(40, (index) => Number(index % 8 === 0));
  const meniscus = labelled(40, (index) => Number(index % 4 === 0));
  const rows = dealFolds({ acl, meniscus }, { ...COUNT, stratify: true });
  for (const labels of [acl, meniscus]) {
    const positive = new Set(labels.filter(({ label }) => label === 1).map(({ id }) => id));
    const found = sizes(rows.filter(({ id }) => positive.has(id)));
    assert.deepEqual(found, Array(5).fill(positive.size / 5));
  }
  assert.deepEqual(sizes(rows), [8, 8, 8, 8, 8]);
});

Deno.test("all exams of a patient go to one fold, and one without a patient goes alone", () => {
  const patients = new Map(ids(20).map((id, index) => [id, `p${index % 7}`]));
  const rows = dealFolds({ acl: labelled(22, () => 0) }, { ...COUNT, count: 3, patients });
  for (const [patient, exams] of Map.groupBy(rows, (row) => row.patient)) {
    assert.equal(new Set(exams.map(({ fold }) => fold)).size, 1, patient!);
  }
  assert.deepEqual(rows.slice(-2).map(({ patient }) => patient), ["0020", "0021"]);
  assert.ok(Math.max(...sizes(rows)) - Math.min(...sizes(rows)) <= 2);
});

Deno.test("folds that cannot be made say why", () => {
  const labels = { acl: labelled(4, () => 0) };
  assert.throws(() => dealFolds(labels, COUNT), {
    name: "OptionError",
    message: "Cannot make 5 folds of the exams of 4 patients: give fewer folds",
  });
  assert.throws(
    () => dealFolds(labels, { ...COUNT, count: 1 }),
    /give a whole number of at least 2/,
  );
});

Deno.test("patients are read with a header and without, and wrong lines are named", async () => {
  await using folder = await TemporaryFolder.make();
  const read = async (text: string) => {
    await folder.write("patients.csv", text);
    return await readPatients(folder.at("patients.csv"));
  };
  const expected = new Map([["0001", "anna"], ["0012", "b, c"]]);
  assert.deepEqual(await read('id,patient\n1,anna\n12,"b, c"\n'), expected);
  assert.deepEqual(await read('1,anna\n12,"b, c"\n12,"b, c"\n'), expected);
  const refuses = (text: string, found: RegExp) => assert.rejects(read(text), found);
  await refuses(
    "1\n",
    /^DataError: Cannot read the patients '.*': line 1 is not 'id,patient': give/,
  );
  await refuses("1,a\n../2,b\n", /: line 2: .*'\.\.\/2' is not the name of one/);
  await refuses("1,a\n0001,b\n", /: line 2: the exam '0001' is of 'a' too: give a table/);
});
