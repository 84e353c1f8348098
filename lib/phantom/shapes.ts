/**
 * Solids as signed distances: each function promises the distance in mm from a point to a surface,
 * negative inside, exact or to first order near the surface and never far too large elsewhere. That
 * is what lets the painter soften edges to the width of a pixel and leap over empty space.
 *
 * Coordinates are those of the knee: x from lateral to medial, y from anterior to posterior, z from
 * superior to inferior, in mm, with the origin between the tibial spines.
 *
 * The smooth blends follow Inigo Quilez, "Distance functions" and "Smooth minimum".
 */

/** Signed distance in mm of a point from a surface, negative inside. */
export type Distance = (x: number, y: number, z: number) => number;

/** A box in mm: smallest and largest x, then y, then z. */
export type Box = readonly [number, number, number, number, number, number];

/** A solid: its signed distance, and a box outside which there is nothing of it. */
export interface Shape {
  /** The signed distance. */
  readonly distance: Distance;
  /** Where the solid can be. */
  readonly box: Box;
}

/** A point in mm, and the radius that a tube has there. */
export type Knot = readonly [x: number, y: number, z: number, radius: number];

/** Rises from 0 to 1 as `t` does, with level ends. */
export function smoothStep(t: number): number {
  const s = t <= 0 ? 0 : t >= 1 ? 1 : t;
  return s * s * (3 - 2 * s);
}

/** The point a share `t` of the way from `a` to `b`. */
export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** Minimum with a rounded crease of width `k`: joins two solids as if modelled in clay. */
export function smoothMin(a: number, b: number, k: number): number {
  const h = k - Math.abs(a - b);
  return Math.min(a, b) - (h > 0 ? (h * h) / (4 * k) : 0);
}

/** Maximum with a rounded edge of width `k`: what two solids share. */
export function smoothMax(a: number, b: number, k: number): number {
  return -smoothMin(-a, -b, k);
}

/** What two solids share, with edges rounded to the radius `r`. */
export function roundedMax(a: number, b: number, r: number): number {
  const u = a + r;
  const v = b + r;
  if (u <= 0 || v <= 0) return Math.max(u, v) - r;
  return Math.sqrt(u * u + v * v) - r;
}

/** Distance of `(u, v)` from an ellipse about the origin with half axes `a` and `b`, first order. */
export function ellipse(u: number, v: number, a: number, b: number): number {
  const ia = 1 / a;
  const ib = 1 / b;
  const p = u * ia;
  const q = v * ib;
  const k0 = Math.sqrt(p * p + q * q);
  const k1 = Math.sqrt(p * p * ia * ia + q * q * ib * ib);
  const inmost = a < b ? -a : -b;
  if (k1 < 1e-9) return inmost;
  const d = (k0 * (k0 - 1)) / k1;
  return d < inmost ? inmost : d;
}

/** An ellipsoid about `(x, y, z)` with the given half axes. */
export function ellipsoid(
  [cx, cy, cz]: readonly [number, number, number],
  [a, b, c]: readonly [number, number, number],
): Shape {
  const inmost = -Math.min(a, b, c);
  return {
    box: [cx - a, cx + a, cy - b, cy + b, cz - c, cz + c],
    distance(x, y, z) {
      const p = (x - cx) / a;
      const q = (y - cy) / b;
      const s = (z - cz) / c;
      const k0 = Math.sqrt(p * p + q * q + s * s);
      const k1 = Math.sqrt((p * p) / (a * a) + (q * q) / (b * b) + (s * s) / (c * c));
      return k1 < 1e-9 ? inmost : Math.max((k0 * (k0 - 1)) / k1, inmost);
    },
  };
}

