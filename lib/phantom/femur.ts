/**
 * The distal femur: two condyles, the trochlea between their fronts, the intercondylar notch between
 * their backs, the shaft above, and the cartilage that covers what the joint touches.
 */
import type { Anatomy } from "./anatomy.ts";
import { ellipse, mix, roundedMax, smoothMax, smoothMin, smoothStep } from "./shapes.ts";
import type { Shape } from "./shapes.ts";

/** A bone and what covers it. */
export interface Bone {
  /** The whole bone, its dense shell included. */
  readonly bone: Shape;
  /** The cartilage; where the bone is too, the bone is meant. */
  readonly cartilage: Shape;
  /** Thickness of the dense shell at a height, mm. */
  readonly shell: (z: number) => number;
}

/** The femur, and its notch for what lies in it. */
export interface Femur extends Bone {
  /** Distance into the intercondylar notch, negative inside it. */
  readonly notch: Shape;
}

/** Where the femoral condyles touch: the level of the bone's lowest points, mm. */
const LOWEST = -2.7;

/** Models the femur of a person. */
export function femur(a: Anatomy): Femur {
  const lean = a.lean[0];
  const notch = _notch(a);
  const solid = (x: number, y: number, z: number): number => {
    const shaft = _shaft(x, y, z, lean);
    // Nothing of the condyles reaches this far up.
    if (z < -72) return shaft;
    const condyles = smoothMin(
      // The condyles diverge towards the back.
      _condyle(x - 21 - 0.13 * y, y, z, a.condyleWidth, a.condyleLength - 0.5, 11.5, 0),
      _condyle(x + 20.5 + 0.1 * y, y, z, a.condyleWidth, a.condyleLength + 1.5, 9.5, a.trochlea),
      3,
    );
    // The bridge between the condyles lies deeper than they do, which makes the trochlear groove.
    const bridge = roundedMax(
      smoothMin(
        ellipse(y + 5, z + 30, 24.5, 20.5),
        ellipse(y + 15, z + 40, 13.5 + 0.4 * a.trochlea, 17),
        8,
      ),
      Math.abs(x) - 21,
      6,
    );
    return smoothMin(smoothMin(condyles, bridge, 5), shaft, 9);
  };
  const bone: Shape = {
    box: [-45, 45, -40, 36, -170, 0],
    distance: (x, y, z) => smoothMax(solid(x, y, z), -notch.distance(x, y, z), 2),
  };
  const cartilage: Shape = {
    box: [-38, 38, -40, 38, -56, 2],
    distance(x, y, z) {
      const edge = -38 - 0.28 * y - z;
      const flank = Math.abs(x) - 34.5;
      const rim = Math.max(edge, flank);
      if (rim > 4) return rim;
      const skin = solid(x, y, z) - a.cartilage;
      return Math.max(smoothMax(skin, rim, 2.5), 1 - notch.distance(x, y, z));
    },
  };
  return { bone, cartilage, notch, shell: (z) => 1.1 + 2.4 * smoothStep((-z - 52) / 40) };
}

/** One condyle: its outline from the side, swept across its width with rounded edges. */
function _condyle(
  x: number,
  y: number,
  z: number,
  width: number,
  length: number,
  back: number,
  ridge: number,
): number {
  // The outer and front corners are the roundest.
  const taper = 0.045 * Math.max(-y, 0) + 0.05 * Math.max(y - 12, 0);
  const flank = Math.abs(x) - width + taper;
  // No nearer than this; beyond it the other condyle is what counts.
  if (flank > 8) return flank;
  const outline = smoothMin(
    smoothMin(ellipse(y + 1, z + 27, length, 27 + LOWEST), ellipse(y - back, z + 22.7, 20, 20), 5),
    ellipse(y + 15 + ridge, z + 38, 15, 17),
    8,
  );
  return roundedMax(outline, flank, 12.5);
}

/** The metaphysis, which narrows to the shaft. */
function _shaft(x: number, y: number, z: number, lean: number): number {
  const up = smoothStep((-z - 24) / 62);
  const wide = mix(38.5, 14.5, up);
  const deep = mix(24, 14, smoothStep((-z - 30) / 50));
  const centre = mix(-4, -13, smoothStep((-z - 25) / 50)) + lean * Math.max(-z - 40, 0);
  return roundedMax(ellipse(x, y - centre, wide, deep), z + 24, 6);
}

/** The intercondylar notch, open towards the back and the tibia. */
function _notch(a: Anatomy): Shape {
  const down = Math.cos(a.notchAngle);
  const back = Math.sin(a.notchAngle);
  return {
    box: [-a.notchWidth, a.notchWidth, -16, 45, -48, 20],
    distance(x, y, z) {
      const roof = -((y + 9) * back + (z + 4) * down);
      return roundedMax(Math.abs(x) - a.notchWidth, roof, 7);
    },
  };
}

/** The scar of the femoral growth plate: a thin, wavy sheet across the bone. */
export function femoralPhysis(a: Anatomy): Shape {
  return _sheet(-40 + a.physes[0], -0.14);
}

/** The scar of the tibial growth plate. */
export function tibialPhysis(a: Anatomy): Shape {
  return _sheet(18 + a.physes[1], 0.1);
}

function _sheet(level: number, tilt: number): Shape {
  return {
    box: [-45, 45, -40, 40, level - 9, level + 9],
    distance(x, y, z) {
      const height = level + tilt * y + 1.6 * Math.cos(0.16 * x) + Math.sin(0.27 * y + 0.1 * x);
      return Math.abs(z - height) - 0.35;
    },
  };
}
