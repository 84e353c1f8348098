/**
 * How much of the files of a study is read. Whoever reads what untrusted clients send sets limits; they
 * are checked before memory is taken.
 */

import { DataError } from "../errors.ts";

/** The limits of what is read. */
export interface ImagingLimits {
  /** The most images: all files, those in archives included, and all frames of each. */
  images: number;
  /** The most bytes that an archive, or a file that is compressed by itself, inflates to. */
  inflatedBytes: number;
  /** The most pixels of a slice. */
  slicePixels: number;
  /** The most pixels of a series, as they were scanned. */
  seriesPixels: number;
}

/**
 * Makes sure that a slice is no larger than allowed.
 *
 * @throws {DataError} if it is
 */
export function checkSlice(
  name: string,
  { rows, columns }: { rows: number; columns: number },
  { slicePixels }: ImagingLimits,
): void {
  if (rows * columns <= slicePixels) return;
  throw new DataError(
    `Cannot read '${name}': a slice has ${rows}×${columns} pixels, at most ${slicePixels} are read: ` +
      "leave it out",
  );
}

/** The limits of files that somebody reads for themselves: only those of the readers. */
export const NO_LIMITS: Readonly<ImagingLimits> = {
  images: Infinity,
  inflatedBytes: Infinity,
  slicePixels: Infinity,
  seriesPixels: Infinity,
};
