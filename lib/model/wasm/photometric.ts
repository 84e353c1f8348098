/** A change of an exam's grey values as the kernel `readSlice` reads it. */
import { biasField, type PhotometricValues } from "../../data/photometric.ts";

/** Where the bias field begins, in bytes; the numbers lie ahead of it. */
const FIELD = 32;

/** What is written. */
export interface PhotometricBlock {
  values: PhotometricValues;
  /** The address of the exam's first voxel, from which the kernel counts the voxels. */
  voxels: number;
  /** Height and width of a slice. */
  size: readonly [number, number];
}

/** How many bytes a change takes. */
export function photometricBytes([height, width]: readonly [number, number]): number {
  return FIELD + 4 * height * width;
}

/** Writes a change to an address. */
export function writePhotometric(
  buffer: ArrayBufferLike,
  at: number,
  { values, voxels, size }: PhotometricBlock,
): void {
  const { gamma, noiseStd, noiseSeed, coefficients, after } = values;
  const isUneven = coefficients.some((each) => each !== 0);
  new Float32Array(buffer, at, 4).set([gamma, noiseStd, after.scale, after.offset]);
  new Uint32Array(buffer, at + 16, 3).set([noiseSeed, voxels, isUneven ? at + FIELD : 0]);
  if (!isUneven) return;
  new Float32Array(buffer, at + FIELD, size[0] * size[1]).set(biasField(coefficients, size));
}
