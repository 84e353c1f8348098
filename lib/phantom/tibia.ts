/**
 * The bones below and before the femur: tibia with plateau, spines and tuberosity, fibula, patella.
 */
import type { Anatomy } from "./anatomy.ts";
import type { Bone } from "./femur.ts";
import { ellipse, mix, type Shape, smoothMax, smoothMin, smoothStep, tube } from "./shapes.ts";

/** The tibia, and the height of its plateau for what lies on it. */
export interface Tibia extends Bone {
  /** Height z of the bone's upper surface at a point, mm. */
  readonly top: (x: number, y: number) => number;
}

/** Level of the bone's upper surface under the condyles, mm. */
const LEVEL = 2.9;

/** Models the tibia of a person. */
export function tibia(a: Anatomy): Tibia {
  const top = (x: number, y: number): number => {
    const inner = ((x - 21) * (x - 21)) / 240 + (y * y) / 220;
    const dish = 2.2 / (1 + inner * inner) - 0.6;
    const medial = _bump(x - 4.5, y + 1, 3.2, 9);
    const lateral = _bump(x + 4.5, y - 1, 3, 7);
    return LEVEL + a.plateauSlope * y + (x > 0 ? dish : 0.3 * dish) -
      a.spines * medial - 0.85 * a.spines * lateral;
  };
  const side = (x: number, y: number, z: number): number => {
    const wide = mix(a.plateauWidth, 14.5, smoothStep((z - 8) / 66));
    const deep = mix(25, 14.5, smoothStep((z - 9) / 62));
    const centre = mix(3, -5, smoothStep((z - 4) / 50)) + a.lean[1] * Math.max(z - 10, 0);
    const column = ellipse(x, y - centre, wide, deep);
    if (z > 62) return column;
    const p = (x + 4) / 11;
    const q = (y + 15) / 11;
    const s = (z - 35) / 19;
    const tuberosity = 11 * (Math.sqrt(p * p + q * q + s * s) - 1);
    // Between the condyles the back is hollow; the posterior cruciate ligament ends there.
    const hollow = 8 - Math.sqrt(x * x + (y - 32) * (y - 32)) - 0.15 * Math.max(z - 4, 0);
    return smoothMax(smoothMin(column, tuberosity, 9), hollow, 3);
  };
  const bone: Shape = {
    box: [-40, 40, -40, 48, -9, 170],
    distance: (x, y, z) => z > 30 ? side(x, y, z) : smoothMax(side(x, y, z), top(x, y) - z, 3),
  };
  const cartilage: Shape = {
    box: [-37, 37, -24, 29, -5, 9],
    distance(x, y, z) {
      const above = top(x, y) - a.cartilage - z;
      if (above > 4) return above;
      const plate = Math.max(7.5 - Math.abs(x), z - top(x, y) - 2);
      return Math.max(above, plate, side(x, y, z) + 2);
    },
  };
  return { bone, cartilage, top, shell: (z) => 1 + 2.2 * smoothStep((z - 45) / 40) };
}

function _bump(u: number, v: number, a: number, b: number): number {
  const s = 1 + 0.5 * ((u * u) / (a * a) + (v * v) / (b * b));
  return 1 / (s * s);
}

/** Models the fibula: its head behind the lateral edge of the tibia, and the shaft. */
export function fibula(): Shape {
  return tube([[-32, 22, 15, 5], [-31.5, 22, 21, 9.5], [-31, 23, 36, 6.5], [-29, 25, 160, 6]]);
}

/** Models the patella: rounded in front, two facets behind that meet in a ridge. */
export function patella(a: Anatomy): Bone {
  const [cx, cy, cz] = a.patella;
  const size = a.patellaSize;
  const [wide, deep, high] = [22.5 * size, 13 * size, 20.5 * size];
  const facets = (x: number, y: number, z: number): number => {
    const off = x - cx - 3;
    const facet = off > 0 ? 0.55 * off : -0.34 * off;
    return (y - cy - 8.5 * size + facet + 0.004 * (z - cz + 3) * (z - cz + 3)) * 0.88;
  };
  const body = (x: number, y: number, z: number): number => {
    const p = (x - cx) / wide;
    const q = (y - cy) / deep;
    // Blunt above, pointed below.
    const s = (z - cz) / (z < cz ? high : high * 1.08);
    const k0 = Math.sqrt(p * p + q * q + s * s);
    const k1 = Math.sqrt(
      (p * p) / (wide * wide) + (q * q) / (deep * deep) + (s * s) / (high * high),
    );
    return k1 < 1e-9 ? -deep : (k0 * (k0 - 1)) / k1;
  };
  const bone: Shape = {
    box: [cx - wide, cx + wide, cy - deep, cy + deep, cz - high, cz + high * 1.1],
    distance: (x, y, z) => smoothMax(body(x, y, z), facets(x, y, z), 2),
  };
  const cartilage: Shape = {
    box: [cx - wide, cx + wide, cy - 4, cy + deep + 4, cz - high, cz + high * 0.75],
    distance(x, y, z) {
      const plate = Math.max(body(x, y, z) - 1, z - cz - 0.62 * high, cy - y);
      return smoothMax(facets(x, y, z) - 1.25 * a.cartilage, plate, 2);
    },
  };
  return { bone, cartilage, shell: () => 1.1 };
}
