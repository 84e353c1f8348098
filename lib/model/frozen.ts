/** Parameters that training leaves as they are. */
import type { Network } from "../network/network.ts";
import { featureParameters } from "./names.ts";
import type { Parameters } from "./parameters.ts";

/** Whether no convolution is trained, so that there is no backward pass through them. */
export function areFeaturesFrozen(frozen: ReadonlySet<string>, network: Network): boolean {
  return featureParameters(network).every(({ name }) => frozen.has(name));
}

/** The names of the parameters whose `trainable` is false. */
export function untrainable(parameters: Parameters): string[] {
  return [...parameters].filter(([, { trainable }]) => trainable === false).map(([name]) => name);
}
