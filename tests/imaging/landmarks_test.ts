/**
 * Exams from a scanner as a model's training exams look: mapped to the landmarks that its file keeps.
 */
import assert from "node:assert/strict";
import { type Exam, readExam } from "../../lib/data/exam.ts";
import { preparedExam } from "../../lib/data/intensity.ts";
import { type Landmarks, landmarksOf, meanLandmarks } from "../../lib/data/landmarks.ts";
import { encodeNpy, readNpy } from "../../lib/data/npy.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { importExams } from "../../lib/imaging/import.ts";
import { Studies } from "../../lib/imaging/studies.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { createHandler } from "../../lib/serve/handler.ts";
import { predictFiles } from "../../lib/train/predict.ts";
import { type RunOptions, trainRun } from "../../lib/train/run.ts";
import { runCli } from "../support/cli.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { writeModel } from "../support/served_models.ts";

await startEngine("wasm");

/** How a scanner made a knee: the histogram's shape, and the units of its values. */
interface Scan {
  /** 1 for a straight histogram. */
  gamma?: number;
  slope?: number;
  intercept?: number;
  columns?: number;
}

/** Writes the study of a sagittal series of two slices. */
async function scan(
  folder: TemporaryFolder,
  name: string,
  { gamma = 1, slope = 1, intercept = 0, columns = 64 }: Scan = {},
): Promise<void> {
  // The study's identifier follows from its name.
  const uid = [...new TextEncoder().encode(name)].join("");
  for (let slice = 0; slice < 2; slice++) {
    const value = (i: number) =>
      4000 * ((i * i * 31 + 977 * slice) % 2777 / 2777) ** gamma * (i % 3 === 0 ? 0.1 : 1);
    const values = Array.from({ length: 64 * columns }, (_, i) => Math.round(value(i)));
    const elements: Record<string, DicomValue> = {
      "0020,000D UI": `2.25.${uid}`,
      "0020,000E UI": `2.25.${uid}1`,
      "0020,0032 DS": `${4 * slice}\\0\\0`,
      "0028,1052 DS": String(intercept),
      "0028,1053 DS": String(slope),
    };
    const bytes = dicomSlice({ rows: 64, columns, values, elements });
    await folder.write(`pacs/${name}/IM${slice}`, bytes);
  }
}

/** Imports four knees as a data set to train on. */
async function dataset(folder: TemporaryFolder, knees: readonly Scan[]): Promise<void> {
  for (const [at, split] of (["train", "valid"] as const).entries()) {
    const names = [0, 1].map((number) => `${split}${number}`);
    for (const [number, name] of names.entries()) await scan(folder, name, knees[2 * at + number]);
    await folder.write("labels.csv", `id,acl\n${names[0]},0\n${names[1]},1\n`);
    const paths = names.map((name) => folder.at("pacs", name));
    await importExams({
      ...{ paths, out: folder.at("data"), split, labels: folder.at("labels.csv") },
    });
  }
}

/** Trains for one epoch; gives the file of the model. */
async function trained(folder: TemporaryFolder, more: Partial<RunOptions> = {}): Promise<string> {
  const { checkpoint } = await trainRun({
    ...{ task: "acl", plane: "sagittal", weights: "none", engine: "wasm", threads: 2 },
    ...{ data: folder.at("data"), models: folder.at("models"), logs: folder.at("logs") },
    ...{ seed: 1, epochs: 1, augment: false, ...more },
  });
  // A model is kept if its AUC is above 0, whatever it has learnt.
  return checkpoint!;
}

const ABOUT = { task: "acl", plane: "sagittal" } as const;

/** Landmarks of an exam that no test has. */
function someLandmarks(): Landmarks {
  const exam = Uint8Array.from({ length: 9999 }, (_, i) => i * i % 241);
  return meanLandmarks([landmarksOf(exam)!], { type: "uint8", stretch: false })!;
}

/** The largest difference of two lists of numbers. */
function furthest(some: ArrayLike<number>, others: ArrayLike<number>): number {
  let most = 0;
  for (let at = 0; at < some.length; at++) most = Math.max(most, Math.abs(some[at] - others[at]));
  return most;
}

const knees = (gammas: readonly number[]): Scan[] =>
  gammas.map((gamma, at) => ({ gamma, slope: 1 + at, intercept: -300 * at }));

Deno.test("a model that maps exams itself predicts a study as the file that was made of it", async () => {
  await using folder = await TemporaryFolder.make();
  await dataset(folder, knees([1, 0.6, 1, 1]));
  using loaded = await loadMRNet(await trained(folder, { intensity: "landmarks" }));
  using studies = await Studies.open([folder.at("pacs/train0"), folder.at("pacs/train1")]);
  const sources = studies.studies.map(({ exams }) => exams.sagittal!);
  const files = ["0001", "0002"].map((id) => folder.at(`data/train/sagittal/${id}.npy`));
  const logits = async (inputs: Parameters<typeof predictFiles>[1]) => {
    const found: (readonly number[])[] = [];
    for await (const outcome of predictFiles(loaded.model, inputs)) {
      if ("error" in outcome) throw outcome.error;
      found.push(outcome.prediction.logits);
    }
    return found;
  };
  assert.deepEqual(await logits(sources), await logits(files));
});

