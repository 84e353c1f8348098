import assert from "node:assert/strict";
import {
  MRNET_PREVALENCE,
  type PhantomDatasetOptions,
  renderPhantom,
  writePhantomDataset,
} from "../../lib/phantom/mod.ts";
import { dealFindings } from "../../lib/phantom/labels.ts";
import { decodeNpy } from "../../lib/data/npy.ts";
import { join } from "../../lib/files.ts";
import { PLANES, SPLITS, type Task, TASKS } from "../../lib/terms.ts";

/** The smallest set that still has everything. */
const SMALL = { train: 3, valid: 2, size: 64, slices: [1, 2], seed: 11 } as const;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function names(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map((entry) => entry.name).sort();
}

function refuses(options: Partial<PhantomDatasetOptions>, message: string): Promise<void> {
  const all = { ...SMALL, folder: "nowhere", ...options };
  return assert.rejects(writePhantomDataset(all), { name: "OptionError", message });
}

Deno.test("findings are as frequent as in MRNet, to the exam", () => {
  const positives = (count: number, split: "train" | "valid", task: Task) =>
    dealFindings(count, MRNET_PREVALENCE[split], 1, split)
      .filter((findings) => findings[task] === 1).length;
  assert.deepEqual(TASKS.map((task) => positives(1130, "train", task)), [915, 203, 396]);
  assert.deepEqual(TASKS.map((task) => positives(120, "valid", task)), [95, 54, 52]);
  assert.deepEqual(TASKS.map((task) => positives(100, "train", task)), [81, 18, 35]);
});

Deno.test("two exams are enough to have every finding and its absence in each split", () => {
  for (const split of SPLITS) {
    for (const count of [2, 3, 4, 5, 7, 10, 33]) {
      const findings = dealFindings(count, MRNET_PREVALENCE[split], 1, split);
      for (const task of TASKS) {
        const labels = findings.map((found) => found[task]);
        assert.deepEqual([...new Set(labels)].sort(), [0, 1], `${split} ${count} ${task}`);
      }
    }
  }
});

Deno.test("a torn knee is always abnormal, and some knees are torn twice", () => {
  for (let seed = 0; seed < 20; seed++) {
    const findings = dealFindings(50, MRNET_PREVALENCE.valid, seed, "valid");
    assert.ok(findings.every((found) => found.abnormal >= Math.max(found.acl, found.meniscus)));
    assert.ok(findings.some((found) => found.acl === 1 && found.meniscus === 1));
    assert.ok(findings.some((found) => found.acl === 1 && found.meniscus === 0));
    assert.ok(findings.some((found) => found.acl === 0 && found.meniscus === 1));
  }
});

Deno.test("who has what is drawn from the seed, for each split by itself", () => {
  const deal = (seed: number, split: "train" | "valid") =>
    dealFindings(40, MRNET_PREVALENCE.train, seed, split);
  assert.deepEqual(deal(1, "train"), deal(1, "train"));
  assert.notDeepEqual(deal(1, "train"), deal(2, "train"));
  assert.notDeepEqual(deal(1, "train"), deal(1, "valid"));
});

Deno.test("a share of 0 or 1 is taken at its word", () => {
  const findings = dealFindings(6, { abnormal: 1, acl: 1, meniscus: 0 }, 1, "train");
  assert.deepEqual(findings, Array(6).fill({ abnormal: 1, acl: 1, meniscus: 0 }));
  assert.deepEqual(dealFindings(0, MRNET_PREVALENCE.train, 1, "train"), []);
});

Deno.test("a dataset has MRNet's layout", async () => {
  await inFolder(async (folder) => {
    const seen: string[] = [];
    const summary = await writePhantomDataset(
      { ...SMALL, folder: join(folder, "set") },
      (done, total) => seen.push(`${done}/${total}`),
    );
    folder = join(folder, "set");
    assert.deepEqual(seen, ["1/5", "2/5", "3/5", "4/5", "5/5"]);
    assert.deepEqual(await names(folder), [
      "README.md",
      "train",
      "train-abnormal.csv",
      "train-acl.csv",
      "train-meniscus.csv",
      "valid",
      "valid-abnormal.csv",
      "valid-acl.csv",
      "valid-meniscus.csv",
    ]);
    const ids = { train: ["0000", "0001", "0002"], valid: ["0003", "0004"] };
    let bytes = 0;
    for (const split of SPLITS) {
      for (const plane of PLANES) {
        const exams = ids[split].map((id) => `${id}.npy`);
        assert.deepEqual(await names(join(folder, split, plane)), exams);
        for (const exam of exams) {
          const file = await Deno.readFile(join(folder, split, plane, exam));
          const { data, shape } = decodeNpy(file, exam);
          assert.ok(data instanceof Uint8Array);
          assert.ok(shape[0] === 1 || shape[0] === 2);
          assert.deepEqual(shape.slice(1), [64, 64]);
          bytes += file.length;
        }
      }
      for (const task of TASKS) {
        const text = await Deno.readTextFile(join(folder, `${split}-${task}.csv`));
        assert.match(text, /^(\d{4},[01]\n)+$/);
        const rows = text.trimEnd().split("\n").map((line) => line.split(","));
        assert.deepEqual(rows.map(([id]) => id), ids[split]);
        const positives = rows.filter(([, label]) => label === "1").length;
        assert.equal(positives, summary.splits[split][task]);
      }
      assert.equal(summary.splits[split].exams, ids[split].length);
    }
    assert.equal(summary.bytes, bytes);
    assert.match(
      await Deno.readTextFile(join(folder, "README.md")),
      /never use it for\s+diagnosis/,
    );
  });
});

