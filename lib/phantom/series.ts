/**
 * Where the slices of a series lie: the geometry of the scan.
 *
 * Rows and columns run as in MRNet: sagittal rows from superior to inferior and columns from anterior
 * to posterior, coronal rows from superior to inferior, axial rows from anterior to posterior, and
 * the columns of both from the person's right to left. Slices run from right to left, from anterior
 * to posterior, and from superior to inferior.
 */
import type { Random } from "../random.ts";
import type { Plane } from "../terms.ts";
import type { Anatomy } from "./anatomy.ts";
import type { Cut } from "./paint.ts";

/** The geometry of one series. */
export interface SeriesGeometry {
  /** The plane of its slices. */
  readonly plane: Plane;
  /** Number of slices. */
  readonly slices: number;
  /** Rows and columns of a slice. */
  readonly size: number;
  /** Width of a pixel, mm. */
  readonly pixelSpacing: number;
  /** Distance from the middle of one slice to that of the next, mm. */
  readonly sliceSpacing: number;
  /** Thickness of a slice, mm; what is left of the spacing is a gap. */
  readonly sliceThickness: number;
  /** Middle of the volume in the scanner: right to left, front to back, top to bottom, mm. */
  readonly centre: readonly [number, number, number];
}

/** How each series is laid out, in mm. */
const LAYOUT = {
  sagittal: { coverage: 94, widest: 7, middle: 0 },
  coronal: { coverage: 96, widest: 8, middle: -3 },
  axial: { coverage: 112, widest: 9, middle: -14 },
} as const satisfies Record<Plane, { coverage: number; widest: number; middle: number }>;

/** Middle of the field of view, mm: the joint lies a little below the middle of the image. */
const CENTRE = [0, 1, -10] as const;

/** The thickest slice that a protocol would use, mm. */
const THICKEST = 4;

/** Which way the axes of a series point in the scanner: through the slices, across, down. */
const AXES = {
  sagittal: [0, 1, 2],
  coronal: [1, 0, 2],
  axial: [2, 0, 1],
} as const satisfies Record<Plane, readonly [number, number, number]>;

/**
 * Lays out a series. About thirty slices cover the knee 3 mm apart; if there are too few for that,
 * they keep to its middle.
 */
export function layOut(
  plane: Plane,
  slices: number,
  size: number,
  random: Random,
): SeriesGeometry {
  const { coverage, widest, middle } = LAYOUT[plane];
  const centre: [number, number, number] = [...CENTRE];
  centre[AXES[plane][0]] = middle + random.uniform(-2, 2);
  const sliceSpacing = Math.min((coverage * random.uniform(0.95, 1.05)) / slices, widest);
  return {
    plane,
    slices,
    size,
    pixelSpacing: random.uniform(146, 164) / size,
    sliceSpacing,
    sliceThickness: Math.min(0.9 * sliceSpacing, THICKEST),
    centre,
  };
}

/**
 * The cut through the knee at a slice, without its values.
 *
 * @param slice which slice; fractions lie between the middles of two
 */
export function cutAt(
  geometry: SeriesGeometry,
  anatomy: Anatomy,
  slice: number,
): Omit<Cut, "values" | "grains" | "fibres"> {
  const [through, across, down] = AXES[geometry.plane];
  const { size, pixelSpacing } = geometry;
  const turn = _rotation(anatomy.tilt);
  const mirror = anatomy.side === "left" ? -1 : 1;
  const start = [...geometry.centre] as [number, number, number];
  start[through] += (slice - (geometry.slices - 1) / 2) * geometry.sliceSpacing;
  start[across] -= ((size - 1) / 2) * pixelSpacing;
  start[down] -= ((size - 1) / 2) * pixelSpacing;
  /** From the scanner's axes to the knee's, without the shift. */
  const toKnee = ([x, y, z]: readonly [number, number, number], factor: number) =>
    turn.map((row) => (row[0] * mirror * x + row[1] * y + row[2] * z) * factor) as [
      number,
      number,
      number,
    ];
  const unit = (axis: number) => [0, 1, 2].map((k) => Number(k === axis)) as typeof start;
  const shifted = start.map((value, k) => value - anatomy.offset[k]) as typeof start;
  return {
    size,
    pixel: pixelSpacing / anatomy.scale,
    origin: toKnee(shifted, 1 / anatomy.scale),
    across: toKnee(unit(across), pixelSpacing / anatomy.scale),
    down: toKnee(unit(down), pixelSpacing / anatomy.scale),
    through: toKnee(unit(through), 1),
  };
}

/** The matrix that turns about x, then y, then z. */
function _rotation([a, b, c]: readonly [number, number, number]): number[][] {
  const [sa, sb, sc] = [Math.sin(a), Math.sin(b), Math.sin(c)];
  const [ca, cb, cc] = [Math.cos(a), Math.cos(b), Math.cos(c)];
  return [
    [cb * cc, sa * sb * cc - ca * sc, ca * sb * cc + sa * sc],
    [cb * sc, sa * sb * sc + ca * cc, ca * sb * sc - sa * cc],
    [-sb, sa * cb, ca * cb],
  ];
}