Deno.test("a study becomes what its training file is, whatever its units are", async () => {
  await using folder = await TemporaryFolder.make();
  // Four scanners, of which none changes the histogram's shape: their files are alike.
  await dataset(folder, knees([1, 1, 1, 1]));
  using loaded = await loadMRNet(await trained(folder));
  const landmarks = loaded.model.landmarks!;
  assert.deepEqual([landmarks.exams, landmarks.type], [2, "uint8"]);
  await scan(folder, "other", { slope: 0.37, intercept: 55 });
  using studies = await Studies.open([folder.at("pacs/other")]);
  const exam = await studies.studies[0].exams.sagittal!.read();
  const { voxels } = preparedExam(exam, loaded.model);
  const file = await readExam(folder.at("data/train/sagittal/0001.npy"), "0001");
  assert.ok(voxels instanceof Uint8Array);
  assert.ok(furthest(voxels, file.voxels) <= 1, `${furthest(voxels, file.voxels)}`);
});

Deno.test("a study of another contrast is mapped to the training exams' landmarks", async () => {
  await using folder = await TemporaryFolder.make();
  await dataset(folder, knees([1, 1, 1, 1]));
  const model = await trained(folder);
  using loaded = await loadMRNet(model);
  const landmarks = loaded.model.landmarks!;
  // Darker, and not square.
  await scan(folder, "dark", { gamma: 2, columns: 48 });
  using studies = await Studies.open([folder.at("pacs/dark")]);
  const source = studies.studies[0].exams.sagittal!;
  const off = ({ voxels }: Pick<Exam, "voxels">) =>
    furthest(landmarksOf(voxels)!, landmarks.values);
  const plain = await source.read();
  const mapped = preparedExam(plain, loaded.model);
  assert.ok(off(plain) > 40, `${off(plain)}`);
  // Not 0: what is foreground is another share of it once it is mapped.
  assert.ok(off(mapped) < 15, `${off(mapped)}`);

  const rights = { permissions: ["--allow-read=.", "--allow-env=XDG_RUNTIME_DIR"] };
  const own = model.slice(folder.path.length + 1);
  const args = ["predict", "--model", own, "--backend", "wasm", "--json", "pacs/dark"];
  const { code, out, err } = await runCli(folder, args, rights);
  assert.equal(code, 0, err);
  assert.match(err, /^Grey values of studies: mapped to landmarks .* \(sagittal\)$/m);
  const { logits } = await loaded.model.predict({ ...mapped, isScanned: false });
  JSON.parse(out).logits.forEach((value: number, at: number) => {
    assert.ok(Math.abs(value - logits[at]) < 1e-5);
  });
});

Deno.test("the service maps a study that it is sent, and takes a file as it is", async () => {
  await using folder = await TemporaryFolder.make();
  await scan(folder, "knee");
  const landmarks = someLandmarks();
  await writeModel(folder.at("known.safetensors"), 1, { ...ABOUT, landmarks });
  await writeModel(folder.at("unknown.safetensors"), 1, ABOUT);
  const models = ["known", "unknown"].map((name) => folder.at(`${name}.safetensors`));
  const handler = createHandler({ engine: "wasm", models });
  const form = new FormData();
  for (const name of ["IM0", "IM1"]) {
    const bytes = await Deno.readFile(folder.at(`pacs/knee/${name}`));
    form.append("study", new Blob([bytes], { type: "application/dicom" }), name);
  }
  const ask = async (init: RequestInit) => {
    const url = "http://localhost/v1/predict";
    const response = await handler(new Request(url, { method: "POST", ...init }));
    const { predictions } = await response.json();
    return predictions.map(({ logits }: { logits: number[] }) => logits);
  };
  using studies = await Studies.open([folder.at("pacs/knee")]);
  const exam = await studies.studies[0].exams.sagittal!.read();
  const { voxels } = preparedExam(exam, { intensity: "raw", landmarks });
  assert.notDeepEqual(voxels, exam.voxels);
  using model = await loadMRNet(models[0]).then(({ model }) => model);
  const file = { ...exam, isScanned: false };
  const [mapped, plain] = [
    (await model.predict({ ...file, voxels })).logits,
    (await model.predict(file)).logits,
  ];
  assert.deepEqual(await ask({ body: form }), [mapped, plain]);
  const shape = [exam.slices, exam.height, exam.width];
  const body = encodeNpy(exam.voxels as Uint8Array<ArrayBuffer>, shape);
  const headers = { "content-type": "application/octet-stream" };
  assert.deepEqual(await ask({ body, headers }), [plain, plain]);
});

