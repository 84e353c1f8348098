/** The networks that an MRNet can have. */
import { ALEXNET } from "./alexnet.ts";
import type { Network } from "./network.ts";
import { RESNET18, RESNET34 } from "./resnet.ts";

/** The name of a network, as torchvision spells it: `alexnet` is that of MRNet's paper. */
export type NetworkName = "alexnet" | "resnet18" | "resnet34";

/** All of them. */
export const NETWORK_NAMES = [
  "alexnet",
  "resnet18",
  "resnet34",
] as const satisfies readonly NetworkName[];

const NETWORKS: Readonly<Record<NetworkName, Network>> = {
  alexnet: ALEXNET,
  resnet18: RESNET18,
  resnet34: RESNET34,
};

/** The description of a network. */
export function networkOf(name: NetworkName): Network {
  return NETWORKS[name];
}
