// A model prepares its input itself, whichever way it is asked.
import assert from "node:assert/strict";
import type { Exam } from "../../lib/data/exam.ts";
import {
  type Landmarks,
  landmarksOf,
  mapToLandmarks,
  meanLandmarks,
} from "../../lib/data/landmarks.ts";
import { convertWeights } from "../../lib/model/convert.ts";
import { createMRNet, loadMRNet, saveMRNet } from "../../lib/model/create.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { createRandom } from "../../lib/random.ts";
import { explain } from "../../lib/explain/explain.ts";
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

/** The landmarks of the exam if its values were others. */
const LANDMARKS: Landmarks = meanLandmarks(
  [landmarksOf(makeExam().voxels.map((value) => value * value / 100))!],
  { type: "uint8", stretch: true },
)!;

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

onEachEngine("predict, evaluate and explain map an exam to the model's landmarks", async () => {
  const exam = makeExam();
  const state = initialWeights(2);
  using raw = new MRNet(state);
  using model = new MRNet(state, { intensity: "landmarks", landmarks: LANDMARKS });
  const voxels = mapToLandmarks(exam.voxels, LANDMARKS, "map");
  assert.ok(voxels instanceof Uint8Array && voxels.some((value, at) => value !== exam.voxels[at]));
  const expected = await raw.predict({ ...exam, voxels });
  assertNear((await model.predict(exam)).logits, expected.logits);
  const floats = { ...exam, voxels: Float32Array.from(exam.voxels, (value) => 9 * value - 1000) };
  assertNear((await model.predict(floats)).logits, expected.logits);
  assertNear((await explain(model, exam)).logits, expected.logits);
  const input = model.input(exam);
  assert.deepEqual([...await input.data()], [...voxels]);
  input.dispose();
  const exams = {
    labels: [{ id: "a", label: 0 }, { id: "b", label: 1 }] as const,
    read: () => Promise.resolve(exam),
  };
  for (const { logits } of (await evaluate(model, exams)).predictions) {
    assertNear(logits, expected.logits);
  }
  await assert.rejects(model.predict({ ...exam, voxels: exam.voxels.slice().fill(9) }), {
    name: "DataError",
    message:
      /^Cannot map exam 'exam' to a model's landmarks: the 0\.5th and the 99\.7th percentile/,
  });
});

Deno.test("a model whose input is mapped to landmarks needs some", () => {
  assert.throws(() => new MRNet(initialWeights(2), { intensity: "landmarks" }), {
    name: "OptionError",
    message: /^Cannot make a model with intensity landmarks: it has no landmarks: learn them/,
  });
  const landmarks = { ...LANDMARKS, values: LANDMARKS.values.toReversed() };
  assert.throws(() => new MRNet(initialWeights(2), { landmarks }), {
    name: "OptionError",
    message:
      "Cannot make a model with these landmarks: 11 values that rise are needed: give those of " +
      "learnLandmarks, or of a model",
  });
});

onEachEngine(
  "landmarks go with a model through its files and into its further training",
  async () => {
    await using folder = await TemporaryFolder.make();
    const [first, second, further] = ["a", "b", "c"].map((name) =>
      folder.at(`${name}.safetensors`)
    );
    using model = await createMRNet({
      ...{ weights: "none", seed: 1, intensity: "landmarks", landmarks: LANDMARKS },
    });
    await saveMRNet(model, first);
    await convertWeights(first, second);
    using loaded = await loadMRNet(second);
    assert.deepEqual(loaded.card.landmarks, LANDMARKS);
    assert.deepEqual(
      [loaded.model.intensity, loaded.model.landmarks],
      ["landmarks", LANDMARKS],
    );
    const others = { ...LANDMARKS, exams: 77 };
    // Its weights know their own landmarks; a model that is trained on others has others.
    using same = await createMRNet({ weights: second, landmarks: others });
    using other = await createMRNet({ weights: second, landmarks: others, intensity: "raw" });
    assert.deepEqual([same.landmarks, other.landmarks], [LANDMARKS, others]);
    await saveMRNet(other, further);
    using raw = await loadMRNet(further);
    assert.deepEqual([raw.card.intensity, raw.card.landmarks], ["raw", others]);
  },
  { engines: ["wasm"] },
);

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
