/**
 * Where slices lie in the patient, and how a slice is turned to be seen as MRNet's are.
 *
 * Directions are DICOM's: x grows to the patient's left, y to the back, z to the head (PS3.3,
 * C.7.6.2.1.1).
 */
import type { Plane } from "../terms.ts";

/** Three numbers: a direction, or a position in millimetres. */
export type Vector = readonly [number, number, number];

/** The directions in which a slice's columns and rows run, and in which slices follow each other. */
export interface Axes {
  /** The way from a column to the next, along a row. */
  readonly across: Vector;
  /** The way from a row to the next. */
  readonly down: Vector;
  /** The way from a slice to the next. */
  readonly through: Vector;
}

/** How MRNet's exams lie: what is on the left, on top and first. */
export const MRNET_AXES: Readonly<Record<Plane, Axes>> = {
  // From the right of the patient to the left; a slice from the front to the back, head on top.
  sagittal: { across: [0, 1, 0], down: [0, 0, -1], through: [1, 0, 0] },
  // From the front to the back; a slice from the right of the patient to the left, head on top.
  coronal: { across: [1, 0, 0], down: [0, 0, -1], through: [0, 1, 0] },
  // From the head to the feet; a slice from the right of the patient to the left, front on top.
  axial: { across: [1, 0, 0], down: [0, 1, 0], through: [0, 0, -1] },
};

/** The plane whose normal is x, y, z. */
const _PLANE_OF_AXIS: readonly Plane[] = ["sagittal", "coronal", "axial"];

/** A slice's plane, and how far it is tilted out of it. */
export interface Orientation {
  readonly plane: Plane;
  /** Between the slice's normal and the plane's, in degrees, 0 to 55. */
  readonly tilt: number;
  /** The slice's normal, of length 1. */
  readonly normal: Vector;
}

/**
 * The plane that a slice is in: the one whose normal its own is closest to.
 *
 * @param across the direction of a row, of any length but 0
 * @param down the direction of a column
 * @returns `undefined` if the two directions do not span a plane
 */
export function orientationOf(across: Vector, down: Vector): Orientation | undefined {
  const normal = unit(cross(across, down));
  if (normal === undefined) return undefined;
  const sizes = normal.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  const tilt = Math.acos(Math.min(1, sizes[axis])) * 180 / Math.PI;
  return { plane: _PLANE_OF_AXIS[axis], tilt, normal };
}

/** How a slice is turned: first its rows and columns may be swapped, then each may be reversed. */
export interface Turn {
  readonly transpose: boolean;
  readonly flipDown: boolean;
  readonly flipAcross: boolean;
}

/** How a slice is turned so that it is seen as MRNet's are. */
export function turnToMRNet(across: Vector, down: Vector, plane: Plane): Turn {
  const wanted = MRNET_AXES[plane];
  const along = (direction: Vector) => Math.abs(dot(direction, wanted.across));
  const transpose = along(down) > along(across);
  const [newAcross, newDown] = transpose ? [down, across] : [across, down];
  return {
    transpose,
    flipAcross: dot(newAcross, wanted.across) < 0,
    flipDown: dot(newDown, wanted.down) < 0,
  };
}

/** How far a position is on the way from MRNet's first slice to its last, along a normal. */
export function alongThrough(normal: Vector, plane: Plane): (position: Vector) => number {
  const sign = dot(normal, MRNET_AXES[plane].through) < 0 ? -1 : 1;
  return (position) => sign * dot(normal, position);
}

/** The dot product. */
export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** The cross product. */
export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** The same direction with length 1, or `undefined` if there is none. */
export function unit(vector: Vector): Vector | undefined {
  const length = Math.hypot(...vector);
  if (!(length > 1e-6 && Number.isFinite(length))) return undefined;
  return [vector[0] / length, vector[1] / length, vector[2] / length];
}
