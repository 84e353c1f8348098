/** A series as an exam of MRNet's form: bytes, `[slices, 256, 256]`, turned as MRNet's are. */
import { MRNET_SIDE } from "../data/exam.ts";
import { DataError } from "../errors.ts";
import type { Plane } from "../terms.ts";
import type { FrameDecoder } from "./dicom/decoder.ts";
import type { FoundSeries } from "./found.ts";
import { type Turn, turnToMRNet, type Vector } from "./geometry.ts";
import { type GreySlice, quantise, valuesOf, windowOf } from "./grey_values.ts";
import { type SliceGrid, SquareResampler } from "./resample.ts";

/** An exam in MRNet's form. */
export interface ImportedExam {
  /** `[slices, 256, 256]`. */
  readonly shape: readonly [number, number, number];
  readonly data: Uint8Array;
  readonly plane: Plane;
}

/** Where a series' slices lie, and how large their pixels are. */
export interface ScannedGrid extends SliceGrid {
  /** The directions in which columns and rows run, if known. */
  readonly orientation?: readonly [Vector, Vector];
}

/**
 * Makes an exam of a series' slices.
 *
 * @param slices in MRNet's order
 * @param plane which plane they are in
 * @param between awaited after each step, of which there is one a slice
 */
export async function examOfSlices(
  slices: readonly GreySlice[],
  grid: ScannedGrid,
  { plane, between }: { plane: Plane; between?: () => void | Promise<void> },
): Promise<ImportedExam> {
  const turn = grid.orientation === undefined ? AS_IT_IS : turnToMRNet(...grid.orientation, plane);
  const resampler = new SquareResampler(turnedGrid(grid, turn), MRNET_SIDE);
  const window = windowOf(slices);
  const size = MRNET_SIDE ** 2;
  const data = new Uint8Array(slices.length * size);
  for (const [index, slice] of slices.entries()) {
    await between?.();
    const turned = _turned(valuesOf(slice, window), grid, turn);
    data.set(quantise(resampler.resample(turned, window.low), window), index * size);
  }
  return { shape: [slices.length, MRNET_SIDE, MRNET_SIDE], data, plane };
}

/**
 * Reads a series and makes an exam of it.
 *
 * @param options its plane, if the files do not say it, and what is called after each file and each slice,
 * and awaited
 * @throws {DataError} if the plane is not known, the slices cannot be told apart, or pixels cannot be
 * read
 */
export async function examOfSeries(
  series: FoundSeries,
  decoder: FrameDecoder,
  { plane = series.facts.plane, between }: {
    plane?: Plane;
    between?: () => void | Promise<void>;
  } = {},
): Promise<ImportedExam> {
  const { rows, columns, spacing = [1, 1], series: name } = series.facts;
  if (series.useless !== undefined) {
    throw new DataError(`Cannot make an exam of series '${name}': ${series.useless}`);
  }
  if (plane === undefined) {
    throw new DataError(
      `Cannot make an exam of series '${name}': its files do not say where their slices lie: ` +
        "give the plane by --plane",
    );
  }
  const grid = { rows, columns, spacing, orientation: series.orientation };
  return await examOfSlices(await series.read(decoder, between), grid, { plane, between });
}

/** How a slice is turned of which it is not known how it lies. */
export const AS_IT_IS: Turn = { transpose: false, flipDown: false, flipAcross: false };

/** The grid of a slice once it is turned. */
export function turnedGrid(grid: SliceGrid, { transpose }: Turn): SliceGrid {
  if (!transpose) return grid;
  const [dy, dx] = grid.spacing;
  return { rows: grid.columns, columns: grid.rows, spacing: [dx, dy] };
}

function _turned(values: Float64Array, grid: SliceGrid, turn: Turn): Float64Array {
  const { transpose, flipDown, flipAcross } = turn;
  if (!transpose && !flipDown && !flipAcross) return values;
  const { rows, columns } = turnedGrid(grid, turn);
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
