/**
 * How much of the files of a study is read. Whoever reads what untrusted clients send sets limits; they
 * are checked before memory is taken.
 *
 * @module
 */

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

/** The limits of files that somebody reads for themselves: only those of the readers. */
export const NO_LIMITS: Readonly<ImagingLimits> = {
  images: Infinity,
  inflatedBytes: Infinity,
  slicePixels: Infinity,
  seriesPixels: Infinity,
};