Deno.test("an exam of a dataset is the one that renders by itself, whatever the set's size", async () => {
  await inFolder(async (folder) => {
    const findings = { abnormal: 1, acl: 0, meniscus: 0 } as const;
    const prevalence = { train: findings, valid: findings };
    for (const [name, train] of [["one", 2], ["two", 4]] as const) {
      const slices = [2, 2] as const;
      await writePhantomDataset({
        ...SMALL,
        folder: join(folder, name),
        train,
        slices,
        prevalence,
      });
    }
    const read = async (set: string, path: string) =>
      decodeNpy(await Deno.readFile(join(folder, set, path)), path).data;
    const exam = renderPhantom({ seed: 11, exam: "valid 0", findings, size: 64, slices: 2 });
    assert.deepEqual(await read("one", "valid/axial/0002.npy"), exam.axial.voxels);
    assert.deepEqual(await read("two", "valid/axial/0004.npy"), exam.axial.voxels);
    assert.deepEqual(
      await read("one", "train/coronal/0001.npy"),
      await read("two", "train/coronal/0001.npy"),
    );
  });
});

Deno.test("a split without exams is left out", async () => {
  await inFolder(async (folder) => {
    await writePhantomDataset({ ...SMALL, folder, train: 0, valid: 1 });
    assert.deepEqual(await names(folder), [
      "README.md",
      "valid",
      "valid-abnormal.csv",
      "valid-acl.csv",
      "valid-meniscus.csv",
    ]);
    assert.deepEqual(await names(join(folder, "valid", "axial")), ["0000.npy"]);
  });
});

Deno.test("an interrupted run leaves no label file", async () => {
  await inFolder(async (folder) => {
    const stop = () => {
      throw new Error("stopped");
    };
    await assert.rejects(writePhantomDataset({ ...SMALL, folder }, stop), { message: "stopped" });
    assert.deepEqual(await names(folder), ["README.md", "train", "unfinished.json"]);
  });
});

Deno.test("a folder that holds exams or labels is left alone", async () => {
  await inFolder(async (folder) => {
    const refusal = (name: string) => ({
      name: "OutputError",
      message: `Cannot write phantoms to '${folder}': it already holds '${name}': ` +
        `choose another folder or remove it`,
    });
    await Deno.writeTextFile(join(folder, "valid-acl.csv"), "0000,1\n");
    await assert.rejects(writePhantomDataset({ ...SMALL, folder }), refusal("valid-acl.csv"));
    await Deno.mkdir(join(folder, "train"));
    await assert.rejects(writePhantomDataset({ ...SMALL, folder }), refusal("train"));
    assert.deepEqual(await names(folder), ["train", "valid-acl.csv"]);
  });
});

Deno.test("a README that is there already stays as it is", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "README.md"), "mine");
    await writePhantomDataset({ ...SMALL, folder, train: 1, valid: 0 });
    assert.equal(await Deno.readTextFile(join(folder, "README.md")), "mine");
    assert.match(await Deno.readTextFile(join(folder, "PHANTOMS.md")), /^# Made-up knees/);
  });
});

Deno.test("dataset options out of range are refused in one line, before anything is written", async () => {
  await refuses(
    { size: 1025 },
    "Cannot make phantoms of size 1025: it must be a whole number from 64 to 1024",
  );
  await refuses(
    { slices: [5, 4] },
    "Cannot make phantoms with 5 to 4 slices: the first number must not be the larger",
  );
  await refuses(
    { slices: [0, 4] },
    "Cannot make phantoms with 0 slices: it must be a whole number from 1 to 512",
  );
  await refuses(
    { train: -1 },
    "Cannot make -1 train phantoms: it must be a whole number of at least 0",
  );
  await refuses(
    { train: 0, valid: 0 },
    "Cannot make 0 phantoms: train and valid together must be 1 to 10000, because ids have four digits",
  );
  await refuses(
    { train: 9999, valid: 2 },
    "Cannot make 10001 phantoms: train and valid together must be 1 to 10000, " +
      "because ids have four digits",
  );
  await refuses(
    { seed: NaN },
    "Cannot make phantoms from the seed NaN: it must be a whole number",
  );
  await refuses(
    { prevalence: { valid: { acl: 1.5 } } },
    "Cannot make valid phantoms with a prevalence of 1.5 for 'acl': it must be a number from 0 to 1",
  );
  await refuses(
    { prevalence: { train: { abnormal: 0.1 } } },
    "Cannot make train phantoms with a prevalence of 0.18 for 'acl' and 0.1 for 'abnormal': " +
      "a torn knee is abnormal, so the latter must not be the smaller",
  );
  await assert.rejects(Deno.lstat("nowhere"), Deno.errors.NotFound);
});
