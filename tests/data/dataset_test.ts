import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  type Dataset,
  type DatasetOptions,
  examsInOrder,
  openDataset,
  positiveWeight,
} from "../../lib/data/dataset.ts";
import type { Exam } from "../../lib/data/exam.ts";
import { isTuneExam } from "../../lib/data/tune.ts";
import { commandLine } from "../../lib/invocation.ts";
import type { Label } from "../../lib/terms.ts";
import { printedBy } from "../support/cli.ts";
import { examBytes, npyHead, NUMPY_DATASET, TemporaryFolder, voxels } from "../support/folders.ts";

const WHICH = { split: "train", task: "acl", plane: "coronal" } as const;

/** Opens the training exams of a folder's `data`. */
function open(folder: TemporaryFolder, more: Partial<DatasetOptions> = {}): Promise<Dataset> {
  return openDataset({ data: folder.at("data"), ...WHICH, ...more });
}

/** Writes `data` with a label file and, of the ids named, good exams. */
async function write(folder: TemporaryFolder, labels: string, ids: string[] = []): Promise<void> {
  await folder.write("data/train-acl.csv", labels);
  await Deno.mkdir(folder.at("data/train/coronal"), { recursive: true });
  for (const id of ids) await folder.write(`data/train/coronal/${id}.npy`, examBytes());
}

/** Opens the data and gives the message it is refused with, the folder's own path taken out. */
async function refusal(folder: TemporaryFolder, options?: Partial<DatasetOptions>) {
  try {
    await open(folder, options);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.name, "DataError");
    assert.ok(!error.message.includes("\n"), error.message);
    return error.message.replaceAll(`${folder.path}/`, "");
  }
  return assert.fail("the dataset was opened");
}

Deno.test("a dataset that NumPy wrote opens, all tasks and both splits", async () => {
  for (const task of ["abnormal", "acl", "meniscus"] as const) {
    const exams = { data: NUMPY_DATASET, task, plane: "coronal" } as const;
    const train = await openDataset({ ...exams, split: "train" });
    const valid = await openDataset({ ...exams, split: "valid" });
    assert.deepEqual([train.labels.length, valid.labels.length], [8, 4]);
    assert.deepEqual(train.labels[1], { id: "0001", label: 1 });
    assert.equal(valid.labels[0].id, "0008");
    const exam = await valid.read(3);
    assert.equal(exam.id, "0011");
    assert.ok([2, 3].includes(exam.slices));
    assert.deepEqual([exam.height, exam.width], [64, 64]);
    assert.equal(exam.voxels.length, exam.slices * 64 * 64);
  }
});

Deno.test("voxels are those of the file, read when they are asked for", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "1,0\n0,1\n", ["0000", "0001"]);
  const dataset = await open(folder);
  const changed = voxels(1, 2 * 64 * 64);
  await folder.write("data/train/coronal/0000.npy", examBytes(changed, [2, 64, 64]));
  const exam = await dataset.read(1);
  assert.deepEqual([exam.id, exam.slices], ["0000", 2]);
  assert.deepEqual(exam.voxels, changed);
  await assert.rejects(dataset.read(2), TypeError);
});

Deno.test("kept in memory, each exam is read once, and a failed one again", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "0,0\n1,1\n", ["0000", "0001"]);
  const dataset = await open(folder, { inMemory: true });
  await Deno.rename(folder.at("data/train"), folder.at("data/away"));
  await assert.rejects(dataset.read(0), { name: "DataError", message: /no such file/ });
  await Deno.rename(folder.at("data/away"), folder.at("data/train"));
  const [first, again] = await Promise.all([dataset.read(0), dataset.read(0)]);
  await Deno.remove(folder.at("data"), { recursive: true });
  assert.equal(first, again);
  assert.equal(await dataset.read(0), first);
  assert.ok(first.voxels instanceof Uint8Array);
  await assert.rejects(dataset.read(1), { name: "DataError" });
});

Deno.test("a folder that is not there is answered with where to get one", async () => {
  await using folder = await TemporaryFolder.make();
  const ask =
    ": ask for MRNet at https://stanfordmlgroup.github.io/competitions/mrnet/ and unpack " +
    `it there, or make a practice set: ${commandLine("synth", "--out", "data")}`;
  assert.equal(
    await refusal(folder),
    `Cannot open the dataset in 'data': there is no 'data'${ask}`,
  );
  await Deno.mkdir(folder.at("data"));
  assert.equal(
    await refusal(folder),
    `Cannot open the dataset in 'data': there is no 'data/train-acl.csv'${ask}`,
  );
});

