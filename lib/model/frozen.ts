/** Parameters that training leaves as they are. */
import type { Parameters } from "./parameters.ts";
import { MRNET_PARAMETERS } from "./weights/mrnet.ts";

/** What the names of AlexNet's convolutions begin with. */
const FEATURES = "pretrained_model.";

/** The names of the parameters of the convolutions. */
export const FEATURE_PARAMETERS: readonly string[] = MRNET_PARAMETERS.map(({ name }) => name)
  .filter((name) => name.startsWith(FEATURES));

/** Whether no convolution is trained, so that there is no backward pass through them. */
export function areFeaturesFrozen(frozen: ReadonlySet<string>): boolean {
  return FEATURE_PARAMETERS.every((name) => frozen.has(name));
}

/** The names of the parameters whose `trainable` is false. */
export function untrainable(parameters: Parameters): string[] {
  return [...parameters].filter(([, { trainable }]) => trainable === false).map(([name]) => name);
}
