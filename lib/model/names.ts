/** The tensors of an MRNet under the names that the original class gives them. */
import type { Network } from "../network/network.ts";
import {
  convolutionsOf,
  convolutionState,
  type Parameter,
  parametersOf,
  statisticsOf,
} from "../network/parameters.ts";

/** What the names of the network's parameters begin with. */
export const NETWORK_PREFIX = "pretrained_model.";

/** The linear layer. This is the spelling of the original class; files keep it to load there. */
export const HEAD = "classifer";

/** The parameters of a network, first layer to last. */
export function featureParameters(network: Network): Parameter[] {
  return parametersOf(network).map(_named);
}

/** The parameters of an MRNet with this network: those of the linear layer are the last. */
export function mrnetParameters(network: Network): Parameter[] {
  return [...featureParameters(network), ..._head(network)];
}

/** The running statistics of an MRNet's batch normalisations, which training leaves as they are. */
export function mrnetStatistics(network: Network): Parameter[] {
  return statisticsOf(network).map(_named);
}

/** What the network's part of an MRNet holds, parameters and statistics, in PyTorch's order. */
export function featureTensors(network: Network): Parameter[] {
  return convolutionsOf(network).flatMap((node) => {
    const { parameters, statistics } = convolutionState(node);
    return [...parameters, ...statistics].map(_named);
  });
}

/** Everything that an MRNet holds, parameters and statistics, in PyTorch's order. */
export function mrnetTensors(network: Network): Parameter[] {
  return [...featureTensors(network), ..._head(network)];
}

function _head({ channels }: Network): Parameter[] {
  return [{ name: `${HEAD}.weight`, shape: [2, channels] }, { name: `${HEAD}.bias`, shape: [2] }];
}

function _named({ name, shape }: Parameter): Parameter {
  return { name: NETWORK_PREFIX + name, shape };
}
