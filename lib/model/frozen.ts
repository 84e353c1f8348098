/** Parameters that training leaves as they are. */
import type { Network } from "../network/network.ts";
import { convolutionsOf, convolutionState } from "../network/parameters.ts";
import { NETWORK_PREFIX } from "./names.ts";
import type { Parameters } from "./parameters.ts";

/**
 * Which of a network's convolutions are trained, or the batch normalisation behind them, first to last. If
 * none is, there is no backward pass through them.
 */
export function trainedConvolutions(frozen: ReadonlySet<string>, network: Network): boolean[] {
  return convolutionsOf(network).map((node) =>
    convolutionState(node).parameters.some(({ name }) => !frozen.has(NETWORK_PREFIX + name))
  );
}

/** The names of the parameters whose `trainable` is false. */
export function untrainable(parameters: Parameters): string[] {
  return [...parameters].filter(([, { trainable }]) => trainable === false).map(([name]) => name);
}
