import assert from "node:assert/strict";
import type { Exam } from "../../../lib/data/exam.ts";
import { currentGpu } from "../../../lib/engine/engine.ts";
import { initialWeights } from "../../../lib/model/initialise.ts";
import { MRNet } from "../../../lib/model/mrnet.ts";
import { createRandom } from "../../../lib/random.ts";
import { createNetwork } from "../../../lib/model/create_network.ts";
import { evaluateExam } from "../../../lib/train/exam_result.ts";
import { onEachEngine } from "../../support/engines.ts";

const webgpu = { engines: ["webgpu"] } as const;

function makeExam(slices: number, size = 64): Exam {
  const random = createRandom(slices, "exam");
  const voxels = Uint8Array.from({ length: slices * size ** 2 }, () => random.integer(256));
  return { id: "exam", slices, height: size, width: size, voxels };
}

onEachEngine("a prediction on WebGPU is what evaluation says, in our own kernels", async () => {
  const { counts } = currentGpu()!;
  const held = counts.heldBytes;
  const model = new MRNet(initialWeights(1));
  const network = await createNetwork(model);
  const exams = [makeExam(3), makeExam(1), makeExam(2, 72)];
  const before = counts.dispatches;
  // Asked all at once, they are answered one after the other.
  const predictions = await Promise.all(exams.map((exam) => model.predict(exam)));
  // Five layers, of which three in three kernels, two pools, the input and the head.
  assert.ok(counts.dispatches - before <= 3 * 20, `${counts.dispatches - before} dispatches`);
  assert.ok(counts.dispatches > before, "TensorFlow.js's own kernels predicted");
  for (const [index, exam] of exams.entries()) {
    const { logits, probability } = await evaluateExam(network, { exam, label: 0 }, [1, 1]);
    assert.deepEqual(predictions[index], { logits, probability });
  }
  // New values are seen.
  const bias = Float32Array.of(0.25, -0.5);
  model.assign("classifer.bias", bias);
  const { logits: [absent] } = await model.predict(exams[0]);
  const old = initialWeights(1).get("classifer.bias")!.data[0];
  assert.ok(Math.abs(absent - predictions[0].logits[0] - (0.25 - old)) < 1e-5);
  network.dispose();
  model.dispose();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(counts.heldBytes, held, "GPU memory was left behind");
}, webgpu);
