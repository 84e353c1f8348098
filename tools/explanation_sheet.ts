/**
 * Draws docs/images/explanation.png: trains a model on made-up knees, which takes some minutes, and
 * explains what it says about the first torn ligament among knees that it was not trained on.
 *
 * ```sh
 * deno run -A tools/explanation_sheet.ts
 * ```
 */
import { explain, loadMRNet, openDataset, phantom, pictures, train } from "../mod.ts";
import { writeWhole } from "../lib/files.ts";

const prevalence = { abnormal: 0.7, acl: 0.5, meniscus: 0.3 };
const exams = { task: "acl", plane: "sagittal" } as const;

const folder = await Deno.makeTempDir();
const data = `${folder}/data`;
await phantom.writePhantomDataset({
  folder: data,
  train: 80,
  valid: 24,
  size: 256,
  slices: [8, 8],
  seed: 2018,
  prevalence: { train: prevalence, valid: prevalence },
});
const { best, checkpoint } = await train({
  ...exams,
  data,
  models: `${folder}/models`,
  logs: `${folder}/logs`,
  weights: "none",
  learningRate: 5e-5,
  augment: false,
  epochs: 2,
  seed: 2018,
  engine: "wasm",
});
const { model } = await loadMRNet(checkpoint!);
const valid = await openDataset({ ...exams, data, split: "valid" });
const exam = await valid.read(valid.labels.findIndex(({ label }) => label === 1));
const title = `${exams.task} · ${exams.plane}`;
const sheet = pictures.contactSheet(exam, await explain(model, exam), title);
await Deno.mkdir("docs/images", { recursive: true });
await writeWhole("docs/images/explanation.png", await pictures.encodePng(sheet));
await Deno.remove(folder, { recursive: true });
const line = `validation AUC ${best!.valAuc}, exam ${exam.id}\n`;
await Deno.stdout.write(new TextEncoder().encode(line));
