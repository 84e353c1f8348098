// A model prepares its input itself, whichever way it is asked.
import assert from "node:assert/strict";
import type { Exam } from "../../lib/data/exam.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { createMRNet, loadMRNet, saveMRNet } from "../../lib/model/create.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { createRandom } from "../../lib/random.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { onEachEngine } from "../support/engines.ts";
import { TemporaryFolder } from "../support/folders.ts";

const SIZE = { slices: 2, height: 64, width: 72 };

/** Values of 30 to 129: neither end of the range is there. */
function makeExam(): Exam {
  const random = createRandom(5, "exam");
  const voxels = Uint8Array.from({ length: 2 * 64 * 72 }, () => 30 + random.integer(100));
  return { id: "exam", ...SIZE, voxels };
}

/** The same exam with its values prepared by hand, in floats. */
function prepared({ voxels, ...exam }: Exam): Exam {
  const [least, largest] = [Math.min(...voxels), Math.max(...voxels)];
  const stretch = (value: number) => (value - least) / (largest - least) * 255;
  return { ...exam, voxels: Float32Array.from(voxels, (v) => (stretch(v) - 58.09) / 49.73) };
}

function assertNear(actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((value, index) => {
    const off = Math.abs(value - expected[index]);
    assert.ok(off <= 1e-5, `${index}: ${value}, not ${expected[index]}`);
  });
}

onEachEngine("predict and evaluate standardize what is given to the model raw", async () => {
  const exam = makeExam();
  const state = initialWeights(2);
  const [raw, standardized] = [
    new MRNet(state),
    new MRNet(state, { intensity: "standardized" }),
  ];
  const expected = await raw.predict(prepared(exam));
  const actual = await standardized.predict(exam);
  assertNear(actual.logits, expected.logits);
  const exams = {
    labels: [{ id: "a", label: 0 }, { id: "b", label: 1 }] as const,
    read: () => Promise.resolve(exam),
  };
  for (const { logits } of (await evaluate(standardized, exams)).predictions) {
    assertNear(logits, expected.logits);
  }
  const unprepared = await raw.predict(exam);
  assert.ok(Math.abs(unprepared.logits[1] - actual.logits[1]) > 1e-3, "it makes a difference");
  raw.dispose();
  standardized.dispose();
});

onEachEngine("the input is the exam's values, or these standardized", async () => {
  const exam = makeExam();
  for (
    const [intensity, { voxels }] of [["raw", exam], ["standardized", prepared(exam)]] as const
  ) {
    const model = new MRNet(initialWeights(2), { intensity });
    const input = model.input(exam);
    assert.deepEqual(input.shape, [2, 64, 72]);
    assertNear([...await input.data()], [...voxels]);
    input.dispose();
    model.dispose();
  }
});

onEachEngine("an exam of one value throughout is a number and no more", async () => {
  const model = new MRNet(initialWeights(2), { intensity: "standardized" });
  const { logits } = await model.predict({
    ...makeExam(),
    voxels: new Uint8Array(2 * 64 * 72).fill(9),
  });
  assert.ok(logits.every(Number.isFinite));
  model.dispose();
});

onEachEngine("a file keeps how the input is prepared, whatever form it goes through", async () => {
  await using folder = await TemporaryFolder.make();
  const [first, second, torch] = ["a.safetensors", "b.safetensors", "c.pth"].map((name) =>
    folder.at(name)
  );
  const model = await createMRNet({ weights: "none", seed: 1, intensity: "standardized" });
  // The model knows better than what it is told to write.
  await saveMRNet(model, first, { task: "acl" });
  model.dispose();
  await convertWeights(first, second);
  await convertWeights(second, torch);
  for (const [path, intensity] of [[second, "standardized"], [torch, "raw"]] as const) {
    const loaded = await loadMRNet(path);
    assert.deepEqual([loaded.model.intensity, loaded.card.intensity], [intensity, intensity]);
    loaded.model.dispose();
  }
  const told = await loadMRNet(torch, { intensity: "standardized" });
  assert.deepEqual([told.model.intensity, told.card.intensity], ["standardized", "standardized"]);
  told.model.dispose();
  await assert.rejects(loadMRNet(second, { intensity: "raw" }), {
    name: "OptionError",
    message:
      `Cannot use the model '${second}' with intensity raw: by its file it is standardized: ` +
      "leave the intensity out",
  });
  const further = await createMRNet({ weights: second });
  const other = await createMRNet({ weights: second, intensity: "raw" });
  const fresh = await createMRNet({ weights: "none" });
  assert.deepEqual(
    [further, other, fresh].map(({ intensity }) => intensity),
    ["standardized", "raw", "raw"],
  );
  [further, other, fresh].forEach((each) => each.dispose());
}, { engines: ["wasm"] });