Deno.test("a file instead of the folder is refused", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("data", "");
  assert.equal(
    await refusal(folder),
    "Cannot open 'data/train-acl.csv': part of its path is not a folder",
  );
});

Deno.test("a broken label file is refused before any exam is looked at", async () => {
  await using folder = await TemporaryFolder.make();
  const each = ": each line must be 'id,label' with the label 0 or 1";
  const cases: [text: string, found: string][] = [
    ["0,0\n1,1,1\n2\n", "line 2: 3 values instead of 2; line 3: 1 value instead of 2"],
    ["0,0\n1,2\n", "line 2: the label '2' is not 0 or 1"],
    ["id,label\n0,1\n", "line 1: the label 'label' is not 0 or 1"],
    ["0,0\n1,1\n0000,1\n", "line 3: the id '0000' was already in line 1"],
    ["../../etc/passwd,1\n", "line 1: '../../etc/passwd' is not an exam's id"],
  ];
  for (const [text, found] of cases) {
    await write(folder, text);
    assert.equal(
      await refusal(folder),
      `Cannot read the labels 'data/train-acl.csv': ${found}${each}`,
    );
  }
});

Deno.test("exams that are missing are all named, successive numbers as a range", async () => {
  await using folder = await TemporaryFolder.make();
  const ids = ["0", "1", "2", "3", "4", "7", "5", "6", "9", "knee-1", "knee-2", "knee-3"];
  const labels = ids.map((id, index) => `${id},${index % 2}\n`).join("");
  await write(folder, labels, ["0000", "knee-2"]);
  assert.equal(
    await refusal(folder),
    "Cannot use 10 of the 12 exams that 'data/train-acl.csv' names: 10 not in " +
      "'data/train/coronal' (0001–0004, 0007, 0005, 0006, 0009, knee-1, knee-3): " +
      "copy the files there",
  );
});

Deno.test("of a thousand missing exams every one is covered by the message", async () => {
  await using folder = await TemporaryFolder.make();
  const labels = Array.from({ length: 1000 }, (_, i) => `${i},${i % 2}\n`).join("");
  await write(folder, labels, ["0500"]);
  assert.match(await refusal(folder), /^Cannot use 999 of the 1000 .*\(0000–0499, 0501–0999\)/);
});

Deno.test("broken and missing exams are reported together, ten broken ones in full", async () => {
  await using folder = await TemporaryFolder.make();
  const labels = Array.from({ length: 14 }, (_, i) => `${i},${i % 2}\n`).join("");
  await write(folder, labels, ["0000"]);
  for (let i = 2; i < 14; i++) {
    const id = String(i).padStart(4, "0");
    await folder.write(`data/train/coronal/${id}.npy`, "not an array");
  }
  const message = await refusal(folder);
  assert.match(message, /^Cannot use 13 of the 14 exams/);
  assert.match(message, /1 not in 'data\/train\/coronal' \(0001\): copy the files there; /);
  assert.equal(message.match(/Cannot read 'data\/train\/coronal\//g)?.length, 10);
  assert.match(message, /0002\.npy.*0003\.npy.*; and 2 more$/);
});

Deno.test("a file that is no exam is refused with what was found in it", async () => {
  await using folder = await TemporaryFolder.make();
  const good = examBytes();
  const cases: [bytes: Uint8Array, found: RegExp][] = [
    [good.subarray(0, -5), /claims 8 192 bytes of data but the file holds 8 187: it is truncated/],
    [new Uint8Array([...good, 0, 0, 0]), /8 192 bytes of data but the file holds 8 195/],
    [npyHead("'|O'", "(1, 64, 64)"), /object/i],
    [npyHead("[('a', '<f4'), ('b', '<i4')]", "(1, 64, 64)"), /structure|fields|record/i],
    [npyHead("'<c8'", "(1, 64, 64)"), /complex/i],
    [npyHead("'|u1'", "(1000000, 4096, 4096)"), /bytes/],
    [npyHead("'|u1'", "(0, 64, 64)"), /without a slice/],
    [examBytes(voxels(0, 64 * 64), [64, 64]), /2 dimensions instead of 3/],
    [examBytes(voxels(0, 64 * 64), [1, 1, 64, 64]), /4 dimensions instead of 3/],
    [examBytes(voxels(0, 32 * 32), [1, 32, 32]), /32x32 pixels, at least 64x64/],
    [new Uint8Array(), /./],
  ];
  await write(folder, "0,0\n1,1\n", ["0000", "0001"]);
  for (const [bytes, found] of cases) {
    await folder.write("data/train/coronal/0001.npy", bytes);
    const message = await refusal(folder);
    assert.match(message, /^Cannot use 1 of the 2 exams that 'data\/train-acl\.csv' names: Cannot/);
    assert.match(message, /'data\/train\/coronal\/0001\.npy'/);
    assert.match(message, found);
  }
});

Deno.test("a header that claims a terabyte costs no memory", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "0,0\n1,1\n", ["0000"]);
  const claims = npyHead("'<f8'", "(2097152, 256, 256)");
  await folder.write("data/train/coronal/0001.npy", claims);
  assert.match(await refusal(folder), /0001\.npy.*claims 1 099 511 627 776 bytes of data/);
  const taken = await printedBy<{ resident: number; external: number }>(
    `import { openDataset } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url))};
     const before = Deno.memoryUsage();
     const exams = { data: Deno.args[0], ...${JSON.stringify(WHICH)} };
     await openDataset(exams).catch(() => {});
     const after = Deno.memoryUsage();
     const [resident, external] = ["rss", "external"].map((name) => after[name] - before[name]);
     console.log(JSON.stringify({ resident, external }));`,
    folder.at("data"),
  );
  assert.ok(taken.resident < 32e6, `${taken.resident} bytes were taken`);
  assert.ok(taken.external < 1e6, `${taken.external} bytes were taken`);
});

