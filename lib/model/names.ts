/** The parameters of an MRNet under the names that the original class gives them. */
import type { Network } from "../network/network.ts";
import { type Parameter, parametersOf } from "../network/parameters.ts";

/** What the names of the network's parameters begin with. */
export const NETWORK_PREFIX = "pretrained_model.";

/** The linear layer. This is the spelling of the original class; files keep it to load there. */
export const HEAD = "classifer";

/** The parameters of a network, first layer to last. */
export function featureParameters(network: Network): Parameter[] {
  return parametersOf(network).map(({ name, shape }) => ({ name: NETWORK_PREFIX + name, shape }));
}

/** The parameters of an MRNet with this network: those of the linear layer are the last. */
export function mrnetParameters(network: Network): Parameter[] {
  return [
    ...featureParameters(network),
    { name: `${HEAD}.weight`, shape: [2, network.channels] },
    { name: `${HEAD}.bias`, shape: [2] },
  ];
}
