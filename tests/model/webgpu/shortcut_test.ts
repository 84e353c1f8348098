import assert from "node:assert/strict";
import { currentGpu } from "../../../lib/engine/engine.ts";
import { maxOverSlices } from "../../../lib/model/max_over_slices.ts";
import { mrnetParameters, NETWORK_PREFIX } from "../../../lib/model/names.ts";
import {
  EVALUATION_VALUES,
  type NetworkOptions,
  WebGPUNetwork,
} from "../../../lib/model/webgpu/network.ts";
import { network, type NodeDescription } from "../../../lib/network/network.ts";
import { statisticsOf } from "../../../lib/network/parameters.ts";
import { featuresOf } from "../../../lib/network/reference.ts";
import { createRandom } from "../../../lib/random.ts";
import * as tf from "../../../lib/tf.ts";
import { weightedCrossEntropy } from "../../../lib/train/loss.ts";
import { onEachEngine } from "../../support/engines.ts";

const WEIGHTS = [1, 2.5] as const;
const BETA1 = 0.9;

/** A convolution with batch normalisation and the padding that keeps the size. */
function convolution(name: string, outputs: number, size: number, stride: number): NodeDescription {
  const padding = (size - 1) / 2;
  return { kind: "convolution", name, batchNorm: `${name}.bn`, outputs, size, stride, padding };
}

/** Everything that ResNet-18 has, once: blocks with and without a convolution in the shortcut. */
const RESIDUAL = network({
  name: "residual",
  title: "residual",
  modules: { features: "", classifier: "fc." },
  imageNetFile: "none.pth",
  inputs: 3,
  nodes: [
    convolution("first", 64, 7, 2),
    { kind: "relu" },
    { kind: "maxPool", name: "pool", size: 3, stride: 2, padding: 1 },
    convolution("one.a", 64, 3, 1),
    { kind: "relu" },
    convolution("one.b", 64, 3, 1),
    { kind: "add", shortcut: "pool" },
    { kind: "relu", name: "one" },
    convolution("two.a", 128, 3, 2),
    { kind: "relu" },
    convolution("two.b", 128, 3, 1),
    { ...convolution("two.c", 128, 1, 2), input: "one" },
    { kind: "add", shortcut: "two.b" },
    { kind: "relu" },
    { kind: "mean" },
  ],
});

/** Parameters and statistics as they might be in the middle of a training. */
function modelOf(seed: number) {
  const random = createRandom(seed, "model");
  const parameters = new Map<string, tf.Variable>();
  for (const { name, shape } of mrnetParameters(RESIDUAL)) {
    const [out, into, height, width] = shape;
    const length = shape.reduce((all, side) => all * side, 1);
    const [from, to] = name.endsWith(".bn.weight")
      ? [0.5, 1.5]
      : [-1, 1].map((side) => side / Math.sqrt(length / out));
    const values = Float32Array.from({ length }, () => random.uniform(from, to));
    const laidOut = shape.length === 4 ? [height, width, into, out] : [...shape];
    const tensor = tf.tensor(values, laidOut);
    parameters.set(name, tf.variable(tensor));
    tensor.dispose();
  }
  const statistics = new Map<string, Float32Array>();
  for (const { name, shape: [length] } of statisticsOf(RESIDUAL)) {
    const [from, to] = name.endsWith("var") ? [0.2, 2] : [-0.5, 0.5];
    const values = Float32Array.from({ length }, () => random.uniform(from, to));
    statistics.set(NETWORK_PREFIX + name, values);
  }
  return { network: RESIDUAL, parameters, statistics };
}

function examOf(slices: number, height: number, width: number) {
  const random = createRandom(slices, "exam");
  const length = slices * height * width;
  const voxels = Float32Array.from({ length }, () => random.uniform(-1, 1));
  return { id: "exam", slices, height, width, voxels };
}

type Model = ReturnType<typeof modelOf>;

/** Logits and gradients by TensorFlow.js's own operations. */
function expectedOf({ parameters, statistics }: Model, exam: ReturnType<typeof examOf>) {
  const logitsOf = () => {
    const image = tf.tensor4d(exam.voxels, [exam.slices, exam.height, exam.width, 1]);
    const features = featuresOf(RESIDUAL, image, (name) => {
      const held = statistics.get(NETWORK_PREFIX + name);
      return held ? tf.tensor1d(held) : parameters.get(NETWORK_PREFIX + name)!;
    });
    const means: tf.Tensor2D = tf.mean(features, [1, 2]);
    const weight = parameters.get("classifer.weight") as tf.Tensor2D;
    const product = tf.matMul(maxOverSlices(means), weight, false, true);
    return tf.add(product, parameters.get("classifer.bias")!) as tf.Tensor2D;
  };
  return tf.tidy(() => {
    const variables = [...parameters.values()];
    const loss = () => weightedCrossEntropy(logitsOf(), 1, WEIGHTS);
    const { grads } = tf.variableGrads(loss, variables);
    return {
      logits: logitsOf().dataSync().slice(),
      gradients: variables.map(({ name }) => grads[name].dataSync().slice() as Float32Array),
    };
  });
}

/** The same by our kernels: behind one step Adam's first moment is the gradient times 1 − β₁. */
async function actualOf(model: Model, exam: ReturnType<typeof examOf>, options: NetworkOptions) {
  const compute = new WebGPUNetwork(currentGpu()!, model, options);
  await compute.load();
  const values = {
    ...EVALUATION_VALUES,
    ...{ label: 1, weights: WEIGHTS, scale: 1, offset: 0 },
    ...{ beta1: BETA1, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  };
  // Twice: what the first pass left behind must not matter.
  for (let pass = 0; pass < 2; pass++) {
    compute.parameters.restore(_zeros(model));
    await compute.prepare(exam, true);
    compute.run(exam, values, true);
  }
  const slot = 2;
  const logits = (await compute.results()).slice(4 * slot + 1, 4 * slot + 3);
  const { first } = await compute.parameters.moments();
  compute.dispose();
  const gradients = [...first.values()].map((moment) => moment.map((each) => each / (1 - BETA1)));
  return { logits, gradients };
}

function _zeros({ parameters }: Model) {
  const zeros = new Map([...parameters].map(([name, { size }]) => [name, new Float32Array(size)]));
  return { first: zeros, second: zeros };
}

/** Relative, in L2 norm. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const norm = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((all, each) => all + each ** 2, 0));
  return norm(Array.from(expected, (value, at) => actual[at] - value)) / norm(expected);
}

const CASES: Record<string, NetworkOptions> = {
  "in registers, in chunks": { tiles: "registers", slicesAtOnce: 2 },
  "in shared memory": { tiles: "shared", winograd: false },
};

for (const [name, options] of Object.entries(CASES)) {
  onEachEngine(`a network with shortcuts is that of TensorFlow.js ${name}`, async () => {
    tf.setBackend("cpu");
    const model = modelOf(7);
    const exam = examOf(3, 44, 53);
    const expected = expectedOf(model, exam);
    tf.setBackend("webgpu");
    const actual = await actualOf(model, exam, options);
    assert.ok(difference(actual.logits, expected.logits) < 1e-5, "logits");
    [...model.parameters.keys()].forEach((parameter, index) => {
      const apart = difference(actual.gradients[index], expected.gradients[index]);
      assert.ok(apart < 1e-5, `${parameter}: ${apart}`);
    });
    for (const parameter of model.parameters.values()) parameter.dispose();
  }, { engines: ["webgpu"] });
}
