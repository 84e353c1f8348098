/** Exported models in onnxruntime say what `predict` says, given the grey values of the file. */
import assert from "node:assert/strict";
import type { Exam } from "../../../lib/data/exam.ts";
import { INTENSITIES } from "../../../lib/data/intensity.ts";
import { landmarksOf, meanLandmarks } from "../../../lib/data/landmarks.ts";
import { startEngine } from "../../../lib/engine/engine.ts";
import { convertWeights } from "../../../lib/model/convert.ts";
import { fitRecalibration, recalibrated } from "../../../lib/metrics/recalibration.ts";
import type { RecalibrationMap } from "../../../lib/metrics/recalibration.ts";
import { concat } from "../../../lib/bytes.ts";
import { MRNet, type Prediction } from "../../../lib/model/mrnet.ts";
import { mrnetParameters, NETWORK_PREFIX } from "../../../lib/model/names.ts";
import { saveMRNet } from "../../../lib/model/create.ts";
import { elementCount, type StateDict } from "../../../lib/model/weights/tensors.ts";
import { statisticsOf } from "../../../lib/network/parameters.ts";
import type { Network } from "../../../lib/network/network.ts";
import { RESNET18, RESNET34 } from "../../../lib/network/resnet.ts";
import { createRandom } from "../../../lib/random.ts";
import { seededState } from "../../support/seeded.ts";
import { testWithPython, withFolder } from "./support.ts";

const SIZE = { slices: 3, height: 72, width: 64 };

/** An exam whose voxels a function of a random number in 0–1 and of the slice makes. */
function exam(id: string, voxel: (random: number, slice: number) => number): Exam {
  const random = createRandom(6, id);
  const area = SIZE.height * SIZE.width;
  const voxels = Float32Array.from(
    { length: SIZE.slices * area },
    (_, at) => voxel(random.uniform(0, 1), Math.floor(at / area)),
  );
  return { id, ...SIZE, voxels };
}

const EXAMS = [
  exam("bytes", (random) => Math.floor(30 + 100 * random)),
  exam("twelve_bits", (random) => Math.floor(4096 * random)),
  exam("sixteen_bits", (random) => Math.floor(65536 * random)),
  exam("negative", (random) => 300 * random - 200),
  exam("fractions", (random) => random / 1000),
  exam("constant", () => 77),
  exam("zero", () => 0),
  exam("constant_slices", (random, slice) => slice === 1 ? Math.floor(200 * random) : 40 * slice),
  exam("two_values", (random) => random < 0.5 ? 3 : 4),
];

/** Answers with an exported model's two logits and probability of each exam in a file. */
const ANSWERS = `
import json, sys, numpy, onnx, onnxruntime
path, exams, *shape = sys.argv[1:]
onnx.checker.check_model(onnx.load(path), full_check=True)
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
values = numpy.fromfile(exams, "<f4").reshape(-1, *map(int, shape))
answers = []
for exam in values:
    logits, probability = session.run(["logits", "probability"],
                                      {"exam": exam[:, None].repeat(3, 1)})
    answers.append([*logits[0].tolist(), probability[0].item()])
print(json.dumps({"answers": answers, "metadata": session.get_modelmeta().custom_metadata_map}))
`;

/** Random weights of an MRNet with a ResNet, its running statistics too. */
function resnetState(network: Network): StateDict {
  const random = createRandom(7);
  const statistics = statisticsOf(network).map(({ name, shape }) => {
    return { name: NETWORK_PREFIX + name, shape };
  });
  return new Map([...mrnetParameters(network), ...statistics].map(({ name, shape }) => {
    const length = elementCount(shape)!;
    // Those of filters and the linear layer, else around 1: a variance is above 0.
    const [middle, bound] = shape.length > 1 ? [0, Math.sqrt(6 * shape[0] / length)] : [1, 0.3];
    const data = Float32Array.from({ length }, () => middle + random.uniform(-bound, bound));
    return [name, { shape: [...shape], data }];
  }));
}

/** What a model says of an exam, and what onnxruntime says of the same exam by the exported model. */
function assertSame(
  ours: Prediction,
  [absent, present, probability]: number[],
  what: string,
): void {
  const { logits } = ours;
  const off = Math.max(Math.abs(absent - logits[0]), Math.abs(present - logits[1]));
  const found = `${what}: ${[absent, present, probability]}, not ${logits}`;
  assert.ok(off <= 1e-5 * Math.max(...logits.map(Math.abs)), found);
  // As far apart as such logits let them be: without AVX-512 onnxruntime sums in another order.
  assert.ok(Math.abs(probability - ours.probability) <= 5e-6, found);
}

/** Writes exams to a file, as {@linkcode ANSWERS} reads them. */
async function writeExams(path: string, exams: readonly Exam[]): Promise<void> {
  const bytes = exams.map(({ voxels }) =>
    new Uint8Array((voxels as Float32Array<ArrayBuffer>).buffer)
  );
  await Deno.writeFile(path, concat(bytes));
}