Deno.test("NaN is found when the exam is read, for its header does not show it", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "0,0\n1,1\n", ["0000"]);
  const data = new Float32Array(2 * 64 * 64).fill(7);
  data[64 * 64 + 64 + 3] = NaN;
  await folder.write("data/train/coronal/0001.npy", examBytes(data));
  const dataset = await open(folder);
  await dataset.read(0);
  await assert.rejects(dataset.read(1), {
    name: "DataError",
    message: /0001\.npy' as an exam: 1 of its values is not finite.* slice 1, row 1, column 3/,
  });
});

Deno.test("a set with one class only is refused", async () => {
  await using folder = await TemporaryFolder.make();
  for (const label of [0, 1]) {
    await write(folder, `0,${label}\n1,${label}\n`, ["0000", "0001"]);
    assert.equal(
      await refusal(folder),
      `Cannot use the labels 'data/train-acl.csv': all 2 of them are ${label}: ` +
        "a classifier needs exams with the finding and exams without it",
    );
  }
});

Deno.test("the weight of the second output is negatives per positive", () => {
  const labels = (text: string) => [...text].map((c, i) => ({ id: `${i}`, label: +c as Label }));
  assert.equal(positiveWeight({ labels: labels("0001") }), 3);
  assert.equal(positiveWeight({ labels: labels("0111") }), 1 / 3);
  fc.assert(fc.property(fc.array(fc.constantFrom<Label>(0, 1)), (drawn) => {
    const all = [0 as const, 1 as const, ...drawn].map((label) => ({ id: "x", label }));
    const weight = positiveWeight({ labels: all });
    const positives = all.filter(({ label }) => label === 1).length;
    return weight > 0 && Math.abs(weight * positives - (all.length - positives)) < 1e-9;
  }));
});

Deno.test("without exams of both classes there is no weight, and it says so", () => {
  for (const [found, labels] of [[0, []], [0, [0, 0]], [2, [1, 1]]] as [number, Label[]][]) {
    assert.throws(() => positiveWeight({ labels: labels.map((label) => ({ id: "x", label })) }), {
      name: "DataError",
      message: `Cannot weight the loss: of ${labels.length} exams ${found} show the finding: ` +
        "a dataset needs exams with the finding and exams without it",
    });
  }
});

/** A dataset in memory that keeps a record of what is asked of it. */
class Recorder implements Dataset {
  readonly labels;
  readonly asked: number[] = [];
  outstanding = 0;
  most = 0;

  constructor(count: number, readonly failing?: number) {
    this.labels = Array.from({ length: count }, (_, i) => ({
      id: String(i).padStart(4, "0"),
      label: (i % 2) as Label,
    }));
  }

