/**
 * Studies as data sets in MRNet's layout.
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { openDataset } from "../../lib/data/dataset.ts";
import { readNpy } from "../../lib/data/npy.ts";
import { importExams, type ImportOptions } from "../../lib/imaging/import.ts";
import { encodeZip } from "../../lib/zip.ts";
import { runCli } from "../support/cli.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";
import { DIRECTIONS, study } from "../support/study.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { concat } from "../../lib/bytes.ts";
import { niftiFile } from "../support/nifti.ts";

async function write(folder: TemporaryFolder, name: string, files: Map<string, Uint8Array>) {
  for (const [path, bytes] of files) await folder.write(`${name}/${path}`, bytes);
}

function textsBelow(path: string): string {
  return [...Deno.readDirSync(path)].map(({ name, isDirectory }) => {
    const own = `${path}/${name}`;
    return name + (isDirectory ? textsBelow(own) : Deno.readTextFileSync(own));
  }).join("\n");
}

Deno.test("folders and archives become a data set with labels, and no patient is named", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "pacs/first_patient", study(1));
  await folder.write("pacs/second.zip", concat(encodeZip(study(2))));
  const table = "id;abnormal;acl;meniscus\nfirst_patient;1;0;\nsecond;0;1;1\nthird;1;1;1\n";
  await folder.write("labels.csv", table);
  const options: ImportOptions = {
    ...{ paths: [folder.at("pacs")], out: folder.at("data"), split: "train" },
    labels: folder.at("labels.csv"),
  };
  const { exams, open, failures, lacking, labelFiles, unknownLabels, unlabelled } =
    await importExams(options);
  assert.deepEqual([open, failures, lacking, unlabelled], [[], [], [], []]);
  assert.deepEqual(unknownLabels, ["third"]);
  assert.deepEqual(exams.map(({ id, plane, side, slices }) => `${id} ${plane} ${side} ${slices}`), [
    ...["0001 axial L 18", "0001 coronal L 18", "0001 sagittal L 18"],
    ...["0002 axial L 18", "0002 coronal L 18", "0002 sagittal L 18"],
  ]);
  assert.equal(labelFiles.length, 3);
  assert.equal(await Deno.readTextFile(folder.at("data/train-acl.csv")), "0001,0\n0002,1\n");
  assert.equal(await Deno.readTextFile(folder.at("data/train-meniscus.csv")), "0002,1\n");
  const dataset = await openDataset({
    ...{ data: folder.at("data"), task: "acl", plane: "coronal", split: "train" },
  });
  assert.equal(dataset.labels.length, 2);
  assert.doesNotMatch(textsBelow(folder.at("data")), /Doe|Jane|SECRET|1970|first_patient|2\.25/);

  // Once more: nothing is read or written again, and a file that is lost is made again.
  const before = await Deno.stat(folder.at("data/train/axial/0001.npy"));
  await Deno.remove(folder.at("data/train/axial/0002.npy"));
  const known: string[] = [];
  await importExams({
    ...options,
    onExam: ({ row, known: is }) => is && known.push(`${row!.id} ${row!.plane}`),
  });
  assert.equal(known.length, 5);
  assert.ok(!known.includes("0002 axial"));
  assert.deepEqual(await Deno.stat(folder.at("data/train/axial/0001.npy")), before);
  const { shape } = await readNpy(folder.at("data/train/axial/0002.npy"));
  assert.deepEqual(shape, [18, 256, 256]);

  // No patient is in both splits.
  const other = await importExams({ ...options, split: "valid" });
  assert.equal(other.failures.length, 6);
  assert.match(other.failures[0], /its study is in 'train' already, and no patient may be in both/);
});

Deno.test("landmarks that are none are refused before anything is read", async () => {
  const landmarks = {
    sagittal: { percentiles: [1, 2], values: [3], type: "uint8", exams: 1 },
  } as const;
  await assert.rejects(importExams({ paths: ["nowhere"], out: "nowhere", landmarks }), {
    name: "OptionError",
    message:
      /^Cannot import exams with these landmarks: the percentiles 0\.5, 10, .* are needed: give/,
  });
});

Deno.test("several series of a plane are listed, and the one that is named is taken", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "study", study(1));
  await write(
    folder,
    "study/more",
    new Map(
      [...study(1, { "0020,000E UI": "2.25.99", "0008,103E LO": "t2 fs" })]
        .filter(([name]) => name.startsWith("sagittal")),
    ),
  );
  const options = { paths: [folder.at("study")], out: folder.at("data") };
  const { open, exams } = await importExams(options);
  assert.deepEqual(open.map(({ plane, candidates }) => [plane, candidates.length]), [[
    "sagittal",
    2,
  ]]);
  assert.deepEqual(exams.map(({ plane }) => plane), ["axial", "coronal"]);

  const nothing = await importExams({ ...options, series: [{ plane: "sagittal", text: "t1*" }] });
  assert.equal(nothing.open.length, 1);
  const chosen = await importExams({ ...options, series: [{ plane: "sagittal", text: "T2*" }] });
  assert.deepEqual(chosen.open, []);
  assert.deepEqual(chosen.exams.map(({ plane }) => plane), ["axial", "coronal", "sagittal"]);
});

Deno.test("a localizer, a series that is far out of every plane, and another modality are not taken", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "mr", study(1));
  const axial = [...study(1, { "0020,000E UI": "2.25.99" })]
    .filter(([name]) => name.startsWith("axial"));
  const rest = async (
    name: string,
    more: (slice: number) => Record<string, DicomValue>,
  ) => {
    for (const [path] of axial) {
      const slice = Number(/\d+$/.exec(path)![0]);
      const elements: Record<string, DicomValue> = {
        ...{ "0020,000D UI": "2.25.71", "0020,000E UI": `2.25.${name.length}` },
        ...{
          "0020,0037 DS": DIRECTIONS.axial,
          "0020,0032 DS": `0\\0\\${4 * slice}`,
          ...more(slice),
        },
      };
      await folder.write(`mr/${name}/${slice}`, dicomSlice({ rows: 64, columns: 64, elements }));
    }
  };
  await rest("localizer", () => ({ "0008,0008 CS": "ORIGINAL\\PRIMARY\\LOCALIZER" }));
  await rest("ct", () => ({ "0008,0060 CS": "CT" }));
  // 44° out of the coronal plane.
  await rest("oblique", (slice) => ({
    "0020,0037 DS": "1\\0\\0\\0\\0.7\\0.714",
    "0020,0032 DS": `0\\${-2.856 * slice}\\${2.8 * slice}`,
  }));
  const paths = [folder.at("mr/")];
  const { exams, open } = await importExams({ paths, out: folder.at("data") });
  assert.deepEqual(open, []);
  assert.deepEqual(exams.map(({ plane }) => plane), ["axial", "coronal", "sagittal"]);
  const tilted = await importExams({ paths, out: folder.at("data"), anyTilt: true });
  assert.deepEqual(tilted.open.map(({ plane, candidates }) => [plane, candidates.length]), [[
    "coronal",
    2,
  ]]);
});

Deno.test("NIfTI files keep their names, planes of one knee are one exam", async () => {
  await using folder = await TemporaryFolder.make();
  const volume = (axes: number[][]) =>
    niftiFile({
      size: [64, 64, 20],
      values: Array.from({ length: 64 * 64 * 20 }, (_, i) => i % 251),
      affine: [0, 1, 2].map((x) => [axes[0][x], axes[1][x], axes[2][x], 0]),
    });
  await folder.write("k/knee7_sag.nii", volume([[0, 1, 0], [0, 0, 1], [4, 0, 0]]));
  await folder.write("k/knee7_axial.nii", volume([[1, 0, 0], [0, 1, 0], [0, 0, 4]]));
  await folder.write("k/12/coronal.nii", volume([[1, 0, 0], [0, 0, 1], [0, 4, 0]]));
  const { exams, lacking } = await importExams({
    paths: [folder.at("k")],
    out: folder.at("data"),
  });
  assert.deepEqual(exams.map(({ id, plane }) => `${id} ${plane}`).sort(), [
    "0012 coronal",
    "knee7 axial",
    "knee7 sagittal",
  ]);
  assert.deepEqual(lacking, [
    { id: "0012", planes: ["axial", "sagittal"] },
    { id: "knee7", planes: ["coronal"] },
  ]);
});

Deno.test("a folder of NIfTI files and a table become a data set with labels", async () => {
  await using folder = await TemporaryFolder.make();
  const affine = [[0, 0, 4, 0], [1, 0, 0, 0], [0, 1, 0, 0]];
  for (const knee of [3, 7, 12]) {
    const values = Array.from({ length: 64 * 64 * 20 }, (_, i) => i % (200 + knee));
    const file = niftiFile({ size: [64, 64, 20], values, affine });
    await folder.write(`knees/knee${knee}_sag.nii.gz`, new Uint8Array(gzipSync(file)));
  }
  await folder.write("knees/labels.csv", "id,abnormal,acl\nknee3,1,0\nknee12,0,\nknee99,1,1\n");
  const options: ImportOptions = {
    ...{ paths: [folder.at("knees")], out: folder.at("data"), split: "train" },
    labels: folder.at("knees/labels.csv"),
  };
  const result = await importExams(options);
  assert.deepEqual(result.exams.map(({ id }) => id).sort(), ["knee12", "knee3", "knee7"]);
  assert.deepEqual([result.unknownLabels, result.unlabelled], [["knee99"], ["knee7"]]);
  assert.equal(
    await Deno.readTextFile(folder.at("data/train-abnormal.csv")),
    "knee12,0\nknee3,1\n",
  );
  assert.equal(await Deno.readTextFile(folder.at("data/train-acl.csv")), "knee3,0\n");
  // Once more, of files that are damaged behind their headers: what was imported is not read again.
  for (const knee of [3, 7, 12]) {
    const path = folder.at(`knees/knee${knee}_sag.nii.gz`);
    await Deno.writeFile(path, (await Deno.readFile(path)).slice(0, 4096));
  }
  const again = await importExams(options);
  assert.deepEqual([again.failures, again.skipped, again.exams.length], [[], [], 3]);
});

Deno.test("a slice that is damaged fails its exam and no other", async () => {
  await using folder = await TemporaryFolder.make();
  const files = study(1);
  files.set(
    "axial/IM3",
    dicomSlice({
      rows: 64,
      columns: 64,
      values: Array(4000).fill(1),
      elements: {
        "0020,000D UI": "2.25.71",
        "0020,000E UI": "2.25.712",
        "0020,0037 DS": DIRECTIONS.axial,
        "0020,0032 DS": "0\\0\\12",
      },
    }),
  );
  await write(folder, "study", files);
  const { exams, failures } = await importExams({
    paths: [folder.at("study")],
    out: folder.at("data"),
  });
  assert.deepEqual(exams.map(({ plane }) => plane), ["coronal", "sagittal"]);
  assert.equal(failures.length, 1);
  assert.match(failures[0], /axial\/IM3': its pixels are cut off/);
});

Deno.test("labels of before that may not be read are not written over", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "study", study(1));
  await folder.write("labels.csv", "id,acl\n0001,1\n");
  await folder.write("data/valid-acl.csv", "9,0\n");
  const { code, err } = await runCli(
    folder,
    ["import", "study", "--out", "data", "--labels", "labels.csv"],
    {
      permissions: [
        "--allow-read=study,data,labels.csv",
        "--deny-read=data/valid-acl.csv",
        "--allow-write=data",
      ],
    },
  );
  assert.equal(code, 1);
  assert.match(err, /Cannot read the labels 'data\/valid-acl\.csv': Deno has no permission/);
  assert.equal(await Deno.readTextFile(folder.at("data/valid-acl.csv")), "9,0\n");
});

Deno.test("the table of imported exams says the scanner, but not which one of its kind it was", async () => {
  await using folder = await TemporaryFolder.make();
  const scanner = {
    ...{ "0008,0070 LO": "Example", "0008,1090 LO": "Model X", "0018,0087 DS": "2.98" },
    ...{ "0008,1010 SH": "STATION7", "0018,1000 LO": "SERIAL9" },
  };
  await write(folder, "study", study(1, scanner));
  const { exams } = await importExams({ paths: [folder.at("study")], out: folder.at("data") });
  assert.deepEqual(exams.map((exam) => exam.scanner), Array(3).fill("Example Model X 3 T"));
  const table = await folder.text("data/exams.csv");
  assert.match(table, /,percentiles,Example Model X 3 T,/);
  assert.doesNotMatch(table, /STATION7|SERIAL9/);
});

Deno.test("import says what it made and what to do, and needs its two folders only", async () => {
  await using folder = await TemporaryFolder.make();
  await write(folder, "study", study(1));
  const rights = { permissions: ["--allow-read=study,data", "--allow-write=data"] };
  const made = await runCli(folder, ["import", "study", "--out", "data"], rights);
  assert.equal(made.code, 0, made.err);
  assert.match(made.out, /^0001 axial {2}18 slices, side L {2}from study\n/);
  assert.match(made.err, /\nExams: {2}3\n$|^Exams: {2}3\n$/);
  const again = await runCli(folder, ["import", "study", "--out", "data", "--json"], rights);
  const reports = again.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(reports.map(({ known }) => known), [true, true, true]);

  await write(folder, "study/twice", study(1, { "0020,000E UI": "2.25.99" }));
  const open = await runCli(folder, ["import", "study", "--out", "data"], rights);
  assert.equal(open.code, 1);
  assert.match(open.err, /Not imported: study, axial: several series could be meant\. Say which, /);

  await folder.write("data/exams.csv", "id\n0001\n");
  const damaged = await runCli(folder, ["import", "study", "--out", "data"], rights);
  assert.equal(damaged.code, 1);
  assert.match(damaged.err, /^Cannot read 'data\/exams\.csv': it has not the columns of an import/);
});
