/** What a network's nodes hold, under PyTorch's names. */
import type { Convolution, Network, Node } from "./network.ts";

/** A tensor that a network has. */
export interface Parameter {
  /** Its name in PyTorch's state dict. */
  readonly name: string;
  /** Its sizes in PyTorch's layout: filters are `[out, in, height, width]`. */
  readonly shape: readonly number[];
}

/** What a convolution holds. */
export interface ConvolutionState {
  /** The parameters, which training changes: its filters first. */
  readonly parameters: readonly Parameter[];
  /** The running mean and variance of its batch normalisation, which training leaves as they are. */
  readonly statistics: readonly Parameter[];
}

/** What a convolution holds; its batch normalisation is with it. */
export function convolutionState(node: Node & Convolution): ConvolutionState {
  const { name, inputs, outputs, size, batchNorm } = node;
  const each = (suffix: string) => ({ name: `${batchNorm ?? name}.${suffix}`, shape: [outputs] });
  const filters = { name: `${name}.weight`, shape: [outputs, inputs, size, size] };
  if (batchNorm === undefined) return { parameters: [filters, each("bias")], statistics: [] };
  return {
    parameters: [filters, each("weight"), each("bias")],
    statistics: [each("running_mean"), each("running_var")],
  };
}

/** The convolutions of a network, in the order in which they are computed. */
export function convolutionsOf({ nodes }: Network): (Node & Convolution)[] {
  return nodes.filter((node) => node.kind === "convolution");
}

/** The parameters of a network, those of the first convolution first. */
export function parametersOf(network: Network): Parameter[] {
  return convolutionsOf(network).flatMap((node) => convolutionState(node).parameters);
}

/** The running statistics of a network's batch normalisations, the first convolution's first. */
export function statisticsOf(network: Network): Parameter[] {
  return convolutionsOf(network).flatMap((node) => convolutionState(node).statistics);
}
