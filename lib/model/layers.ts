/** The convolutions of the network, as every engine computes them. */

/** A convolution of AlexNet, followed by ReLU and, with `pool`, by a maximum over 3×3. */
export interface Layer {
  name: string;
  stride: number;
  padding: number;
  pool: boolean;
}

/** AlexNet's convolutions, first to last. */
export const LAYERS: readonly Layer[] = [
  { name: "pretrained_model.features.0", stride: 4, padding: 2, pool: true },
  { name: "pretrained_model.features.3", stride: 1, padding: 2, pool: true },
  { name: "pretrained_model.features.6", stride: 1, padding: 1, pool: false },
  { name: "pretrained_model.features.8", stride: 1, padding: 1, pool: false },
  { name: "pretrained_model.features.10", stride: 1, padding: 1, pool: true },
];
