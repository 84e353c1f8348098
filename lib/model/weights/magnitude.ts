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
 * @param sums of the weights, as {@linkcode absoluteSums} gives them, where they are known
 * @throws {WeightsError} if a layer's bound is above the limit, naming the layer
 */
export function checkMagnitude(
  network: Network,
  parameters: StateDict,
  file: string,
  sums: ReadonlyMap<string, Float64Array> = new Map(),
): void {
  if (statisticsOf(network).length > 0) return;
  let bound = MAX_VOXEL;
  for (const [name, { shape, data }] of parameters) {
    if (!name.endsWith(".weight")) continue;
    const bias = parameters.get(name.replace(/weight$/, "bias"))!.data;
    bound = _largestOutput(sums.get(name) ?? absoluteSums(data, shape[0]), bias, bound);
    if (bound <= MAX_OUTPUT) continue;
    const found = `with '${name}' values may reach ${bound.toExponential(0)}, which does not fit ` +
      "into single precision";
    throw weightsError(file, found, "the training that made it diverged, give another file");
  }
}

/**
 * The sum of each output's absolute values. It is finite if all of them are: single precision does not
 * overflow a double.
 */
export function absoluteSums(data: Float32Array, outputs: number): Float64Array {
  const sums = new Float64Array(outputs);
  const length = data.length / outputs;
  for (let output = 0, at = 0; output < outputs; output++) {
    let sum = 0;
    for (const end = at + length; at < end; at++) sum += Math.abs(data[at]);
    sums[output] = sum;
  }
  return sums;
}

function _largestOutput(sums: Float64Array, biases: Float32Array, input: number): number {
  return sums.reduce((most, sum, output) => {
    return Math.max(most, sum * input + Math.abs(biases[output]));
  }, 0);
}