/** How far around its knots a tube or ribbon reaches. */
function _boxOf(knots: readonly Knot[], reach: (radius: number) => [number, number, number]): Box {
  const box: [number, number, number, number, number, number] = [1e9, -1e9, 1e9, -1e9, 1e9, -1e9];
  for (const knot of knots) {
    const around = reach(knot[3]);
    for (let axis = 0; axis < 3; axis++) {
      box[2 * axis] = Math.min(box[2 * axis], knot[axis] - around[axis]);
      box[2 * axis + 1] = Math.max(box[2 * axis + 1], knot[axis] + around[axis]);
    }
  }
  return box;
}

/** A round tube through the knots, its radius changing evenly from one knot to the next. */
export function tube(knots: readonly Knot[]): Shape {
  const segments = _segments(knots);
  return {
    box: _boxOf(knots, (radius) => [radius, radius, radius]),
    distance(x, y, z) {
      let nearest = 1e9;
      for (const s of segments) {
        const u = x - s.x;
        const v = y - s.y;
        const w = z - s.z;
        const along = (u * s.dx + v * s.dy + w * s.dz) * s.inverse;
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const p = u - t * s.dx;
        const q = v - t * s.dy;
        const r = w - t * s.dz;
        const d = Math.sqrt(p * p + q * q + r * r) - s.radius - t * s.growth;
        if (d < nearest) nearest = d;
      }
      return nearest;
    },
  };
}

/**
 * A flat band through the knots with a lens-shaped section: twice the knot's radius thick, and
 * `width` mm wider than that on either side along one axis.
 */
export function ribbon(knots: readonly Knot[], width: number, wideAlong: "x" | "y"): Shape {
  const segments = _segments(knots);
  const inX = wideAlong === "x";
  return {
    box: _boxOf(knots, (r) => inX ? [r + width, r, r] : [r, r + width, r]),
    distance(x, y, z) {
      let nearest = 1e9;
      for (const s of segments) {
        let u = x - s.x;
        let v = y - s.y;
        const w = z - s.z;
        const along = (u * s.dx + v * s.dy + w * s.dz) * s.inverse;
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        u -= t * s.dx;
        v -= t * s.dy;
        const r = w - t * s.dz;
        const radius = s.radius + t * s.growth;
        const flat = radius / (radius + width);
        if (inX) u *= flat;
        else v *= flat;
        const d = Math.sqrt(u * u + v * v + r * r) - radius;
        if (d < nearest) nearest = d;
      }
      return nearest;
    },
  };
}

function _segments(knots: readonly Knot[]) {
  return knots.slice(1).map((end, k) => {
    const start = knots[k];
    const [dx, dy, dz] = [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
    return {
      x: start[0],
      y: start[1],
      z: start[2],
      dx,
      dy,
      dz,
      inverse: 1 / Math.max(dx * dx + dy * dy + dz * dz, 1e-9),
      radius: start[3],
      growth: end[3] - start[3],
    };
  });
}

/** What two shapes share. */
export function both(a: Shape, b: Shape): Shape {
  return {
    box: [
      Math.max(a.box[0], b.box[0]),
      Math.min(a.box[1], b.box[1]),
      Math.max(a.box[2], b.box[2]),
      Math.min(a.box[3], b.box[3]),
      Math.max(a.box[4], b.box[4]),
      Math.min(a.box[5], b.box[5]),
    ],
    distance(x, y, z) {
      const first = a.distance(x, y, z);
      // Far outside the cheaper shape, the dearer one cannot matter.
      return first > 2 ? first : Math.max(first, b.distance(x, y, z));
    },
  };
}

/** The surface of a shape as a sheet, `2 * half` mm thick. */
export function sheet(shape: Shape, half: number): Shape {
  return {
    box: shape.box,
    distance: (x, y, z) => Math.abs(shape.distance(x, y, z)) - half,
  };
}

/** The shape grown by `by` mm on all sides; shrunk if negative. */
export function grown(shape: Shape, by: number): Shape {
  const [x0, x1, y0, y1, z0, z1] = shape.box;
  return {
    box: [x0 - by, x1 + by, y0 - by, y1 + by, z0 - by, z1 + by],
    distance: (x, y, z) => shape.distance(x, y, z) - by,
  };
}