for (const [network, intensity] of [[RESNET18, "standardized"], [RESNET34, "raw"]] as const) {
  testWithPython(
    `${network.title}, converted, gives our logits and probability in onnxruntime`,
    ["numpy", "onnx", "onnxruntime"],
    (run) =>
      withFolder(async (folder) => {
        await startEngine("wasm");
        const exams = EXAMS.slice(0, 2);
        await writeExams(`${folder}/exams.bin`, exams);
        using model = new MRNet(resnetState(network), { intensity });
        await saveMRNet(model, `${folder}/a.safetensors`, { task: "acl" });
        await convertWeights(`${folder}/a.safetensors`, `${folder}/a.onnx`);
        const shape = Object.values(SIZE).map(String);
        const printed = await run(ANSWERS, `${folder}/a.onnx`, `${folder}/exams.bin`, ...shape);
        const { answers, metadata } = JSON.parse(printed);
        assert.equal(metadata.network, network.name);
        for (const [index, each] of exams.entries()) {
          assertSame(await model.predict(each), answers[index], each.id);
        }
      }),
  );
}

/** Landmarks of an exam whose histogram is unlike the others'. */
const LANDMARKS = meanLandmarks(
  [landmarksOf(exam("bright", (random) => Math.sqrt(random)).voxels)!],
  { type: "uint8", stretch: true },
)!;

testWithPython(
  "an exported model takes the grey values of the file, whatever its intensity",
  ["numpy", "onnx", "onnxruntime"],
  (run) =>
    withFolder(async (folder) => {
      await startEngine("cpu");
      await writeExams(`${folder}/exams.bin`, EXAMS);
      for (const intensity of INTENSITIES) {
        const model = new MRNet(seededState(8), { intensity, landmarks: LANDMARKS });
        await saveMRNet(model, `${folder}/a.safetensors`, { task: "acl" });
        await convertWeights(`${folder}/a.safetensors`, `${folder}/a.onnx`);
        const shape = Object.values(SIZE).map(String);
        const printed = await run(ANSWERS, `${folder}/a.onnx`, `${folder}/exams.bin`, ...shape);
        const { answers, metadata } = JSON.parse(printed);
        assert.equal(metadata.intensity, intensity);
        assert.match(metadata.input, /grey values as they are in the exam's file/);
        for (const [index, each] of EXAMS.entries()) {
          // The toolkit refuses an exam without landmarks; a graph cannot.
          if (intensity === "landmarks" && landmarksOf(each.voxels) === undefined) continue;
          assertSame(await model.predict(each), answers[index], `${intensity} ${each.id}`);
        }
        model.dispose();
      }
    }),
);

/** A map of each kind, fitted to what a model says of the exams; a level piece lies in the isotonic one. */
function mapsFor(logits: readonly number[]): RecalibrationMap[] {
  const sorted = logits.toSorted((a, b) => a - b);
  const labels = logits.map((logit) => sorted.indexOf(logit) >= 4 || logit === sorted[1] ? 1 : 0);
  const platt = fitRecalibration(labels, logits, "platt");
  return [platt, fitRecalibration(labels, logits, "isotonic"), {
    method: "temperature",
    temperature: 3,
  }];
}

testWithPython(
  "an exported model gives the recalibrated probability, and the logits before",
  ["numpy", "onnx", "onnxruntime"],
  (run) =>
    withFolder(async (folder) => {
      await startEngine("cpu");
      await writeExams(`${folder}/exams.bin`, EXAMS);
      const model = new MRNet(seededState(8));
      const said: Prediction[] = [];
      for (const each of EXAMS) said.push(await model.predict(each));
      for (const map of mapsFor(said.map(({ logits }) => logits[1]))) {
        model.recalibration = { map, on: "valid", exams: EXAMS.length, positives: 4 };
        await saveMRNet(model, `${folder}/a.safetensors`, { task: "acl" });
        await convertWeights(`${folder}/a.safetensors`, `${folder}/a.onnx`);
        const shape = Object.values(SIZE).map(String);
        const printed = await run(ANSWERS, `${folder}/a.onnx`, `${folder}/exams.bin`, ...shape);
        const { answers, metadata } = JSON.parse(printed);
        assert.equal(JSON.parse(metadata.recalibration).method, map.method);
        for (const [index, { logits }] of said.entries()) {
          const [, present, there] = answers[index];
          const off = Math.abs(present - logits[1]);
          assert.ok(off <= 1e-5 * Math.max(...logits.map(Math.abs)), `${map.method} ${present}`);
          // By the logit that onnxruntime computed, for a steep map makes much of a small difference.
          const { probability } = recalibrated(map, present);
          assert.ok(Math.abs(there - probability) <= 1e-4, `${map.method} ${there} ${probability}`);
        }
      }
      model.dispose();
    }),
);
