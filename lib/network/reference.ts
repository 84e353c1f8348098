/**
 * A network in ordinary TensorFlow.js operations, which run on every engine and have gradients: the
 * reference for the kernels.
 */
import * as tf from "../tf.ts";
import { layersOf } from "./layers.ts";
import { type Convolution, IMAGE, type Network, type Node } from "./network.ts";
import { convolutionState } from "./parameters.ts";

/** What keeps a batch normalisation from dividing by 0: PyTorch's default. */
const EPSILON = 1e-5;

/** The tensors of a network by PyTorch's names; filters are `[height, width, in, out]`. */
export type TensorOf = (name: string) => tf.Tensor;

/**
 * The features of slices.
 *
 * An image of one channel stands for one that repeats it. The sum over equal channels is the channel
 * times the sum of the filters, so the convolutions that read it run on one channel with filters summed
 * over their inputs: the same function with less work. Every input of a filter gets the same gradient, as
 * it would from the repeated channel.
 *
 * @param image `[slices, height, width, 1]`, or as many channels as the network has inputs
 * @param tensorOf its parameters and statistics
 * @returns `[slices, height', width', channels]`
 */
export function featuresOf(
  network: Network,
  image: tf.Tensor4D,
  tensorOf: TensorOf,
): tf.Tensor4D {
  return tf.tidy(() => {
    const outputs: tf.Tensor4D[] = [];
    for (const { convolution, source, shortcut, relu, pool } of layersOf(network)) {
      const { filter, bias } = _folded(convolution, tensorOf);
      const x = source === IMAGE ? image : outputs[source];
      let output: tf.Tensor4D = tf.fused.conv2d({
        x,
        filter: x.shape[3] === 1 ? tf.sum(filter, 2, true) : filter,
        strides: convolution.stride,
        pad: convolution.padding,
        bias,
        activation: relu && shortcut === undefined ? "relu" : "linear",
      });
      if (shortcut !== undefined) {
        const sum: tf.Tensor4D = tf.add(output, outputs[shortcut]);
        output = relu ? tf.relu(sum) : sum;
      }
      if (pool) output = tf.maxPool(output, pool.size, pool.stride, pool.padding);
      outputs.push(output);
    }
    return outputs.at(-1)!;
  });
}

/**
 * Filters and bias of a convolution, its batch normalisation included:
 * `(conv(x) − mean) · weight / √(variance + ε) + bias` is a convolution again.
 */
function _folded(
  convolution: Node & Convolution,
  tensorOf: TensorOf,
): { filter: tf.Tensor4D; bias: tf.Tensor } {
  const { parameters, statistics } = convolutionState(convolution);
  const [filter, ...others] = parameters.map(({ name }) => tensorOf(name));
  if (convolution.batchNorm === undefined) {
    return { filter: filter as tf.Tensor4D, bias: others[0] };
  }
  const [weight, bias] = others;
  const [mean, variance] = statistics.map(({ name }) => tensorOf(name));
  const scale = tf.div(weight, tf.sqrt(tf.add(variance, EPSILON)));
  return { filter: tf.mul(filter, scale), bias: tf.sub(bias, tf.mul(mean, scale)) };
}
