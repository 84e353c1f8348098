/**
 * A real knee through reading, a training step and a prediction, as plumbing: nobody has graded it,
 * so its labels are made up, and nothing is concluded from the metrics.
 */
import assert from "node:assert/strict";
import { type Exam, readExam } from "../lib/data/exam.ts";
import { createMRNet } from "../lib/model/create.ts";
import { PLANES } from "../lib/terms.ts";
import { train } from "../lib/train/train.ts";
import { onEachEngine } from "./support/engines.ts";

/** Real exams lie beside a checkout in some workplaces; their licence keeps them out of this one. */
const FOLDER = new URL("../../shared/realdata/pymskt-mese/npy/", import.meta.url).pathname;
const isThere = await Deno.stat(FOLDER).then(() => true, () => false);

if (!isThere) {
  Deno.test({
    name: "a real knee goes through a training step (skipped: no real data beside this checkout)",
    ignore: true,
    fn() {},
  });
} else {
  onEachEngine("a real knee in three planes goes through reading and a training step", async () => {
    const exams: Exam[] = [];
    for (const plane of PLANES) exams.push(await readExam(`${FOLDER}${plane}.npy`, plane));
    assert.deepEqual(exams.map(({ slices }) => slices), [20, 20, 24]);
    for (const { voxels, height, width } of exams) {
      assert.deepEqual([height, width], [256, 256]);
      assert.ok(voxels instanceof Uint8Array && voxels.some((value) => value > 200));
    }
    const madeUp = {
      labels: exams.map(({ id }, index) => ({ id, label: index === 0 ? 1 : 0 } as const)),
      read: (index: number) => Promise.resolve(_middle(exams[index])),
    };
    const model = await createMRNet({ weights: "none", seed: 1 });
    const { epochs } = await train(model, { train: madeUp, valid: madeUp }, { epochs: 1, seed: 1 });
    assert.ok(Number.isFinite(epochs[0].trainLoss) && Number.isFinite(epochs[0].valLoss));
    const { probability } = await model.predict(_middle(exams[2]));
    assert.ok(probability > 0 && probability < 1);
    model.dispose();
  }, { engines: ["wasm"] });
}

/** The middle two slices: enough for plumbing, and quick. */
function _middle(exam: Exam): Exam {
  const { slices, height, width } = exam;
  const from = (slices / 2 - 1) * height * width;
  return { ...exam, slices: 2, voxels: exam.voxels.slice(from, from + 2 * height * width) };
}
