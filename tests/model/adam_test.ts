import assert from "node:assert/strict";
import { createRandom } from "../../lib/random.ts";
import { Adam, type AdamOptions } from "../../lib/model/adam.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import type { MRNet } from "../../lib/model/mrnet.ts";
import * as tf from "../support/tf.ts";
import { onEachEngine } from "../support/engines.ts";
import { tinyModel } from "../support/tiny_model.ts";

/** Adam in double precision, by the formula of the paper; what the tensors are held against. */
function reference(start: number[], gradients: number[][], options: Required<AdamOptions>) {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const parameter = [...start];
  const first = start.map(() => 0);
  const second = start.map(() => 0);
  gradients.forEach((gradient, step) => {
    gradient.forEach((each, i) => {
      const g = each + weightDecay * parameter[i];
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      const mean = first[i] / (1 - beta1 ** (step + 1));
      const variance = second[i] / (1 - beta2 ** (step + 1));
      parameter[i] -= learningRate * mean / (Math.sqrt(variance) + epsilon);
    });
  });
  return parameter;
}

const DEFAULTS = { learningRate: 1e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

/** Takes the steps on the engine and returns where the parameter ends. */
async function run(start: number[], gradients: number[][], options: AdamOptions) {
  const parameter = tf.tidy(() => tf.variable(tf.tensor1d(start)));
  const adam = new Adam(new Map([["p", parameter]]), options);
  for (const gradient of gradients) {
    const tensor = tf.tensor1d(gradient);
    adam.step(new Map([["p", tensor]]));
    tensor.dispose();
  }
  assert.equal(adam.steps, gradients.length);
  const end = [...await parameter.data()];
  adam.dispose();
  parameter.dispose();
  return end;
}

onEachEngine("Adam follows its formula over many steps", async () => {
  const random = createRandom(4, "adam");
  const draw = (scale: number) => Array.from({ length: 6 }, () => random.uniform(-scale, scale));
  const start = draw(1);
  // Gradients of very different size, as layers of a network have them.
  const gradients = Array.from({ length: 12 }, (_, i) => draw(10 ** (i % 5 - 3)));
  for (
    const options of [
      { ...DEFAULTS, learningRate: 1e-2 },
      { ...DEFAULTS, learningRate: 1e-2, weightDecay: 0 },
      { learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 1 },
    ]
  ) {
    const expected = reference(start, gradients, options);
    const actual = await run(start, gradients, options);
    actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 2e-6, `${i}: ${value}`));
  }
});

onEachEngine("the first step goes against the gradient by the learning rate", async () => {
  const options = { learningRate: 0.5, weightDecay: 0 };
  const end = await run([1, 1, 1], [[100, -1e-3, 0]], options);
  [0.5, 1.5, 1].forEach((expected, i) => assert.ok(Math.abs(end[i] - expected) < 1e-4));
});

onEachEngine("the defaults are the reference's", async () => {
  const gradients = [[0.3, -2], [0.1, 5], [-1, 0]];
  const expected = await run([0.5, -0.5], gradients, DEFAULTS);
  assert.deepEqual(await run([0.5, -0.5], gradients, {}), expected);
}, { engines: ["cpu"] });

onEachEngine("weight decay shrinks a parameter that has no gradient", async () => {
  const [shrunk] = await run([1], [[0], [0]], { learningRate: 0.1, weightDecay: 0.1 });
  assert.ok(shrunk < 0.85, `${shrunk}`);
  const [kept] = await run([1], [[0], [0]], { learningRate: 0.1, weightDecay: 0 });
  assert.equal(kept, 1);
}, { engines: ["cpu"] });

