/** The features of an exam: the output of AlexNet's convolutions. */

/** Channels of the last convolution. */
export const CHANNELS = 256;

/** The features of every slice of an exam, in memory. */
export interface Features {
  /** How many slices the exam has. */
  slices: number;
  /** Height of a slice's features, 7 for slices of 256 pixels. */
  height: number;
  /** Width of a slice's features. */
  width: number;
  /** `[slices, height, width, 256]` in C order; none is below 0. */
  values: Float32Array;
}
