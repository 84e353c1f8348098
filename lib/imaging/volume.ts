/**
 * A series as an exam of MRNet's form: bytes, `[slices, 256, 256]`, turned as MRNet's are.
 *
 * @module
 */
import { DataError } from "../errors.ts";
import type { Plane } from "../terms.ts";
import type { StoredPixels } from "./dicom/pixels.ts";
import { type Turn, turnToMRNet } from "./geometry.ts";
import { type GreySlice, quantise, valuesOf, windowOf } from "./grey_values.ts";
import { type SliceGrid, SquareResampler } from "./resample.ts";
import type { Series } from "./series.ts";

/** Rows and columns of MRNet's exams. */
export const MRNET_SIDE = 256;

/** An exam in MRNet's form. */
export interface ImportedExam {
  /** `[slices, 256, 256]`. */
  readonly shape: readonly [number, number, number];
  readonly data: Uint8Array;
  readonly plane: Plane;
}

/**
 * Makes an exam of a series.
 *
 * @param stored the pixels of each slice, in the series' order
 * @param plane what to take the slices for where the files do not say it
 * @throws {DataError} if the plane is not known, or the slices cannot be told apart
 */
export function examOf(
  series: Series,
  stored: readonly StoredPixels[],
  plane: Plane | undefined = series.plane,
): ImportedExam {
  const [{ instance, frame }] = series.slices;
  if (plane === undefined) {
    throw new DataError(
      `Cannot import series '${series.uid}': its files do not say where their slices lie: ` +
        "give the plane by --plane",
    );
  }
  if (series.ambiguous) {
    throw new DataError(
      `Cannot import series '${series.uid}': several slices lie at the same place and nothing ` +
        "tells them apart: export the series anew, one echo or time at a time",
    );
  }
  const { rows, columns } = instance.layout;
  const grid: SliceGrid = { rows, columns, spacing: frame.spacing ?? [1, 1] };
  const turn = series.plane === undefined || frame.orientation === undefined
    ? AS_IT_IS
    : turnToMRNet(...frame.orientation, series.plane);
  const resampler = new SquareResampler(_turnedGrid(grid, turn), MRNET_SIDE);
  const slices = series.slices.map((slice, index): GreySlice => ({
    stored: stored[index],
    slope: slice.frame.slope,
    intercept: slice.frame.intercept,
    inverted: slice.instance.layout.photometric === "MONOCHROME1",
    padding: slice.instance.padding,
  }));
  const window = windowOf(slices);
  const size = MRNET_SIDE ** 2;
  const data = new Uint8Array(slices.length * size);
  slices.forEach((slice, index) => {
    const turned = _turned(valuesOf(slice, window), grid, turn);
    data.set(quantise(resampler.resample(turned, window.low), window), index * size);
  });
  return { shape: [slices.length, MRNET_SIDE, MRNET_SIDE], data, plane };
}

const AS_IT_IS: Turn = { transpose: false, flipDown: false, flipAcross: false };

function _turnedGrid(grid: SliceGrid, { transpose }: Turn): SliceGrid {
  if (!transpose) return grid;
  const [dy, dx] = grid.spacing;
  return { rows: grid.columns, columns: grid.rows, spacing: [dx, dy] };
}

function _turned(values: Float64Array, grid: SliceGrid, turn: Turn): Float64Array {
  const { transpose, flipDown, flipAcross } = turn;
  if (!transpose && !flipDown && !flipAcross) return values;
  const { rows, columns } = _turnedGrid(grid, turn);
  const turned = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) {
    const fromRow = flipDown ? rows - 1 - row : row;
    for (let column = 0; column < columns; column++) {
      const fromColumn = flipAcross ? columns - 1 - column : column;
      turned[row * columns + column] = transpose
        ? values[fromColumn * grid.columns + fromRow]
        : values[fromRow * grid.columns + fromColumn];
    }
  }
  return turned;
}
