/** Everything around the joint: skin, fat, muscles, tendons, collateral ligaments and vessels. */
import type { Anatomy } from "./anatomy.ts";
import { ellipse, ellipsoid, type Knot, ribbon, type Shape, tube } from "./shapes.ts";

/** Outline of the leg at several heights, mm: height, front, back, half width. */
const OUTLINE: readonly (readonly [z: number, front: number, back: number, half: number])[] = [
  [-170, -56, 72, 68],
  [-110, -57, 65, 64],
  [-75, -58, 60, 60],
  [-40, -60, 55, 56],
  [-10, -53, 54, 53],
  [20, -43.5, 58, 52],
  [45, -38, 63, 54],
  [90, -35, 66, 56],
  [170, -33, 62, 53],
];
const HIGHEST = OUTLINE[0][0];
const LOWEST = OUTLINE[OUTLINE.length - 1][0];

/** The leg's surface. Fat changes the outline at the back and sides, hardly in front. */
export function legSurface(a: Anatomy): Shape {
  const extra = a.fat - 7;
  const girth = 1 + 0.25 * (a.muscle - 1);
  const count = LOWEST - HIGHEST + 1;
  const middle = new Float64Array(count);
  const deep = new Float64Array(count);
  const half = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const front = _smoothTable(HIGHEST + k, 1) - 0.15 * extra;
    const back = _smoothTable(HIGHEST + k, 2) * girth + extra;
    middle[k] = (front + back) / 2;
    deep[k] = (back - front) / 2;
    half[k] = _smoothTable(HIGHEST + k, 3) * girth + extra;
  }
  return {
    box: [-80, 80, -75, 85, HIGHEST, LOWEST],
    distance(x, y, z) {
      const at = Math.min(Math.max(z - HIGHEST, 0), count - 1.001);
      const k = Math.floor(at);
      const t = at - k;
      const m = middle[k] + t * (middle[k + 1] - middle[k]);
      const b = deep[k] + t * (deep[k + 1] - deep[k]);
      const w = half[k] + t * (half[k + 1] - half[k]);
      // An egg: narrow in front, where the patella is.
      const s = Math.min(Math.max((y - m) / b, -1.3), 1.3);
      return ellipse(x, y - m, w * (1 + 0.13 * s), b) * 0.92;
    },
  };
}

/** Catmull-Rom interpolation in the table of outlines. */
function _smoothTable(z: number, column: 1 | 2 | 3): number {
  let k = 0;
  while (k < OUTLINE.length - 2 && z > OUTLINE[k + 1][0]) k++;
  const at = (n: number) => OUTLINE[Math.min(Math.max(n, 0), OUTLINE.length - 1)];
  const [p, q, r, s] = [at(k - 1), at(k), at(k + 1), at(k + 2)];
  const step = r[0] - q[0];
  const t = (z - q[0]) / step;
  const m0 = ((r[column] - p[column]) / Math.max(r[0] - p[0], 1)) * step;
  const m1 = ((s[column] - q[column]) / Math.max(s[0] - q[0], 1)) * step;
  const [t2, t3] = [t * t, t * t * t];
  return (2 * t3 - 3 * t2 + 1) * q[column] + (t3 - 2 * t2 + t) * m0 +
    (3 * t2 - 2 * t3) * r[column] + (t3 - t2) * m1;
}

/** Thickness of the subcutaneous fat at a point: thin in front, full at the sides and back. */
export function fatThickness(a: Anatomy, y: number): number {
  const t = Math.min(Math.max((y + 48) / 60, 0), 1);
  return 3 + (a.fat - 3) * t;
}

/** What lies under the deep fascia. */
export function underFascia(a: Anatomy, leg: Shape): Shape {
  const fat = a.fat + 2;
  const [x0, x1, y0, y1, z0, z1] = leg.box;
  return {
    box: [x0 + fat, x1 - fat, y0 + 3, y1 - fat, z0, z1],
    distance: (x, y, z) => leg.distance(x, y, z) + 1.5 + fatThickness(a, y),
  };
}

