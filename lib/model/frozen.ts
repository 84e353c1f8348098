/** Parameters that training leaves as they are. */
import type { Parameters } from "./parameters.ts";
import { FEATURE_PARAMETERS } from "./weights/mrnet.ts";

/** Whether no convolution is trained, so that there is no backward pass through them. */
export function areFeaturesFrozen(frozen: ReadonlySet<string>): boolean {
  return FEATURE_PARAMETERS.every(({ name }) => frozen.has(name));
}

/** The names of the parameters whose `trainable` is false. */
export function untrainable(parameters: Parameters): string[] {
  return [...parameters].filter(([, { trainable }]) => trainable === false).map(([name]) => name);
}
