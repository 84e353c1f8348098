/**
 * What is odd about data sets.
 */
import assert from "node:assert/strict";
import { encodeNpy, type NpyData } from "../../lib/data/npy.ts";
import { examineDataset } from "../../lib/doctor/doctor.ts";
import { PLANES, SPLITS, TASKS } from "../../lib/terms.ts";
import { runCli } from "../support/cli.ts";
import { TemporaryFolder } from "../support/folders.ts";

/** Voxels of 20 slices of 256×256 with about MRNet's grey values, another exam for each seed. */
function voxels(seed: number): Uint8Array {
  return Uint8Array.from(
    { length: 20 * 256 * 256 },
    (_, i) => (i * 7 + seed * 13 + (i >> 9)) % 117,
  );
}

async function write(
  folder: TemporaryFolder,
  name: string,
  data: NpyData,
  shape: number[] = [20, 256, 256],
): Promise<void> {
  await folder.write(`data/${name}.npy`, encodeNpy(data, shape));
}

/** A sound data set of two exams a split, of one plane. */
async function sound(): Promise<TemporaryFolder> {
  const folder = await TemporaryFolder.make();
  for (const [at, split] of SPLITS.entries()) {
    for (const id of [2 * at, 2 * at + 1]) {
      await write(folder, `${split}/sagittal/000${id}`, voxels(id));
    }
    for (const task of TASKS) {
      await folder.write(`data/${split}-${task}.csv`, `${2 * at},0\n${2 * at + 1},1\n`);
    }
  }
  return folder;
}

Deno.test("a sound data set is counted, and nothing is odd", async () => {
  await using folder = await sound();
  const { labels, exams, problems } = await examineDataset({ data: folder.at("data") });
  assert.deepEqual(problems, []);
  assert.equal(labels.length, 6);
  assert.deepEqual(labels[0], { split: "train", task: "abnormal", exams: 2, positive: 1 });
  assert.deepEqual(
    exams.map(({ split, plane, exams, slices, sizes }) => ({ split, plane, exams, slices, sizes })),
    SPLITS.map((split) => ({
      ...{ split, plane: "sagittal", exams: 2, slices: [20, 20], sizes: ["256×256"] },
    })),
  );
  const all = [...voxels(0), ...voxels(1)];
  const mean = all.reduce((sum, value) => sum + value) / all.length;
  assert.ok(Math.abs(exams[0].mean - mean) < 1e-9);
});

Deno.test("whatever would fail or mislead a training is named", async () => {
  await using folder = await sound();
  await write(folder, "train/sagittal/0004", voxels(3));
  await write(folder, "train/sagittal/0005", Float32Array.from(voxels(5), (value) => value * 16));
  await write(folder, "train/sagittal/0006", voxels(6).slice(0, 5 * 100 * 100), [5, 100, 100]);
  await write(folder, "train/sagittal/0007", voxels(7).fill(0, 0, 256 * 256));
  await write(folder, "train/sagittal/0002", voxels(8));
  await folder.write("data/train/sagittal/0008.npy", "no array");
  await folder.write("data/train-acl.csv", "0,0\n1,1\n9,1\n");
  await folder.write("data/valid-acl.csv", "2,1\n3,1\n");
  await Deno.remove(folder.at("data/valid-meniscus.csv"));
  const { problems } = await examineDataset({ data: folder.at("data") });
  const lines = problems.map(({ level, where, found }) => `${level} ${where} ${found}`);
  for (
    const line of [
      /^error .*train-acl\.csv sagittal: no exam for 0009$/,
      /^warning .*train-acl\.csv sagittal: no label for 0002, 0004, 0005, 0006, 0007 and 1 more$/,
      /^error .*valid-acl\.csv all 2 labels are 1$/,
      /^warning .*valid-meniscus\.csv .*there is no such file/,
      /^error .*0008\.npy /,
      /^error .*train\/sagittal 0005: its values go from 0 to 1856/,
      /^warning .*train\/sagittal 0006: MRNet's exams have 17 to 61 slices/,
      /^warning .*train\/sagittal 0006: their slices are not 256×256/,
      /^warning .*train\/sagittal 0007: slices of one single grey value$/,
      /^error train\/sagittal\/0004, valid\/sagittal\/0003 the same pixels, to train and to validate$/,
      /^warning 0002 exams of these names are in both splits/,
    ]
  ) {
    assert.ok(lines.some((each) => line.test(each)), `${line} is not in\n${lines.join("\n")}`);
  }
});

Deno.test("a folder without one exam that can be read is named, not counted", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("data/train/axial/0001.npy", "no array");
  const { exams, problems } = await examineDataset({ data: folder.at("data") });
  assert.deepEqual(exams, []);
  assert.ok(problems.some(({ level, where }) => level === "error" && where.endsWith("0001.npy")));
});

Deno.test("doctor prints, writes a page with every exam, and needs two folders only", async () => {
  await using folder = await sound();
  const rights = { permissions: ["--allow-read=data,out", "--allow-write=out"] };
  const { code, out, err } = await runCli(folder, ["doctor", "--html", "out/data.html"], rights);
  assert.equal(code, 0, err);
  assert.match(out, /^train {2}abnormal {2}2 labels, 1 with the finding \(50 %\)\n/);
  assert.match(out, /\nNothing is odd\.\n$/);
  assert.equal(err, "Page: out/data.html\n");
  const page = await Deno.readTextFile(folder.at("out/data.html"));
  assert.equal(page.match(/<img [^>]*src="data:image\/png;base64,/g)?.length, 4);
  const json = await runCli(folder, ["doctor", "--json"], rights);
  assert.deepEqual(JSON.parse(json.out).problems, []);

  const none = await runCli(folder, ["doctor", "--data", "data/train"], rights);
  assert.equal(none.code, 1);
  assert.match(
    none.err,
    /^Cannot examine 'data\/train': it has no exams: give the folder that has/,
  );
  assert.equal(PLANES.length, 3);
});
