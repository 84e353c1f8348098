/**
 * `predict --sr DIR --sc DIR`: the answers of studies as DICOM files, by a combination, a model of one plane
 * and an ensemble, and what has no answer of that kind.
 */
import assert from "node:assert/strict";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { MR_IMAGE } from "../support/answers.ts";
import { runCli } from "../support/cli.ts";
import { writeEnsemble, writeSeeds } from "../support/ensembles.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";
import { niftiFile } from "../support/nifti.ts";
import { modelBytes, writeCombinedModels } from "../support/served_models.ts";
import { study } from "../support/study.ts";

const PERMISSIONS = ["--allow-read=.", "--allow-write=.", "--allow-env=XDG_RUNTIME_DIR"];

/** From voxels to millimetres: rows to the front, columns to the head, slices to the right. */
const SAGITTAL = [[0, 0, 3, 0], [0.5, 0, 0, 0], [0, 0.5, 0, 0]];

/** Runs it, and gives what it printed as JSON and what it remarked. */
function predict(folder: TemporaryFolder, ...args: string[]) {
  return runCli(folder, ["predict", "--json", "--backend", "wasm", ...args], {
    permissions: PERMISSIONS,
  });
}

/** The files of a folder: what they are called by, what they are, and their texts. */
async function answers(folder: TemporaryFolder, name: string) {
  return await Promise.all((await folder.files(name)).map(async (file) => {
    const { data } = await parseDicom(await Deno.readFile(folder.at(name, file)), { file });
    const text = new TextDecoder("latin1").decode(data.byteArray);
    assert.equal(file, `${data.string("x00080018")}.dcm`);
    return { file, modality: data.string("x00080060"), patient: data.string("x00100010"), text };
  }));
}

Deno.test("a study is answered by a report and a picture of each plane, whatever kind of model it is", async () => {
  await using folder = await TemporaryFolder.make();
  await writeCombinedModels(folder);
  for (const [name, bytes] of study(1, { "0008,0016 UI": MR_IMAGE, "0008,0030 TM": "25" })) {
    await folder.write(`export/first/${name}`, bytes);
  }
  const combined = ["--model", "combined.json", "export"];
  const { code, out, err } = await predict(folder, ...combined, "--sr", "sr", "--sc", "sc/new");
  assert.equal(code, 0, err);
  assert.match(err, /^Structured reports: sr\nSecondary captures: sc\/new\n$/m);
  assert.match(
    err,
    /^Study first: the answer leaves out what DICOM does not allow: StudyTime$/m,
  );
  const [report, ...others] = await answers(folder, "sr");
  const captures = await answers(folder, "sc/new");
  assert.equal(others.length, 0);
  assert.deepEqual([report, ...captures].map(({ modality }) => modality), ["SR", "OT", "OT", "OT"]);
  assert.deepEqual(
    new Set([report, ...captures].map(({ patient }) => patient)),
    new Set(["Doe^Jane"]),
  );
  const { probability } = JSON.parse(out);
  assert.ok(
    report.text.includes(`Not for diagnosis. ACL tear: probability ${probability.toFixed(4)}, `),
  );
  assert.ok(report.text.includes("MRNet for Deno: combined (combined)"));

  // Beside the images the answers are no images.
  const beside = ["--model", "axial.safetensors", "export", "sr"];
  const single = await predict(folder, ...beside, "--sr", "one", "--sc", "one");
  assert.equal(single.code, 0, single.err);
  assert.match(single.err, /it holds no pixels: leave it out/);
  const one = await answers(folder, "one");
  assert.deepEqual(one.map(({ modality }) => modality).sort(), ["OT", "SR"]);

  const models = await writeSeeds(folder, "axial", [11, 12]);
  const ensemble = (await writeEnsemble(folder, "axial", { models })).slice(folder.path.length + 1);
  const mean = await predict(folder, "--model", ensemble, "export", "--sr", "mean");
  assert.equal(mean.code, 0, mean.err);
  const [{ text }] = await answers(folder, "mean");
  assert.ok(text.includes("MRNet for Deno: ensemble_axial (ensemble)"));
});

Deno.test("what is no study of DICOM files has no such answer, in one line", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("sagittal.safetensors", await modelBytes());
  const model = ["--model", "sagittal.safetensors"];
  await folder.write("knee.npy", examBytes());
  const npy = await predict(folder, ...model, "knee.npy", "--sr", "sr");
  assert.equal(npy.code, 1);
  assert.equal(
    npy.err,
    "Cannot write the answer of 'knee.npy' as DICOM: it is no study with DICOM files, so there is no " +
      "patient and no study to copy: predict it without --sr and --sc\n",
  );
  await folder.write(
    "knee.nii",
    niftiFile({ size: [64, 64, 2], values: Array(8192).fill(7), affine: SAGITTAL }),
  );
  const nifti = await predict(folder, ...model, "knee.nii", "--sc", "sc");
  assert.equal(nifti.code, 1);
  assert.match(
    nifti.err,
    /^Cannot write the answer of study 'knee' as DICOM: its files are not DICOM, so there is no patient/m,
  );
  assert.equal(nifti.out, "");
  assert.deepEqual([await folder.files("sr"), await folder.files("sc")], [[], []]);
});
