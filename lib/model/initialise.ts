/** Initial weights, as PyTorch's layers draw them by default. */
import { createRandom } from "../random.ts";
import { ALEXNET } from "../network/alexnet.ts";
import type { Network } from "../network/network.ts";
import type { Parameter } from "../network/parameters.ts";
import { HEAD, mrnetTensors } from "./names.ts";
import type { NamedTensor, StateDict } from "./weights/tensors.ts";

/**
 * Draws the parameters of an MRNet: each weight and each bias uniform in ±1/√fan_in, where fan_in is the
 * number of inputs to one output of the layer. A batch normalisation changes nothing at first: its weight
 * and running variance are 1, its bias and running mean 0.
 *
 * That is the default of `torch.nn.Conv2d`, `torch.nn.Linear` (`kaiming_uniform_` with a = √5, K. He et
 * al., Delving deep into rectifiers, 2015) and `torch.nn.BatchNorm2d`.
 *
 * @param seed a whole number; the same seed gives the same weights on every machine
 */
export function initialWeights(seed: number, network: Network = ALEXNET): StateDict {
  const state: StateDict = new Map();
  let layer: Parameter | undefined;
  for (const tensor of mrnetTensors(network)) {
    const { name, shape } = tensor;
    // A layer's bias follows its weight and shares its fan_in; a batch normalisation's are alone.
    if (shape.length > 1) layer = tensor;
    const isOwn = layer?.name.replace(/weight$/, "") === name.replace(/(weight|bias)$/, "");
    state.set(name, isOwn ? _draw(tensor, layer!, seed) : _unchanging(tensor));
  }
  return state;
}

/** Draws the two parameters of the linear layer alone; its inputs are the network's channels. */
export function initialClassifier(seed: number, network: Network = ALEXNET): StateDict {
  const all = initialWeights(seed, network);
  return new Map([...all].filter(([name]) => name.startsWith(`${HEAD}.`)));
}

/** A tensor of a batch normalisation that leaves its input as it is. */
function _unchanging({ name, shape }: Parameter): NamedTensor {
  const value = /\.(weight|running_var)$/.test(name) ? 1 : 0;
  return { shape: [...shape], data: new Float32Array(shape[0]).fill(value) };
}

function _draw({ name, shape }: Parameter, weight: Parameter, seed: number): NamedTensor {
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const bound = 1 / Math.sqrt(product(weight.shape.slice(1)));
  const random = createRandom(seed, "weights", name);
  const data = new Float32Array(product(shape));
  for (let index = 0; index < data.length; index++) data[index] = random.uniform(-bound, bound);
  return { shape: [...shape], data };
}
