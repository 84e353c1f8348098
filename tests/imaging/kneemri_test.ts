/**
 * KneeMRI as a data set: volumes as real NumPy pickles them, and the table that grades them.
 */
import assert from "node:assert/strict";
import { openDataset } from "../../lib/data/dataset.ts";
import { readNpy } from "../../lib/data/npy.ts";
import { DataError } from "../../lib/errors.ts";
import { importExams, type ImportOptions } from "../../lib/imaging/import.ts";
import { inspectPaths } from "../../lib/imaging/inspect.ts";
import { decodeKneeMRITable, MAX_TABLE_BYTES } from "../../lib/imaging/kneemri.ts";
import { assemble } from "../model/weights/support.ts";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { pickledVolume } from "../support/pickles.ts";

const HEAD =
  "examId,seriesNo,aclDiagnosis,kneeLR,roiX,roiY,roiZ,roiHeight,roiWidth,roiDepth,volumeFilename";

/** A table of volumes as the data set has it: exam, series and grade of each. */
function table(...volumes: [exam: number, series: number, grade: number | string][]): string {
  const lines = volumes.map(([exam, series, grade]) =>
    `${exam},${series},${grade},1,139,184,14,74,72,3,${exam}-${series}.pck`
  );
  return `${[HEAD, ...lines].join("\n")}\n`;
}

/** A volume of 20 slices that get brighter to the bottom, with a mark in the first of them. */
function volume(mark: number): Uint8Array {
  const values = Uint16Array.from(
    { length: 20 * 96 * 96 },
    (_, i) => i < 96 ? 4095 - mark : 10 * (Math.floor(i / 96) % 96),
  );
  return pickledVolume(values, [20, 96, 96]);
}

/** KneeMRI as it lies on a disk: a table and folders of volumes. */
async function kneeMRI(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  await folder.write(
    "knee/metadata.csv",
    table([329637, 8, 0], [390116, 9, 1], [404663, 8, 2], [500001, 7, 0], [500001, 9, 0]),
  );
  await folder.write("knee/vol01/329637-8.pck", volume(1));
  await folder.write("knee/vol01/390116-9.pck", volume(2));
  await folder.write("knee/vol02/404663-8.pck", volume(3));
  return folder;
}

Deno.test("KneeMRI becomes a data set with labels: healthy 0, partial and complete tears 1", async () => {
  await using folder = await kneeMRI();
  const options: ImportOptions = {
    ...{ paths: [folder.at("knee")], out: folder.at("data"), split: "train" },
  };
  const result = await importExams(options);
  assert.deepEqual([result.failures, result.open, result.skipped, result.others], [[], [], [], 0]);
  assert.deepEqual(
    result.exams.map(({ id, plane, slices, remarks }) => [id, plane, slices, remarks]),
    ["329637-8", "390116-9", "404663-8"].map((id) => [id, "sagittal", 20, [
      "it looks like proton density with fat suppression (as all of KneeMRI), MRNet's sagittal " +
      "series are T2 with fat suppression",
    ]]),
  );
  assert.deepEqual(result.labelFiles, [folder.at("data/train-acl.csv")]);
  assert.deepEqual(result.unlabelled, []);
  assert.equal(
    await Deno.readTextFile(folder.at("data/train-acl.csv")),
    "329637-8,0\n390116-9,1\n404663-8,1\n",
  );
  const { labels } = await openDataset({
    ...{ data: folder.at("data"), task: "acl", plane: "sagittal", split: "train" },
  });
  assert.equal(labels.length, 3);
  const { shape, data } = await readNpy(folder.at("data/train/sagittal/329637-8.npy"));
  assert.deepEqual(shape, [20, 256, 256]);
  // Slices stay as they are: rows from the top, brighter to the bottom.
  const at = (row: number) => data[(5 * 256 + row) * 256 + 128];
  assert.ok(at(20) < at(120) && at(120) < at(240));

  const again: boolean[] = [];
  await importExams({ ...options, onExam: ({ known }) => again.push(known) });
  assert.deepEqual(again, [true, true, true]);
});

