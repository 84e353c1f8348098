/** The features of an exam: the output of the network's convolutions. */

/** The features of every slice of an exam, in memory. */
export interface Features {
  /** How many slices the exam has. */
  slices: number;
  /** Height of a slice's features, 7 for slices of 256 pixels. */
  height: number;
  /** Width of a slice's features. */
  width: number;
  /** Channels of the features, 256 of AlexNet's. */
  channels: number;
  /** `[slices, height, width, channels]` in C order; none is below 0. */
  values: Float32Array;
}