onEachEngine("a changed learning rate holds from the next step on", () => {
  const parameter = tf.tidy(() => tf.variable(tf.scalar(1)));
  const gradient = tf.scalar(1);
  const adam = new Adam(new Map([["p", parameter]]), { learningRate: 0.1, weightDecay: 0 });
  const step = () => {
    adam.step(new Map([["p", gradient]]));
    return parameter.dataSync()[0];
  };
  const [first, second] = [step(), step()];
  adam.learningRate = 1e-4;
  const third = step();
  assert.ok(first - second > 0.09);
  assert.ok(second - third < 2e-4 && second - third > 0);
  adam.dispose();
  tf.dispose([parameter, gradient]);
}, { engines: ["cpu"] });

onEachEngine("steps keep two moments a parameter and nothing else, disposing frees them", () => {
  const parameters = new Map(["a", "b"].map((name) => {
    return [name, tf.tidy(() => tf.variable(tf.zeros([3, 2])))] as const;
  }));
  const gradients = new Map(["a", "b"].map((name) => [name, tf.ones([3, 2])] as const));
  const before = tf.memory().numTensors;
  const adam = new Adam(parameters);
  for (let i = 0; i < 5; i++) adam.step(gradients);
  assert.equal(tf.memory().numTensors, before + 4);
  adam.dispose();
  assert.equal(tf.memory().numTensors, before);
  tf.dispose([...parameters.values(), ...gradients.values()]);
});

onEachEngine("goes on from a state with the same bits", async () => {
  const random = createRandom(9, "adam");
  const gradients = Array.from(
    { length: 7 },
    () => Array.from({ length: 6 }, () => random.uniform(-1, 1)),
  );
  const options = { learningRate: 1e-2 };
  const start = [0.1, -0.2, 0.3, 1, -1, 0];
  const whole = await run(start, gradients, options);

  const parameter = tf.tidy(() => tf.variable(tf.tensor1d(start)));
  const parameters = new Map([["p", parameter]]);
  const step = (adam: Adam, gradient: number[]) =>
    tf.tidy(() => adam.step(new Map([["p", tf.tensor1d(gradient)]])));
  const first = new Adam(parameters, options);
  for (const gradient of gradients.slice(0, 4)) step(first, gradient);
  const state = await first.state();
  // The state is a copy: what comes after it does not change it.
  const before = [...state.first.get("p")!];
  const values = [...await parameter.data()];
  step(first, gradients[0]);
  await parameter.data();
  assert.deepEqual([...state.first.get("p")!], before);
  first.dispose();
  tf.tidy(() => parameter.assign(tf.tensor1d(values)));

  const second = new Adam(parameters, options);
  second.restore(state);
  for (const gradient of gradients.slice(4)) step(second, gradient);
  assert.equal(second.steps, 7);
  assert.deepEqual([...await parameter.data()], whole);
  second.dispose();
  parameter.dispose();
});

onEachEngine("a network on TensorFlow.js's operations goes on with the same bits", async () => {
  const exams = [[0, 20], [1, 120], [0, 60], [1, 200]].map(([label, value], index) => ({
    label: label as 0 | 1,
    exam: {
      ...{ id: `${index}`, slices: 1, height: 4, width: 4 },
      voxels: new Float32Array(16).fill(value),
    },
  }));
  const options = { learningRate: 0.05 };
  const values = (model: MRNet) =>
    Promise.all([...model.parameters.values()].map(async (each) => [...await each.data()]));
  const whole = tinyModel();
  const network = new TensorNetwork(whole, options);
  assert.equal((await network.snapshot()).optimizer, undefined, "nothing before the first step");
  for (const exam of exams) await network.step(exam, [1, 1]);
  network.dispose();

  const model = tinyModel();
  const first = new TensorNetwork(model, options);
  for (const exam of exams.slice(0, 2)) await first.step(exam, [1, 1]);
  const { optimizer: state } = await first.snapshot();
  first.dispose();
  const second = new TensorNetwork(model, options);
  await second.restore(state!);
  for (const exam of exams.slice(2)) await second.step(exam, [1, 1]);
  second.dispose();
  assert.deepEqual(await values(model), await values(whole));
  model.dispose();
  whole.dispose();
}, { engines: ["cpu"] });
