/**
 * How long a training looks at its exams before it begins: of as many as MRNet has to train on, 30 slices
 * of 256×256 each, from the system's own memory of files. `deno run -A bench/survey.ts`.
 */
import { openDataset } from "../lib/data/dataset.ts";
import { encodeNpy } from "../lib/data/npy.ts";
import { surveyExams } from "../lib/data/survey.ts";
import { createRandom } from "../lib/random.ts";
import { bestOf } from "./best_of.ts";

const EXAMS = 1130;
/** Files that differ; the others are links to them, so that they take no room. */
const FILES = 16;
const SHAPE = [30, 256, 256];

const folder = await Deno.makeTempDir();
try {
  const exams = `${folder}/train/axial`;
  await Deno.mkdir(exams, { recursive: true });
  const idOf = (index: number) => String(index).padStart(4, "0");
  for (let index = 0; index < EXAMS; index++) {
    const path = `${exams}/${idOf(index)}.npy`;
    if (index < FILES) {
      const random = createRandom(index, "exam");
      const voxels = Uint8Array.from({ length: 30 * 256 * 256 }, () => random.integer(180));
      await Deno.writeFile(path, encodeNpy(voxels, SHAPE));
    } else await Deno.link(`${exams}/${idOf(index % FILES)}.npy`, path);
  }
  const rows = Array.from({ length: EXAMS }, (_, index) => `${idOf(index)},${index % 5 ? 0 : 1}\n`);
  await Deno.writeTextFile(`${folder}/train-acl.csv`, rows.join(""));
  const dataset = await openDataset({ data: folder, split: "train", task: "acl", plane: "axial" });
  let looked = 0;
  const seconds = await bestOf(5, async () => {
    looked = (await surveyExams(dataset, { intensity: "raw" })).checks.exams;
  });
  const line = `${looked} of ${EXAMS} training exams looked at: ${seconds.toFixed(2)} s\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
} finally {
  await Deno.remove(folder, { recursive: true });
}
