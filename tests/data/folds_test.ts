import assert from "node:assert/strict";
import { openDataset } from "../../lib/data/dataset.ts";
import { formatFolds, parseFolds, readFolds } from "../../lib/data/folds.ts";
import { isTuneExam } from "../../lib/data/tune.ts";
import { trainRun } from "../../lib/train/run.ts";
import { writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

const IDS = Array.from({ length: 12 }, (_, i) => String(i).padStart(4, "0"));
const TUNE = { fraction: 0.4, seed: 0 };
const EXAMS = { task: "acl", plane: "axial" } as const;

/** Twelve exams in three folds; two successive exams are one patient's. */
async function writeFolds(folder: TemporaryFolder, patients = false): Promise<string> {
  const rows = IDS.map((id, index) => ({
    id,
    fold: Math.floor(index / 4) + 1,
    ...(patients && { patient: `p${Math.floor(index / 2)}` }),
  }));
  await folder.write("folds.csv", formatFolds(rows));
  return folder.at("folds.csv");
}

Deno.test("a fold is kept out of train and tune, and is a split of its own", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 });
  const folds = await writeFolds(folder);
  const open = async (split: "train" | "tune" | "fold" | "valid") => {
    const exams = { data: folder.at("data"), ...EXAMS, tune: TUNE, folds, fold: 2 };
    return (await openDataset({ ...exams, split })).labels.map(({ id }) => id);
  };
  const others = [...IDS.slice(0, 4), ...IDS.slice(8)];
  assert.deepEqual(await open("fold"), IDS.slice(4, 8));
  assert.deepEqual(await open("tune"), others.filter((id) => isTuneExam(id, TUNE)));
  assert.deepEqual(await open("train"), others.filter((id) => !isTuneExam(id, TUNE)));
  assert.deepEqual(await open("valid"), ["0012", "0013", "0014", "0015"]);
});

Deno.test("all exams of a patient go with the one that is in the tune split", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 });
  const folds = await writeFolds(folder, true);
  const exams = { data: folder.at("data"), ...EXAMS, tune: TUNE, folds, fold: 3 };
  const { labels } = await openDataset({ ...exams, split: "tune" });
  const expected = IDS.slice(0, 8).filter((_, index, ids) =>
    isTuneExam(ids[index], TUNE) || isTuneExam(ids[index ^ 1], TUNE)
  );
  assert.ok(expected.length > IDS.slice(0, 8).filter((id) => isTuneExam(id, TUNE)).length);
  assert.deepEqual(labels.map(({ id }) => id), expected);
});

Deno.test("a table of folds is read back, whatever patients are called", () => {
  const rows = ['a "b"', "c, d", "e"].map((patient, i) => ({ id: IDS[i], fold: i + 1, patient }));
  assert.deepEqual(parseFolds(formatFolds(rows), "folds.csv"), rows);
  const plain = rows.map(({ id, fold }) => ({ id, fold }));
  assert.deepEqual(parseFolds(formatFolds(plain), "folds.csv"), plain);
});

Deno.test("a table of folds that is none is refused in one line", () => {
  const refuses = (text: string, found: string) => {
    assert.throws(() => parseFolds(text, "folds.csv"), {
      name: "DataError",
      message:
        `Cannot read the folds 'folds.csv': ${found}: give the folds.csv that 'cli.ts plan folds' ` +
        "wrote",
    });
  };
  refuses("", "it has no exams");
  refuses("0001,1\n", "line 1: its columns are not id,fold or id,fold,patient");
  refuses("id,fold\n0001\n", "line 2: 1 values instead of 2");
  refuses("id,fold\n0001,0\n", "line 2: the fold '0' is not a whole number of 1 to 1000");
  refuses("id,fold\n../x,1\n", "line 2: '../x' is not an exam's id");
  refuses("id,fold\n1,1\n0001,2\n", "line 3: the exam '0001' was there before");
  refuses("id,fold,patient\n1,1,a\n2,2,a\n", "line 3: the patient 'a' is in fold 1 too");
});

Deno.test("a fold that cannot be kept out says why", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 });
  const folds = await writeFolds(folder);
  const exams = { data: folder.at("data"), ...EXAMS } as const;
  const refuses = async (options: object, error: RegExp) => {
    await assert.rejects(openDataset({ ...exams, split: "fold", ...options }), error);
  };
  await refuses({}, /^OptionError: Cannot open a fold: nothing says which training exams it has/);
  await refuses(
    { fold: 1 },
    /^OptionError: Cannot keep fold 1 out: .*: give the table with --folds/,
  );
  await refuses(
    { folds },
    /^OptionError: Cannot use the folds '.*folds.csv': .*give one with --fold/,
  );
  await refuses({ folds, fold: 4 }, /^DataError: .*: it has no fold 4: give one of 1 to 3$/);
  const rows = await readFolds(folds);
  await folder.write("folds.csv", formatFolds(rows.slice(1)));
  await refuses({ folds, fold: 1 }, /it has no fold for the exam '0000' of '.*train-acl.csv'/);
  const apart = rows.map(({ id }, index) => ({ id, fold: index % 2 + 1 }));
  await folder.write("folds.csv", formatFolds(apart));
  await refuses({ folds, fold: 1 }, /of its 6 exams in '.*train-acl.csv' none show the finding/);
});

Deno.test("a run opens no file of its fold, and does not start from a model that may know it", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 });
  const run = {
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs"), ...EXAMS },
    ...{ folds: await writeFolds(folder), fold: 2, tune: TUNE, epochs: 1, seed: 1 },
    ...{ engine: "wasm", threads: 1 } as const,
  } as const;
  for (const id of IDS.slice(4, 8)) await Deno.remove(folder.at(`data/train/axial/${id}.npy`));
  const { logFolder, epochs } = await trainRun({ ...run, weights: "none" });
  const config = JSON.parse(await Deno.readTextFile(`${logFolder}/config.json`));
  assert.deepEqual([epochs.length, config.fold, config.folds], [1, 2, run.folds]);
  const weights = await writeMember(folder, "axial", { tune: TUNE });
  await assert.rejects(trainRun({ ...run, weights }), {
    name: "OptionError",
    message: `Cannot keep fold 2 out of a training that starts from '${weights}', which may know ` +
      "its exams: start from imagenet, none, or another network without a linear layer of MRNet",
  });
});
