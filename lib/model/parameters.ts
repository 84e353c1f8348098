/** The trainable parameters of a model as the engine holds them. */
import type { Network } from "../network/network.ts";
import * as tf from "../tf.ts";

/** The parameters on the current engine, by their names in PyTorch. */
export type Parameters = ReadonlyMap<string, tf.Variable>;

/** What an engine needs of a model to compute it. */
export interface NetworkState {
  readonly network: Network;
  readonly parameters: Parameters;
  /** The running statistics of the batch normalisations, by their names in PyTorch. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
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