Deno.test("a table of the user's comes before KneeMRI's own labels", async () => {
  await using folder = await kneeMRI();
  await folder.write("mine.csv", "id,acl,meniscus\n390116-9,0,1\n");
  const { labelFiles } = await importExams({
    ...{ paths: [folder.at("knee")], out: folder.at("data"), labels: folder.at("mine.csv") },
  });
  assert.deepEqual(labelFiles.map((path) => path.replace(/^.*\//, "")), [
    ...["valid-acl.csv", "valid-meniscus.csv"],
  ]);
  assert.equal(
    await Deno.readTextFile(folder.at("data/valid-acl.csv")),
    "329637-8,0\n390116-9,0\n404663-8,1\n",
  );
});

Deno.test("two series of one of KneeMRI's exams are two exams, and never in both splits", async () => {
  await using folder = await kneeMRI();
  await folder.write("knee/vol03/500001-7.pck", volume(4));
  const out = folder.at("data");
  await importExams({ paths: [folder.at("knee")], out, split: "train" });
  await folder.write("more/500001-9.pck", volume(5));
  const more = { paths: [folder.at("knee/metadata.csv"), folder.at("more")], out };
  const { failures } = await importExams({ ...more, split: "valid" });
  assert.equal(failures.length, 1);
  assert.match(
    failures[0],
    /^Cannot import exam '500001-9' into the split 'valid': '500001-7' of the same patient is in 't/,
  );
  const { exams } = await importExams({ ...more, split: "train" });
  assert.ok(exams.some(({ id }) => id === "500001-9"));
});

Deno.test("without the table the plane of a volume is not known, and asked for", async () => {
  await using folder = await kneeMRI();
  const paths = [folder.at("knee/vol01")];
  const { series: [{ plane, remarks, syntax }] } = await inspectPaths(paths);
  assert.deepEqual([plane, syntax], [undefined, "pickled uint16"]);
  assert.match(remarks.join(), /do not say where their slices lie/);
  const out = folder.at("data");
  assert.deepEqual((await importExams({ paths, out })).exams, []);
  const { exams, labelFiles } = await importExams({ paths, out, plane: "sagittal" });
  assert.deepEqual([exams.length, labelFiles], [2, []]);
});

Deno.test("a volume that is hostile or damaged is named, and the others are imported", async () => {
  await using folder = await kneeMRI();
  await folder.write("knee/vol01/1-1.pck", assemble(0x80, 2, "cos\nsystem\n."));
  await folder.write("knee/vol02/404663-8.pck", volume(3).subarray(0, 5000));
  const { code, out, err } = await runCli(
    folder,
    ["import", "knee", "--out", "data", "--split", "train"],
    { permissions: ["--allow-read=knee,data", "--allow-write=data"] },
  );
  assert.equal(code, 0, err);
  assert.match(out, /^329637-8 sagittal {2}20 slices {2}from vol01\n/);
  assert.match(
    err,
    /1-1\.pck': it asks for 'os\.system', which is not on the list .*: nothing was r/,
  );
  assert.match(err, /404663-8\.pck': its pickle breaks off: it is cut short or damaged/);
  assert.match(err, /2 exams \('329637-8', '390116-9'\) have no axial and no coronal series\.\n/);
  assert.match(err, /Labels: data\/train-acl\.csv\nExams: {2}2\n$/);
});

const lines = (text: string) => new TextEncoder().encode(text);

Deno.test("another data set's metadata.csv is none of KneeMRI", () => {
  assert.equal(decodeKneeMRITable(lines('id,"broken\n1,2\n'), "metadata.csv"), undefined);
  assert.equal(decodeKneeMRITable(new Uint8Array(0), "metadata.csv"), undefined);
});

for (
  const [what, text, found] of [
    ["grades an exam 3", table([1, 1, 3]), "line 2: aclDiagnosis is '3', not 0, 1 or 2"],
    ["leaves a grade out", table([1, 1, ""]), "line 2: aclDiagnosis is ''"],
    ["names no volume", `${HEAD}\n1,1,0,1,1,1,1,1,1,1,\n`, "line 2 names no exam or no volume"],
    ["contradicts itself", table([1, 1, 0], [1, 1, 2]), "line 3 says of '1-1.pck' what another"],
    ["breaks off in quotes", `${HEAD}\n1,1,"0`, ""],
    ["is endless", table([1, 1, 0]) + "\n".repeat(MAX_TABLE_BYTES), "longer than 1048576 bytes"],
  ]
) {
  Deno.test(`a table that ${what} is refused in one line`, () => {
    assert.throws(() => decodeKneeMRITable(lines(text), "metadata.csv"), (error: Error) => {
      assert.ok(error instanceof DataError, String(error.stack));
      assert.match(error.message, /^Cannot read the table 'metadata\.csv': [^\n]+: give KneeMRI's/);
      assert.ok(error.message.includes(found), error.message);
      return true;
    });
  });
}
