/**
 * A small network with everything that ResNet-18 has, and what TensorFlow.js computes of it: what the
 * kernels of an engine are held against.
 */
import { maxOverSlices } from "../../lib/model/max_over_slices.ts";
import { mrnetParameters, NETWORK_PREFIX } from "../../lib/model/names.ts";
import type { NetworkState } from "../../lib/model/parameters.ts";
import { type Network, network, type NodeDescription } from "../../lib/network/network.ts";
import { statisticsOf } from "../../lib/network/parameters.ts";
import { featuresOf } from "../../lib/network/reference.ts";
import { createRandom } from "../../lib/random.ts";
import * as tf from "./tf.ts";
import { weightedCrossEntropy } from "../../lib/model/loss.ts";

/** How the two outputs count in the loss. */
export const WEIGHTS = [1, 2.5] as const;

/** A convolution with batch normalisation and the padding that keeps the size. */
function convolution(name: string, outputs: number, size: number, stride: number): NodeDescription {
  const padding = (size - 1) / 2;
  return { kind: "convolution", name, batchNorm: `${name}.bn`, outputs, size, stride, padding };
}

/** Everything that ResNet-18 has, once: blocks with and without a convolution in the shortcut. */
export const RESIDUAL = network({
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
export function modelOf(network: Network, seed: number): NetworkState {
  const random = createRandom(seed, "model");
  const parameters = new Map<string, tf.Variable>();
  for (const { name, shape } of mrnetParameters(network)) {
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
  for (const { name, shape: [length] } of statisticsOf(network)) {
    const [from, to] = name.endsWith("var") ? [0.2, 2] : [-0.5, 0.5];
    const values = Float32Array.from({ length }, () => random.uniform(from, to));
    statistics.set(NETWORK_PREFIX + name, values);
  }
  return { network, parameters, statistics };
}

/** Slices of noise. */
export function examOf(slices: number, height: number, width: number) {
  const random = createRandom(slices, "exam");
  const length = slices * height * width;
  const voxels = Float32Array.from({ length }, () => random.uniform(-1, 1));
  return { id: "exam", slices, height, width, voxels };
}

/** Logits and gradients by TensorFlow.js's own operations. */
export function expectedOf(
  { network, parameters, statistics }: NetworkState,
  exam: ReturnType<typeof examOf>,
) {
  const logitsOf = () => {
    const image = tf.tensor4d(exam.voxels, [exam.slices, exam.height, exam.width, 1]);
    const features = featuresOf(network, image, (name) => {
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

/** Relative, in L2 norm. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const norm = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((all, each) => all + each ** 2, 0));
  return norm(Array.from(expected, (value, at) => actual[at] - value)) / norm(expected);
}

/** Moments of the parameters that are zero everywhere. */
export function zerosOf({ parameters }: NetworkState) {
  const zeros = new Map([...parameters].map(([name, { size }]) => [name, new Float32Array(size)]));
  return { first: zeros, second: zeros };
}