/** The muscles about the knee, as tubes along their bellies. */
export function muscles(a: Anatomy): Shape[] {
  // deno-fmt-ignore
  const bellies: Knot[][] = [
    // Vastus medialis, lateralis, intermedius.
    [[30, -18, -170, 34], [32, -15, -95, 29], [35, -16, -66, 20], [34, -25, -42, 8]],
    [[-30, -14, -170, 31], [-34, -14, -100, 25], [-37, -18, -75, 15], [-34, -25, -56, 6]],
    [[0, -32, -170, 17], [0, -34, -105, 10], [0, -33, -84, 3]],
    // Semimembranosus with semitendinosus, sartorius with gracilis, biceps femoris.
    [[17, 40, -170, 25], [19, 39, -90, 20], [25, 36, -45, 13], [32, 32, -12, 7], [32, 24, 14, 3]],
    [[46, 20, -170, 12], [44, 26, -70, 9], [42, 28, -20, 6], [37, 8, 45, 3]],
    [[-25, 40, -170, 23], [-26, 38, -95, 19], [-32, 34, -50, 13], [-38, 25, 8, 5]],
    // What fills the space behind the shaft: the short head of biceps femoris, the adductors.
    [[-20, 14, -170, 15], [-22, 17, -85, 11], [-26, 22, -50, 4]],
    [[17, 20, -170, 16], [20, 21, -90, 12], [25, 24, -50, 4]],
    // The two heads of gastrocnemius.
    [[16, 30, -48, 6], [16, 40, -26, 13], [17, 43, -2, 17], [18, 44, 30, 20], [19, 46, 170, 25]],
    [[-15, 30, -48, 6], [-15, 40, -26, 12], [-17, 43, -2, 16], [-18, 44, 30, 19], [-18, 46, 170, 24]],
    // Popliteus with soleus, tibialis anterior, the peronei.
    [[-14, 33, 4, 4], [2, 31, 28, 10], [4, 29, 60, 16], [0, 30, 170, 24]],
    [[-28, -12, 16, 4], [-28, -4, 45, 13], [-28, -2, 90, 19], [-25, 2, 170, 21]],
    [[-41, 16, 28, 4], [-39, 14, 70, 11], [-38, 14, 170, 14]],
  ];
  return bellies.map((knots) =>
    tube(knots.map(([x, y, z, radius]) => [x, y, z, radius * a.muscle] as const))
  );
}

/** The tendons of the extensors, from the thigh over the patella to the tibia. */
export function extensorTendons(a: Anatomy): Shape[] {
  const [x, y, z] = a.patella;
  const front = y - 5 * a.patellaSize;
  const [above, below] = [z - 15 * a.patellaSize, z + 16 * a.patellaSize];
  return [
    ribbon([[x, front, above, 2.9], [0, -41, -100, 3.3], [0, -38, -170, 3.8]], 11, "x"),
    ribbon([[x, front, below, 2.3], [x - 2, -37, 8, 2.4], [-4, -28, 36, 3]], 10, "x"),
    // Before the patella the fibres run on as a thin sheet.
    ribbon([[x, front - 4.5, z - 12, 1.2], [x, front - 4.5, z + 10, 1.2]], 8, "x"),
  ];
}

/** The collateral ligaments and the iliotibial band. */
export function collaterals(a: Anatomy): { medial: Shape; lateral: Shape; band: Shape } {
  const edge = a.plateauWidth;
  return {
    medial: ribbon([[edge + 3.5, -2, -29, 1.1], [edge + 2.3, -1, 2, 1.1], [30, -6, 48, 1]], 5, "y"),
    lateral: tube([[-edge - 3, 8, -27, 1.8], [-edge - 2, 15, -6, 1.6], [-34, 20, 17, 2.2]]),
    band: ribbon([[-44, -10, -120, 0.9], [-43, -12, -25, 1], [-34, -16, 12, 1.3]], 5, "y"),
  };
}

/** The retinacula: the sheet that runs from the edges of the patella around the joint. */
export function retinacula(a: Anatomy): Shape {
  const [x, y, z] = a.patella;
  const around = ellipsoid([0, y + 37, z + 2], [a.plateauWidth + 8.5, 43, 46]);
  return {
    box: [-50, 50, y - 8, 2, z - 24, z + 30],
    distance(px, py, pz) {
      const distance = Math.max(py - 2, 13 - Math.abs(px - x), Math.abs(pz - z - 3) - 25);
      return distance > 2
        ? distance
        : Math.max(distance, Math.abs(around.distance(px, py, pz)) - 0.4);
    },
  };
}

/** The popliteal vessels and nerve, and the great saphenous vein under the skin. */
export function vessels(a: Anatomy): { arteries: Shape[]; veins: Shape[]; nerves: Shape[] } {
  const side = a.plateauWidth + a.fat + 4;
  // deno-fmt-ignore
  const [artery, vein]: [Knot[], Knot[]] = [
    [[6, 26, -170, 3.2], [2, 34, -60, 3], [0, 37, -10, 2.9], [-1, 36, 20, 2.7], [-4, 30, 80, 2.4]],
    [[3, 31, -170, 3.4], [-2, 40, -60, 3.2], [-3, 43, -10, 3], [-1, 42, 20, 2.8], [-1, 35, 80, 2]],
  ];
  return {
    arteries: [tube(artery)],
    veins: [
      tube(vein),
      tube([[side + 2, 24, -170, 1.6], [side, 28, -20, 1.5], [side - 4, 12, 120, 1.3]]),
      tube([[-2, 52, 0, 1.2], [-2, 56 + a.fat / 2, 130, 1.2]]),
    ],
    nerves: [tube([[-6, 40, -170, 2.4], [-5, 46, -30, 2.2], [-4, 49, 20, 2]])],
  };
}
