/** How one person's knee differs from another's: every measure that is drawn at random. */
import type { Random } from "../random.ts";
import type { Knot } from "./shapes.ts";

/** The individual measures of a knee, in mm at scale 1 unless said otherwise. */
export interface Anatomy {
  /** Which leg. A left knee is the mirror image of a right one. */
  readonly side: "left" | "right";
  /** Size of the whole knee against the reference knee. */
  readonly scale: number;
  /** Rotation in the coil about the x, y and z axes, radians. */
  readonly tilt: readonly [number, number, number];
  /** Position of the joint's centre in the coil. */
  readonly offset: readonly [number, number, number];
  /** How far the femoral shaft leans back for each mm up, and the tibial shaft for each mm down. */
  readonly lean: readonly [femur: number, tibia: number];
  /** Half the width of a femoral condyle. */
  readonly condyleWidth: number;
  /** Half axis of the condyles' lower surface from front to back. */
  readonly condyleLength: number;
  /** Half the width of the intercondylar notch. */
  readonly notchWidth: number;
  /** Angle of the roof of the notch (Blumensaat's line) against the horizontal, radians. */
  readonly notchAngle: number;
  /** How far the lateral ridge of the trochlea stands before the medial one. */
  readonly trochlea: number;
  /** Half the width of the tibial plateau. */
  readonly plateauWidth: number;
  /** How far the plateau falls for each mm towards the back. */
  readonly plateauSlope: number;
  /** Height of the tibial spines. */
  readonly spines: number;
  /** Centre of the patella. */
  readonly patella: readonly [number, number, number];
  /** Size of the patella against the reference. */
  readonly patellaSize: number;
  /** Thickness of the cartilage on femur and tibia. */
  readonly cartilage: number;
  /** Thickness of the menisci at their outer edge. */
  readonly meniscusHeight: number;
  /** Width of the menisci against the reference. */
  readonly meniscusWidth: number;
  /** Radius of the anterior cruciate ligament at its middle. */
  readonly acl: number;
  /** Thickness of the subcutaneous fat at the back and sides. */
  readonly fat: number;
  /** Girth of the muscles against the reference. */
  readonly muscle: number;
  /** Half thickness of the fluid that every healthy joint holds in the suprapatellar recess. */
  readonly fluid: number;
  /** Shift of the growth-plate scars along the leg: femur, tibia. */
  readonly physes: readonly [number, number];
  /** Septa and small vessels that run through the fat pads. */
  readonly strands: readonly (readonly Knot[])[];
}

/** Fat pads that septa and small vessels run through: middle, half axes, number of strands. */
const FAT_PADS = [
  { at: [-2, -34, -8], axes: [16, 7, 15], strands: 9 },
  { at: [0, 36, -48], axes: [17, 10, 36], strands: 9 },
  { at: [0, -33, -76], axes: [22, 4, 16], strands: 4 },
  { at: [0, 22, -62], axes: [16, 6, 16], strands: 4 },
] as const;

/** Draws a person. */
export function drawAnatomy(random: Random): Anatomy {
  /** A value around `mean`, at most `spread` away, the middle likelier than the ends. */
  const about = (mean: number, spread: number) =>
    mean + spread * 0.5 * (random.uniform(-1, 1) + random.uniform(-1, 1));
  const degrees = Math.PI / 180;
  return {
    side: random.uniform() < 0.5 ? "left" : "right",
    scale: about(1, 0.1),
    tilt: [about(0, 7 * degrees), about(0, 5 * degrees), about(0, 9 * degrees)],
    offset: [about(0, 5), about(0, 6), about(0, 7)],
    lean: [about(0.03, 0.1), about(0.08, 0.1)],
    condyleWidth: about(15, 1),
    condyleLength: about(26, 1.2),
    notchWidth: about(8.5, 1),
    notchAngle: about(46, 6) * degrees,
    trochlea: about(3, 1.5),
    plateauWidth: about(37, 1.5),
    plateauSlope: about(0.07, 0.05),
    spines: about(8, 1.5),
    patella: [about(-2, 3), about(-43.5, 1.5), about(-37, 5)],
    patellaSize: about(1, 0.1),
    cartilage: about(2.2, 0.5),
    meniscusHeight: about(7, 1),
    meniscusWidth: about(1, 0.12),
    acl: about(4.6, 0.6),
    fat: about(7, 4.5),
    muscle: about(1, 0.12),
    // Most knees hold a film, a few a visible pocket, so that fluid alone is no proof of injury.
    fluid: 0.4 + 2.4 * random.uniform() ** 3,
    physes: [about(0, 3), about(0, 3)],
    strands: FAT_PADS.flatMap((pad) =>
      Array.from({ length: pad.strands }, () => _strand(pad, random))
    ),
  };
}

/** A thin, crooked strand that begins and ends within a fat pad. */
function _strand({ at, axes }: typeof FAT_PADS[number], random: Random): Knot[] {
  const radius = random.uniform(0.35, 0.8);
  const point = () => at.map((middle, k) => middle + axes[k] * random.uniform(-0.9, 0.9));
  const [from, to] = [point(), point()];
  const middle = from.map((start, k) => (start + to[k]) / 2 + random.uniform(-2.5, 2.5));
  return [from, middle, to].map(([x, y, z]) => [x, y, z, radius]);
}
