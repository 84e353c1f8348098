/**
 * Weights that are finite but too large: with ordinary grey values a layer's output may overflow single
 * precision.
 */
import type { Network } from "../../network/network.ts";
import { statisticsOf } from "../../network/parameters.ts";
import { type StateDict, weightsError } from "./tensors.ts";

/** The largest grey value that a model must be able to read: that of an image of 16 bits. */
const MAX_VOXEL = 65535;

/**
 * The largest output of a layer that is allowed. Single precision ends at 3.4e38, and Winograd's
 * transforms have intermediate numbers that are up to some 1e5 times an output.
 */
const MAX_OUTPUT = 1e32;

/**
 * Refuses weights with which an exam of ordinary values may overflow. A layer's output is bounded by the
 * sum of a filter's absolute weights times the bound of its input, plus the bias. A trained MRNet stays
 * below 1e15; weights of 30 throughout reach the limit.
 *
 * Through the many layers of a network with batch normalisation such a bound says nothing: a good one is
 * above any limit. There an answer that overflows is refused when it comes.
 *
 * @param parameters the layers' weights and biases under MRNet's names, first layer to last; all finite
 * @param file the file, for messages
 * @throws {WeightsError} if a layer's bound is above the limit, naming the layer
 */
export function checkMagnitude(network: Network, parameters: StateDict, file: string): void {
  if (statisticsOf(network).length > 0) return;
  let bound = MAX_VOXEL;
  for (const [name, { shape, data }] of parameters) {
    if (!name.endsWith(".weight")) continue;
    const bias = parameters.get(name.replace(/weight$/, "bias"))!.data;
    bound = _largestOutput(data, bias, shape[0], bound);
    if (bound <= MAX_OUTPUT) continue;
    const found = `with '${name}' values may reach ${bound.toExponential(0)}, which does not fit ` +
      "into single precision";
    throw weightsError(file, found, "the training that made it diverged, give another file");
  }
}

function _largestOutput(
  weights: Float32Array,
  biases: Float32Array,
  outputs: number,
  input: number,
): number {
  const length = weights.length / outputs;
  let largest = 0;
  for (let output = 0, at = 0; output < outputs; output++) {
    let sum = 0;
    for (const end = at + length; at < end; at++) sum += Math.abs(weights[at]);
    largest = Math.max(largest, sum * input + Math.abs(biases[output]));
  }
  return largest;
}
