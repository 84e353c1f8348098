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

/** Those of an exam from those of its chunks, in order. */
export function joinFeatures(chunks: readonly Features[]): Features {
  if (chunks.length === 1) return chunks[0];
  const slices = chunks.reduce((all, chunk) => all + chunk.slices, 0);
  const length = chunks[0].values.length / chunks[0].slices;
  const values = new Float32Array(slices * length);
  let at = 0;
  for (const chunk of chunks) {
    values.set(chunk.values, at);
    at += chunk.values.length;
  }
  return { ...chunks[0], slices, values };
}
