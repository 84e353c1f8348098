/** The trainable parameters of a model as the engine holds them. */
import type { Network } from "../network/network.ts";
import { type NetworkName, networkOf } from "../network/networks.ts";
import * as tf from "../tf.ts";
import { fromPyTorch } from "./layout.ts";
import { ModelParameters } from "./model_parameters.ts";
import { HEAD, mrnetTensors } from "./names.ts";
import type { StateDict } from "./weights/tensors.ts";

/** The parameters on the current engine, by their names in PyTorch. */
export type Parameters = ReadonlyMap<string, tf.Variable>;

/** The running statistics of the batch normalisations, by their names in PyTorch. */
export type Statistics = ReadonlyMap<string, Float32Array>;

/** What an engine needs of a model to compute it. */
export interface NetworkState {
  readonly network: Network;
  readonly parameters: Parameters;
  readonly statistics: Statistics;
}

/** The same of a model that says its network's name. */
export function networkState(
  { network, parameters, statistics }: Omit<NetworkState, "network"> & { network: NetworkName },
): NetworkState {
  return { network: networkOf(network), parameters, statistics };
}

/** Tells whether parameters were given new values: TensorFlow.js gives these a new identity. */
export class ParameterWatch {
  #known: readonly object[] = [];

  /**
   * Takes the values of the parameters unless they are those that were taken last.
   *
   * @param take copies them; if it fails, they are taken anew the next time
   */
  async update(parameters: Parameters, take: () => void | Promise<void>): Promise<void> {
    const values = _identities(parameters);
    const { length } = this.#known;
    if (length > 0 && values.every((value, index) => value === this.#known[index])) return;
    this.#known = [];
    await take();
    this.#known = values;
  }
}

/** What is another list once a parameter was given other values. */
function _identities(parameters: Parameters): readonly object[] {
  if (parameters instanceof ModelParameters) return parameters.identities;
  return [...parameters.values()].map(({ dataId }) => dataId);
}

/** The parameters in PyTorch's layout, if nobody has asked for TensorFlow.js's variables yet. */
export function asReadOf(parameters: Parameters): StateDict | undefined {
  return parameters instanceof ModelParameters ? parameters.asRead : undefined;
}

/** The linear layer's weights, `[2, channels]`, and biases, `[2]`; they are not to be changed. */
export async function headValues(
  parameters: Parameters,
): Promise<{ weight: Float32Array; bias: Float32Array }> {
  const values = async (name: string) =>
    asReadOf(parameters)?.get(name)?.data ?? await parameters.get(name)!.data<"float32">();
  return { weight: await values(`${HEAD}.weight`), bias: await values(`${HEAD}.bias`) };
}

/**
 * A model's parameters and statistics under PyTorch's names, in its order.
 *
 * @param values the parameters in PyTorch's layout; they are not copied
 */
export function stateDictOf(
  { network, statistics }: Pick<NetworkState, "network" | "statistics">,
  values: ReadonlyMap<string, Float32Array>,
): StateDict {
  return new Map(
    mrnetTensors(network).map(({ name, shape }) => {
      const data = values.get(name) ?? statistics.get(name)!.slice();
      return [name, { shape: [...shape], data }];
    }),
  );
}

/** Gives parameters the values that they have in a state dict. */
export function assignState(parameters: Parameters, state: StateDict): void {
  for (const [name, { shape }] of parameters) {
    assignParameter(parameters, name, fromPyTorch(state.get(name)!.data, shape));
  }
}

/**
 * Gives a parameter new values.
 *
 * @param name one of `parameters`
 * @param values as many as it has, in its layout
 */
export function assignParameter(
  parameters: Parameters,
  name: string,
  values: Float32Array,
): void {
  const parameter = parameters.get(name)!;
  const tensor = tf.tensor(values, parameter.shape);
  parameter.assign(tensor);
  tensor.dispose();
}
