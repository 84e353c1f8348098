/** What lies between the bones: menisci, cruciate ligaments, and the spaces that hold fluid. */
import type { Anatomy } from "./anatomy.ts";
import type { Femur } from "./femur.ts";
import { both, ellipse, ellipsoid, grown, mix, smoothMax, smoothStep } from "./shapes.ts";
import type { Knot, Shape } from "./shapes.ts";
import type { Tibia } from "./tibia.ts";

/** One of the two menisci: a C-shaped wedge on the tibial plateau, open towards the midline. */
export interface Meniscus extends Shape {
  /** Middle of the C in x and y, mm. */
  readonly centre: readonly [x: number, y: number];
  /** Half axes of its outer edge in x and y, mm. */
  readonly axes: readonly [x: number, y: number];
  /** How far inside the outer edge a point lies, mm. */
  readonly depth: (x: number, y: number) => number;
  /** How high above the tibial cartilage a point lies, mm. */
  readonly rise: (x: number, y: number, z: number) => number;
  /** Width of the wedge from its outer to its free edge at a point, mm. */
  readonly width: (y: number) => number;
  /** Thickness of the wedge at its outer edge, mm. */
  readonly height: number;
}

/** Models the medial or the lateral meniscus. */
export function meniscus(a: Anatomy, tibia: Tibia, which: "medial" | "lateral"): Meniscus {
  const medial = which === "medial";
  const [cx, cy] = medial ? [20, 3] : [-19.5, 3];
  const [rx, ry] = medial ? [19, 24] : [18, 19.5];
  const outward = medial ? 1 : -1;
  const height = a.meniscusHeight;
  const front = a.meniscusWidth * (medial ? 8 : 10);
  const back = a.meniscusWidth * (medial ? 13 : 10.5);
  const depth = (x: number, y: number) => -ellipse(x - cx, y - cy, rx, ry);
  const rise = (x: number, y: number, z: number) => tibia.top(x, y) - a.cartilage - z;
  const width = (y: number) => mix(front, back, smoothStep((y + 16) / 36));
  return {
    centre: [cx, cy],
    axes: [rx, ry],
    depth,
    rise,
    width,
    height,
    box: [cx - rx, cx + rx, cy - ry, cy + ry, -11, 8],
    distance(x, y, z) {
      const inside = depth(x, y);
      if (inside < -5) return -inside;
      const share = inside / width(y);
      const thick = height * (1 - Math.min(Math.max(share, 0), 1)) + 0.6;
      const up = rise(x, y, z);
      const open = Math.max((x - cx) * outward + 0.4 * rx, Math.abs(y - cy) - 0.52 * ry);
      return Math.max(-inside, inside - width(y), (up - thick) * 0.85, -up - 0.4, -open);
    },
  };
}

/** The course of the anterior cruciate ligament, from the femur to the tibia. */
export function aclCourse(a: Anatomy): Knot[] {
  return [
    [-a.notchWidth + 2.5, 15, -24.5, a.acl + 0.5],
    [-4.5, 3.5, -14, a.acl],
    [-0.5, -9.5, -2.5, a.acl + 1.4],
  ];
}

/** The course of the posterior cruciate ligament, from the femur to the back of the tibia. */
export function pclCourse(a: Anatomy): Knot[] {
  return [
    [a.notchWidth - 2, 2.5, -13, 5],
    [5, 10, -17, 5.2],
    [3.5, 17.5, -14.5, 5.2],
    [1, 24.5, -4, 5],
    [0, 26, 8, 4],
  ];
}

/** A space that fluid fills, and how much of it is fluid. */
export interface Pool {
  /** The space. */
  readonly shape: Shape;
  /** Share of fluid, 0 to 1. */
  readonly strength: number;
}

/**
 * The spaces of the joint that fluid fills.
 *
 * @param effusion half thickness of the fluid in the suprapatellar recess, mm; a healthy joint holds
 * up to about 2, a tense effusion 9
 */
export function fluidPools(a: Anatomy, femur: Femur, effusion: number): Pool[] {
  const t = effusion;
  const [, , patellaZ] = a.patella;
  const recess = _bent(ellipsoid(
    [0, -38 - 0.35 * t, patellaZ - 27 - 0.6 * t],
    [17 + 2.4 * t, 0.2 + t, 13 + 2.6 * t],
  ));
  const retropatellar = _bent(ellipsoid([0, -36, patellaZ + 2], [18 + t, 1.4 + 0.6 * t, 22]));
  const gutters = both(
    ellipsoid([0, -12, -30], [49, 20 + 1.2 * t, 14 + 2 * t]),
    grown(femur.bone, 0.8 + 0.62 * t),
  );
  const behind = both(
    ellipsoid([0, 29, -18], [36, 8 + t, 8 + 1.5 * t]),
    grown(femur.bone, 1.4 + 0.38 * t),
  );
  const share = smoothStep((t - 0.5) / 5.5);
  return [
    { shape: recess, strength: 1 },
    { shape: retropatellar, strength: mix(0.35, 1, share) },
    { shape: gutters, strength: mix(0.3, 1, share) },
    { shape: behind, strength: mix(0.5, 1, share) },
    { shape: notchSpace(femur), strength: mix(0.06, 0.7, share) },
  ];
}

/** The shape with its sides bent back, around the front of the femur. */
function _bent({ box: [x0, x1, y0, y1, z0, z1], distance }: Shape): Shape {
  return {
    box: [x0, x1, y0, y1 + 0.007 * x1 * x1, z0, z1],
    distance: (x, y, z) => distance(x, y - 0.007 * x * x, z),
  };
}

/** The notch between the condyles down to the tibia, which synovium and fluid fill. */
export function notchSpace(femur: Femur): Shape {
  return both(ellipsoid([0, 8, -9], [13, 21, 19]), femur.notch);
}

/** The joint space: what lies between femur and tibia where neither bone nor cartilage does. */
export function jointSpace(a: Anatomy, tibia: Tibia): Shape {
  return {
    box: [-37, 37, -24, 30, -13, 6],
    distance(x, y, z) {
      const rim = ellipse(x, y - 3, a.plateauWidth - 1, 24.5);
      const up = tibia.top(x, y) - z;
      return smoothMax(rim, Math.max(-up - 1, (up - 10) * 0.8), 3);
    },
  };
}