Deno.test("exams of other numbers than bytes have landmarks of such numbers", async () => {
  await using folder = await TemporaryFolder.make();
  await scan(folder, "knee");
  using studies = await Studies.open([folder.at("pacs/knee")]);
  const exam = await studies.studies[0].exams.sagittal!.read();
  const { voxels } = exam;
  const scores = Float32Array.from(voxels, (value) => (value - 90) / 60);
  const landmarks = meanLandmarks([landmarksOf(scores)!], { type: "float32", stretch: false })!;
  const mapped = preparedExam(exam, { intensity: "raw", landmarks });
  assert.ok(mapped.voxels instanceof Float32Array);
  assert.ok(furthest(mapped.voxels, scores) < 1e-6);
  // A file is taken as it is.
  assert.equal(
    preparedExam({ ...exam, isScanned: false }, { intensity: "raw", landmarks }).voxels,
    voxels,
  );
});

Deno.test("import --like maps once for good what predict maps, and knows what it did", async () => {
  await using folder = await TemporaryFolder.make();
  await scan(folder, "knee", { gamma: 1.4 });
  const landmarks = someLandmarks();
  await writeModel(folder.at("model.safetensors"), 1, { ...ABOUT, landmarks });
  const rights = {
    permissions: ["--allow-read=pacs,data,model.safetensors", "--allow-write=data"],
  };
  const run = (...more: string[]) =>
    runCli(folder, ["import", "pacs", "--out", "data", ...more], rights);
  const voxels = async () => (await readNpy(folder.at("data/valid/sagittal/0001.npy"))).data;
  const table = () => folder.text("data/exams.csv");

  assert.equal((await run()).code, 0);
  const plain = await voxels();
  assert.match(
    await table(),
    /,source,grey_values,scanner,pixel_mm,directions,positions,frame,remarks\n.*,percentiles,/,
  );
  const like = ["--like", "model.safetensors"];
  const { code, out, err } = await run(...like);
  assert.equal(code, 0, err);
  assert.match(out, /^0001 sagittal /);
  assert.match(
    err,
    /^Grey values, coronal: percentiles\nGrey values, sagittal: landmarks of 1 train/m,
  );
  assert.match(await table(), /,landmarks [0-9a-f]{8},/);
  const mapped = await voxels();
  assert.notDeepEqual(mapped, plain);
  using studies = await Studies.open([folder.at("pacs/knee")]);
  const exam = await studies.studies[0].exams.sagittal!.read();
  assert.deepEqual(mapped, preparedExam(exam, { intensity: "raw", landmarks }).voxels);
  // The same again reads nothing; without the model it is made anew.
  assert.equal((await run(...like)).out, "");
  assert.match((await run()).out, /^0001 sagittal /);
  assert.deepEqual(await voxels(), plain);

  // Tables of earlier versions have no such column, and were made by percentiles.
  const earlier = (await table()).replaceAll(/,(grey_values|percentiles)(?=,)/g, "");
  assert.doesNotMatch(earlier, /grey|percentiles/);
  await folder.write("data/exams.csv", earlier);
  assert.equal((await run()).out, "");
});

Deno.test("what cannot be mapped is refused in one line, and the others go on", async () => {
  await using folder = await TemporaryFolder.make();
  await scan(folder, "knee");
  await scan(folder, "black", { gamma: 1e9 });
  const [known, unknown] = ["known.safetensors", "unknown.safetensors"];
  await writeModel(folder.at(known), 1, { ...ABOUT, landmarks: someLandmarks() });
  await writeModel(folder.at(unknown), 1, ABOUT);
  const rights = { permissions: ["--allow-read=.", "--allow-write=data"] };
  const run = (model: string) =>
    runCli(folder, ["import", "pacs", "--out", "data", "--like", model], rights);
  const some = await run(known);
  assert.equal(some.code, 1);
  assert.match(
    some.err,
    /^Cannot map series '.*' to a model's landmarks: the 0\.5th and the 99\.7th percentile of its grey/m,
  );
  assert.match(some.err, /^Exams: {2}1$/m);
  const none = await run(unknown);
  assert.equal(none.code, 1);
  assert.equal(
    none.err,
    "Cannot import exams as 'unknown.safetensors' reads them: it says no landmarks of its training " +
      "exams: import without it, or train it anew\n",
  );
  const bytes = await Deno.readFile(folder.at(known));
  // Damaged: one digit of the first landmark becomes a letter.
  const at = new TextDecoder("latin1").decode(bytes).indexOf('values\\":[') + 10;
  bytes[at] = 0x78;
  await Deno.writeFile(folder.at(known), bytes);
  const damaged = await run(known);
  assert.equal(damaged.code, 1);
  assert.match(damaged.err, /^Cannot use the model 'known\.safetensors': its landmarks is '/);
});
