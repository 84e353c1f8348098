/**
 * Where an exam's pixels lie in the patient, once it is turned and resampled: what letters, a scale bar
 * and lines of other planes are drawn by.
 */
import { MRNET_SIDE } from "../data/exam.ts";
import type { Plane } from "../terms.ts";
import type { FoundSeries } from "./found_series.ts";
import { type Turn, turnToMRNet, unit, type Vector } from "./geometry.ts";
import { squareGrid } from "./resample.ts";
import { hashNames } from "./study_names.ts";
import { AS_IT_IS, turnedGrid } from "./volume.ts";

/** Where an exam's pixels lie. Directions and positions are DICOM's: to the left, to the back, to the head. */
export interface ExamGeometry {
  /** The side of a pixel, in millimetres; none if the files do not say how large theirs are. */
  readonly pixel?: number;
  /** The directions in which columns and rows run, of length 1; none if the files do not say. */
  readonly directions?: readonly [
    across: readonly [x: number, y: number, z: number],
    down: readonly [x: number, y: number, z: number],
  ];
  /**
   * Where the centre of the first pixel lies, in millimetres: of the first slice and the last if the others
   * lie between them at equal distances, and of every slice otherwise. None without pixel and directions.
   */
  readonly positions?: readonly (readonly [x: number, y: number, z: number])[];
  /**
   * What positions are measured from, as 16 digits of a hash: those of two exams can be compared if it is
   * the same. None if the files do not say.
   */
  readonly frame?: string;
}

/** What a file says to be larger or further away than this counts as not said, in millimetres. */
export const MAX_MM = 1e6;

/** So far may a slice be from where equal distances would have it, in millimetres. */
const EQUAL_MM = 0.05;

/**
 * The geometry of the exam that is made of a series.
 *
 * @param plane the plane that it is taken for
 * @returns nothing if the files say neither how they lie nor how large their pixels are
 */
export function geometryOf(series: FoundSeries, plane: Plane): ExamGeometry | undefined {
  const { facts: { rows, columns, spacing, study }, frameOfReference } = series;
  const directions = _unitsOf(series.orientation);
  if (spacing === undefined && directions === undefined) return undefined;
  const turn = directions === undefined ? AS_IT_IS : turnToMRNet(...directions, plane);
  const grid = turnedGrid({ rows, columns, spacing: spacing ?? [1, 1] }, turn);
  const square = squareGrid(grid, MRNET_SIDE);
  const [across, down] = directions === undefined ? [] : _turned(directions, turn);
  const pixel = spacing === undefined ? 0 : _rounded(square.pixel, 6);
  const isMeasured = pixel > 0 && pixel <= MAX_MM;
  if (across === undefined || down === undefined) return isMeasured ? { pixel } : undefined;
  const lies = { directions: [_vector(across, 6), _vector(down, 6)] } as const;
  if (!isMeasured) return lies;
  // Counted from the corner that the turn puts first.
  const [dy, dx] = grid.spacing;
  const { flipDown, flipAcross } = turn;
  const right = square.firstColumn - (flipAcross ? grid.columns - 1 : 0);
  const below = square.firstRow - (flipDown ? grid.rows - 1 : 0);
  const positions = series.positions?.map((position) =>
    _vector(_sum(position, [across, right * dx], [down, below * dy]), 3)
  );
  const isSound = positions?.flat().every((each) => Math.abs(each) <= MAX_MM);
  if (positions === undefined || !isSound) return { pixel, ...lies };
  return {
    ...{ pixel, ...lies, positions: _ends(positions) },
    ...frameOfReference !== undefined && { frame: hashNames(study, frameOfReference) },
  };
}

function _unitsOf(orientation: FoundSeries["orientation"]): [Vector, Vector] | undefined {
  const [across, down] = orientation?.map(unit) ?? [];
  return across === undefined || down === undefined ? undefined : [across, down];
}

/** The directions of a slice once it is turned. */
function _turned(
  [across, down]: readonly [Vector, Vector],
  { transpose, flipAcross, flipDown }: Turn,
): [Vector, Vector] {
  const [newAcross, newDown] = transpose ? [down, across] : [across, down];
  return [_times(newAcross, flipAcross ? -1 : 1), _times(newDown, flipDown ? -1 : 1)];
}

/** The first and the last, if those between them lie at equal distances. */
function _ends(positions: readonly Vector[]): readonly Vector[] {
  const [first, last] = [positions[0], positions.at(-1)!];
  const isEven = positions.every((position, slice) => {
    const share = slice / Math.max(1, positions.length - 1);
    const expected = _sum(_times(first, 1 - share), [last, share]);
    return Math.hypot(...position.map((x, axis) => x - expected[axis])) <= EQUAL_MM;
  });
  return isEven && positions.length > 2 ? [first, last] : positions;
}

function _sum(start: Vector, ...steps: (readonly [direction: Vector, length: number])[]): Vector {
  const axis = (axis: 0 | 1 | 2) =>
    steps.reduce((sum, [direction, length]) => sum + direction[axis] * length, start[axis]);
  return [axis(0), axis(1), axis(2)];
}

function _times([x, y, z]: Vector, factor: number): Vector {
  return [x * factor, y * factor, z * factor];
}

function _vector([x, y, z]: Vector, digits: number): Vector {
  return [_rounded(x, digits), _rounded(y, digits), _rounded(z, digits)];
}

/** Never −0, which would be written like 0 and is not the same. */
function _rounded(x: number, digits: number): number {
  return Number(x.toFixed(digits)) + 0;
}