  async read(index: number): Promise<Exam> {
    this.asked.push(index);
    this.outstanding++;
    this.most = Math.max(this.most, this.outstanding);
    await new Promise((resolve) => setTimeout(resolve, 1));
    this.outstanding--;
    if (index === this.failing) throw new Error(`exam ${index} is broken`);
    const { id } = this.labels[index];
    return { id, slices: 1, height: 64, width: 64, voxels: new Uint8Array(64 * 64) };
  }
}

Deno.test("exams come in the order asked for, exactly one is read ahead", async () => {
  const dataset = new Recorder(5);
  const order = [3, 0, 4, 1, 2];
  let given = 0;
  for await (const { exam, label } of examsInOrder(dataset, order)) {
    assert.equal(exam.id, dataset.labels[order[given]].id);
    assert.equal(label, dataset.labels[order[given]].label);
    given++;
    await new Promise((resolve) => setTimeout(resolve, 3));
    assert.deepEqual(dataset.asked, order.slice(0, given + 1));
  }
  assert.equal(given, 5);
  assert.equal(dataset.most, 1);
});

Deno.test("nothing is read for an empty order, nor before the first exam is asked for", async () => {
  const dataset = new Recorder(3);
  assert.equal((await Array.fromAsync(examsInOrder(dataset, []))).length, 0);
  const exams = examsInOrder(dataset, [0, 1, 2]);
  await new Promise((resolve) => setTimeout(resolve, 3));
  assert.deepEqual(dataset.asked, []);
  await exams.next();
  assert.deepEqual(dataset.asked, [0, 1]);
  await exams.return(undefined);
});

Deno.test("a read that fails is reported in its turn, and the exams before it are given", async () => {
  const dataset = new Recorder(4, 2);
  const given: string[] = [];
  await assert.rejects(async () => {
    for await (const { exam } of examsInOrder(dataset, [0, 1, 2, 3])) given.push(exam.id);
  }, { message: "exam 2 is broken" });
  assert.deepEqual(given, ["0000", "0001"]);
  assert.deepEqual(dataset.asked, [0, 1, 2]);
});

Deno.test("a read that throws at once is reported in its turn as well", async () => {
  const good = new Recorder(2);
  const read = (index: number) => {
    if (index === 1) throw new Error("thrown, not rejected");
    return good.read(index);
  };
  const given: string[] = [];
  await assert.rejects(async () => {
    const exams = examsInOrder({ labels: good.labels, read }, [0, 1]);
    for await (const { exam } of exams) given.push(exam.id);
  }, { message: "thrown, not rejected" });
  assert.deepEqual(given, ["0000"]);
});

Deno.test("a failed read ahead goes unnoticed where the caller stops before it", async () => {
  const dataset = new Recorder(2, 1);
  for await (const { exam } of examsInOrder(dataset, [0, 1])) {
    assert.equal(exam.id, "0000");
    await new Promise((resolve) => setTimeout(resolve, 5));
    break;
  }
  // An unhandled rejection would fail this test.
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(dataset.outstanding, 0);
});

/** Ids of which a share is kept out. */
const IDS = Array.from({ length: 40 }, (_, index) => String(index).padStart(4, "0"));
const TUNE = { fraction: 0.4, seed: 1 };

Deno.test("the tune split and the rest of the training exams are all of them, each once", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, IDS.map((id, index) => `${id},${index % 2}\n`).join(""), IDS);
  const [train, tuned, all] = await Promise.all([
    open(folder, { tune: TUNE }),
    open(folder, { tune: TUNE, split: "tune" }),
    open(folder),
  ]);
  const ids = ({ labels }: Dataset) => labels.map(({ id }) => id);
  assert.deepEqual(ids(tuned), IDS.filter((id) => isTuneExam(id, TUNE)));
  assert.ok(ids(tuned).length > 1 && ids(train).length > 1);
  assert.deepEqual([...ids(train), ...ids(tuned)].sort(), IDS);
  assert.deepEqual(ids(all), IDS);
  for (const dataset of [train, tuned]) {
    for (const [index, { id, label }] of dataset.labels.entries()) {
      assert.equal((await dataset.read(index)).id, id);
      assert.equal(label, Number(id) % 2);
    }
  }
});

