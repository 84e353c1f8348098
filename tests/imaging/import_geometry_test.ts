/** What `exams.csv` says of where the pixels of imported exams lie. */
import assert from "node:assert/strict";
import { decodeExamTable, readExamTable } from "../../lib/imaging/exam_table.ts";
import { importExams } from "../../lib/imaging/import.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { niftiFile } from "../support/nifti.ts";
import { study } from "../support/study.ts";

const HEAD = "id,split,plane,slices,side,sequence,study,source,grey_values,scanner";
const GEOMETRY = "pixel_mm,directions,positions,frame";

Deno.test("import writes size, directions and positions of DICOM exams, and reads them again", async () => {
  await using folder = await TemporaryFolder.make();
  for (const [name, bytes] of study(1, { "0020,0052 UI": "2.25.5" })) {
    await folder.write(`study/${name}`, bytes);
  }
  const { exams } = await importExams({ paths: [folder.at("study")], out: folder.at("data") });
  const table = await folder.text("data/exams.csv");
  const [head, axial, coronal, sagittal] = table.split("\n");
  assert.equal(head, `${HEAD},${GEOMETRY},remarks`);
  // 64 pixels of half a millimetre are 256 of an eighth: the first one's centre is 3/16 further out.
  const number = String.raw`,(0\.125,[^,]+,[^,]+,)[0-9a-f]{16},`;
  const said = (row: string) => new RegExp(number).exec(row)![1];
  assert.equal(said(sagittal), "0.125,0 1 0 0 0 -1,0 -0.188 0.188 68 -0.188 0.188,");
  assert.equal(said(coronal), "0.125,1 0 0 0 0 -1,-0.188 0 0.188 -0.188 68 0.188,");
  // From the head down.
  assert.equal(said(axial), "0.125,1 0 0 0 1 0,-0.188 -0.188 68 -0.188 -0.188 0,");
  const frames = new Set(exams.map(({ geometry }) => geometry!.frame));
  assert.equal(frames.size, 1);
  assert.ok(!table.includes("2.25.5"), "the identifier is a hash");
  assert.deepEqual(
    (await readExamTable(folder.at("data/exams.csv"))).map(({ geometry }) => geometry),
    exams.map(({ geometry }) => geometry),
  );
});

Deno.test("exams of which nothing is known have nothing in these columns", async () => {
  await using folder = await TemporaryFolder.make();
  const plain = { values: Array.from({ length: 64 * 64 * 20 }, (_, i) => i % 97) };
  const file = niftiFile({ size: [64, 64, 20], ...plain, distances: [0, 0, 0] });
  await folder.write("knees/knee7.nii", file);
  const paths = [folder.at("knees")];
  const { exams } = await importExams({ paths, out: folder.at("data"), plane: "coronal" });
  assert.equal(exams.length, 1);
  assert.ok(!("geometry" in exams[0]));
  assert.match(await folder.text("data/exams.csv"), /,percentiles,,,,,,"?it/);
});

Deno.test("an exam that an earlier version imported gets its geometry without being read again", async () => {
  await using folder = await TemporaryFolder.make();
  for (const [name, bytes] of study(1)) await folder.write(`study/${name}`, bytes);
  const options = { paths: [folder.at("study")], out: folder.at("data") };
  await importExams(options);
  const today = await folder.text("data/exams.csv");
  const earlier = today.replace(`${GEOMETRY},`, "").replace(/,0\.125,[^,]+,[^,]+,,/g, ",");
  await folder.write("data/exams.csv", earlier);
  const [row] = await readExamTable(folder.at("data/exams.csv"));
  assert.ok(!("geometry" in row));
  // Its pixels are gone: they are not needed.
  const before = await Deno.stat(folder.at("data/valid/axial/0001.npy"));
  for (const [name, bytes] of study(1)) {
    await folder.write(`study/${name}`, bytes.subarray(0, bytes.length - 100));
  }
  const { exams, failures } = await importExams(options);
  assert.deepEqual([exams.length, failures], [3, []]);
  assert.equal(await folder.text("data/exams.csv"), today);
  assert.deepEqual(await Deno.stat(folder.at("data/valid/axial/0001.npy")), before);
  // An exam of other slices than the table has is another one.
  const other = earlier.replace("axial,18", "axial,17");
  await folder.write("data/exams.csv", other);
  const again = (await importExams(options)).exams;
  assert.deepEqual(
    again.map(({ plane, geometry }) => [plane, geometry !== undefined]),
    [["axial", false], ["coronal", true], ["sagittal", true]],
  );
});

Deno.test("a geometry that is none is refused with its line", () => {
  const read = (...[pixel, directions, positions, frame]: string[]) => {
    const facts = `0001,valid,axial,3,,,s,${"0".repeat(16)},percentiles,`;
    const text = `${HEAD},${GEOMETRY},remarks\n${facts},` +
      `${pixel},${directions},${positions},${frame},\n`;
    return decodeExamTable(new TextEncoder().encode(text), "exams.csv")[0].geometry;
  };
  const [axes, hash] = ["1 0 0 0 1 0", "0123456789abcdef"];
  assert.deepEqual(read("0.5", axes, "0 0 8 0 0 0", hash), {
    pixel: 0.5,
    directions: [[1, 0, 0], [0, 1, 0]],
    positions: [[0, 0, 8], [0, 0, 0]],
    frame: hash,
  });
  assert.equal(read("0.5", axes, "0 0 8 0 0 4 0 0 0", hash)!.positions!.length, 3);
  assert.deepEqual(read("", axes, "", ""), { directions: [[1, 0, 0], [0, 1, 0]] });
  assert.equal(read("", "", "", ""), undefined);
  for (
    const damaged of [
      ["0", axes, "", ""],
      ["-1", axes, "", ""],
      ["x", "", "", ""],
      ["0.5 0.5", "", "", ""],
      ["0.5", "1 0 0", "", ""],
      ["0.5", "1 0 0 0 1 zero", "", ""],
      ["0.5", "1 0 0 0 7 0", "", ""],
      ["0.5", "0 0 0 0 1 0", "", ""],
      ["0.5", axes, "0 0", ""],
      ["0.5", axes, "0 0 8 0 0 4 0 0 2 0 0 0", ""],
      ["0.5", axes, "0 0 1e99 0 0 0", ""],
      ["0.5", axes, "", "no hash"],
    ]
  ) {
    assert.throws(() => read(...damaged), {
      name: "DataError",
      message: /^Cannot read 'exams\.csv': line 2 is not one of an import: /,
    }, damaged.join());
  }
});
