import assert from "node:assert/strict";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import type { Label } from "../../lib/terms.ts";
import * as tf from "../support/tf.ts";
import { crossEntropyOf, type OutputWeights, weightedCrossEntropy } from "../../lib/model/loss.ts";
import { outputWeights } from "../../lib/train/loss_weights.ts";
import { createNetwork } from "../../lib/model/create_network.ts";
import { evaluateExam } from "../../lib/train/exam_result.ts";
import { onEachEngine } from "../support/engines.ts";

/** The loss and its gradient by the logits, from the formula and in double precision. */
function reference(logits: readonly number[], label: Label, weights: OutputWeights) {
  const targets = [1 - label, label];
  const terms = logits.map((z, o) => weights[o] * (Math.log1p(Math.exp(z)) - targets[o] * z));
  const gradient = logits.map((z, o) => weights[o] * (1 / (1 + Math.exp(-z)) - targets[o]) / 2);
  return { loss: (terms[0] + terms[1]) / 2, gradient };
}

const CASES: [logits: [number, number], label: Label, weights: OutputWeights][] = [
  [[0.3, -1.2], 0, [1, 3.5]],
  [[0.3, -1.2], 1, [1, 3.5]],
  [[-2, 4], 0, [0.2, 0.2]],
  [[-2, 4], 1, [0.8, 0.8]],
  [[5, 5], 1, [0, 2]],
];

onEachEngine("loss and gradient are those of the formula, whatever the two weights", async () => {
  for (const [logits, label, weights] of CASES) {
    const expected = reference(logits, label, weights);
    const apart = Math.abs(crossEntropyOf(logits, label, weights) - expected.loss);
    assert.ok(apart < 1e-15, `${apart} off without an engine`);
    const [loss, gradient] = tf.tidy(() => {
      const x = tf.tensor2d([logits]);
      const f = (z: tf.Tensor) => weightedCrossEntropy(z as tf.Tensor2D, label, weights);
      return [f(x), tf.grad(f)(x)];
    });
    const actual = [...await loss.data(), ...await gradient.data()];
    [expected.loss, ...expected.gradient].forEach((value, index) => {
      assert.ok(Math.abs(actual[index] - value) < 1e-5, `${actual[index]}, not ${value}`);
    });
    tf.dispose([loss, gradient]);
  }
});

Deno.test("a loss is finite far from 0, and is not where a logit is not", () => {
  assert.equal(crossEntropyOf([-1000, 1000], 1, [1, 3]), 0);
  assert.equal(crossEntropyOf([1000, -1000], 1, [1, 3]), 2000);
  assert.ok(Number.isNaN(crossEntropyOf([NaN, 0], 0, [1, 1])));
});

onEachEngine("a step weighs both outputs of its exam", async () => {
  // The linear layer's bias has the gradient of the logits; without decay and with an ε as large as
  // this, Adam's first step is −rate/ε times it.
  const options = { learningRate: 1e4, epsilon: 1e4, weightDecay: 0 };
  const voxels = Uint8Array.from({ length: 64 * 64 }, (_, at) => at % 251);
  const exam = { id: "exam", slices: 1, height: 64, width: 64, voxels };
  for (const [label, weights] of [[0, [0.25, 0.25]], [1, [2, 0.5]]] as const) {
    const model = new MRNet(initialWeights(3));
    const before = (await model.stateDict()).get("classifer.bias")!.data;
    const network = await createNetwork(model, options);
    const evaluated = await evaluateExam(network, { exam, label }, weights);
    const stepped = await network.step({ exam, label }, weights);
    const after = (await network.snapshot()).parameters.get("classifer.bias")!.data;
    network.dispose();
    model.dispose();
    const expected = reference(evaluated.logits, label, weights);
    for (const { loss } of [evaluated, stepped]) {
      assert.ok(Math.abs(loss - expected.loss) < 1e-5, `${loss}, not ${expected.loss}`);
    }
    expected.gradient.forEach((value, output) => {
      const moved = before[output] - after[output];
      assert.ok(Math.abs(moved - value) < 1e-4, `${moved}, not ${value}`);
    });
  }
  // The plain engine's step is made of the operations tested above, and takes half a minute.
}, { engines: ["webgpu", "wasm"] });

const labels = (text: string) =>
  [...text].map((label, index) => ({ id: `${index}`, label: Number(label) as Label }));

Deno.test("by output every exam has the reference's weights", () => {
  const weights = outputWeights({ labels: labels("0001") }, "output");
  assert.deepEqual([weights(0), weights(1)], [[1, 3], [1, 3]]);
});

Deno.test("by class an exam counts in inverse proportion to how frequent its class is", () => {
  for (const text of ["0001", "01", "0111111111", "0000100101"]) {
    const all = labels(text);
    const weights = outputWeights({ labels: all }, "class");
    const total = (label: Label) =>
      all.filter((each) => each.label === label).reduce((sum) => sum + weights(label)[0], 0);
    assert.ok(Math.abs(total(0) - total(1)) < 1e-12, "both classes count the same in all");
    assert.equal(weights(0)[0] + weights(1)[0], 1);
    assert.ok(([0, 1] as const).every((label) => weights(label)[0] === weights(label)[1]));
  }
});

Deno.test("a set of one class has no weights", () => {
  for (const by of ["output", "class"] as const) {
    assert.throws(() => outputWeights({ labels: labels("000") }, by), { name: "DataError" });
  }
});