Deno.test("the tune split has the same exams for every plane and task", async () => {
  await using folder = await TemporaryFolder.make();
  const seen = new Set<string>();
  // Another order, other labels, and an exam that two planes lack.
  for (const [at, task] of (["abnormal", "acl", "meniscus"] as const).entries()) {
    const here = at === 1 ? IDS.toReversed() : IDS;
    const rows = here.map((id, index) => `${id},${index % (at + 2) === 0 ? 1 : 0}\n`);
    await folder.write(`data/train-${task}.csv`, rows.join(""));
    for (const plane of ["axial", "coronal", "sagittal"] as const) {
      for (const id of IDS) await folder.write(`data/train/${plane}/${id}.npy`, examBytes());
      const { labels } = await open(folder, { task, plane, split: "tune", tune: TUNE });
      seen.add(labels.map(({ id }) => id).sort().join());
    }
  }
  await folder.write(
    "data/train-acl.csv",
    IDS.slice(1).map((id, i) => `${id},${i % 2}\n`).join(""),
  );
  const fewer = await open(folder, { split: "tune", tune: TUNE });
  assert.equal(seen.size, 1);
  const all = [...seen][0].split(",");
  assert.deepEqual(fewer.labels.map(({ id }) => id), all.filter((id) => id !== IDS[0]));
});

Deno.test("the validation exams are the same with a tune split and without", async () => {
  const valid = { data: NUMPY_DATASET, task: "acl", plane: "coronal", split: "valid" } as const;
  const { labels } = await openDataset({ ...valid, tune: { fraction: 0.9, seed: 0 } });
  assert.deepEqual(labels, (await openDataset(valid)).labels);
});

Deno.test("only the exams of the split that is opened are looked at", async () => {
  await using folder = await TemporaryFolder.make();
  const rows = IDS.map((id, index) => `${id},${index % 2}\n`).join("");
  await write(folder, rows, IDS.filter((id) => !isTuneExam(id, TUNE)));
  await open(folder, { tune: TUNE });
  const missing = await refusal(folder, { tune: TUNE, split: "tune" });
  assert.match(missing, /^Cannot use (\d+) of the \1 exams that 'data\/train-acl.csv' names: /);
});

Deno.test("a tune split that leaves one class, or nothing, to a side is refused", async () => {
  await using folder = await TemporaryFolder.make();
  const cut =
    (fraction: number, positive: (id: string) => boolean) => async (split: "train" | "tune") => {
      await write(folder, IDS.map((id) => `${id},${Number(positive(id))}\n`).join(""), IDS);
      return (await refusal(folder, { split, tune: { fraction, seed: 1 } }))
        .replace(
          `Cannot keep a share of ${fraction}, seed 1, of the exams in 'data/train-acl.csv' out of training: `,
          "",
        );
    };
  const kept = IDS.filter((id) => isTuneExam(id, TUNE));
  assert.equal(
    await cut(0.4, (id) => !kept.includes(id))("tune"),
    `${kept.length} exams are kept out, none with the finding: give a larger share or another seed`,
  );
  assert.equal(
    await cut(0.4, (id) => kept.includes(id))("tune"),
    `${kept.length} exams are kept out, all with the finding: give a larger share or another seed`,
  );
  assert.equal(
    await cut(0.4, (id) => kept.includes(id))("train"),
    `${IDS.length - kept.length} exams are left to train on, none with the finding: ` +
      "give a smaller share or another seed",
  );
  const half = (id: string) => Number(id) % 2 === 0;
  assert.equal(
    await cut(1e-9, half)("tune"),
    "no exams are kept out: give a larger share or another seed",
  );
  assert.equal(
    await cut(1 - 1e-9, half)("train"),
    "no exams are left to train on: give a smaller share or another seed",
  );
});

Deno.test("what is no tune split is refused before a file is opened", async () => {
  await using folder = await TemporaryFolder.make();
  await assert.rejects(open(folder, { split: "tune" }), {
    name: "OptionError",
    message: "Cannot open the tune split: nothing says which training exams it has: " +
      "give 'tune' with a fraction and a seed",
  });
  for (const split of ["train", "tune"] as const) {
    await assert.rejects(open(folder, { split, tune: { fraction: 1, seed: 0 } }), {
      name: "OptionError",
      message: "Cannot keep 1 of the training exams out: give a share between 0 and 1, such as 0.1",
    });
  }
});
