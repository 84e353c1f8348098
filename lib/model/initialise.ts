/** Initial weights, as PyTorch's layers draw them by default. */
import { createRandom } from "../random.ts";
import type { Parameter } from "../network/parameters.ts";
import { HEAD } from "./names.ts";
import { MRNET_PARAMETERS } from "./weights/mrnet.ts";
import type { NamedTensor, StateDict } from "./weights/tensors.ts";

/**
 * Draws all twelve parameters of MRNet: each weight and each bias uniform in ±1/√fan_in, where
 * fan_in is the number of inputs to one output of the layer.
 *
 * That is the default of `torch.nn.Conv2d` and `torch.nn.Linear`: `kaiming_uniform_` with a = √5
 * (K. He et al., Delving deep into rectifiers, 2015).
 *
 * @param seed a whole number; the same seed gives the same weights on every machine
 */
export function initialWeights(seed: number): StateDict {
  const state: StateDict = new Map();
  MRNET_PARAMETERS.forEach((parameter, index) => {
    // A layer's bias follows its weight and shares its fan_in.
    const weight = MRNET_PARAMETERS[index - (index % 2)];
    state.set(parameter.name, _draw(parameter, weight, seed));
  });
  return state;
}

/** Draws the two parameters of the linear layer alone; its inputs are the network's channels. */
export function initialClassifier(seed: number): StateDict {
  return new Map([...initialWeights(seed)].filter(([name]) => name.startsWith(`${HEAD}.`)));
}

function _draw({ name, shape }: Parameter, weight: Parameter, seed: number): NamedTensor {
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const bound = 1 / Math.sqrt(product(weight.shape.slice(1)));
  const random = createRandom(seed, "weights", name);
  const data = Float32Array.from({ length: product(shape) }, () => random.uniform(-bound, bound));
  return { shape: [...shape], data };
}
