/**
 * The texture of tissues: a random field that fills space, the same in whichever plane it is cut.
 */
import { createRandom, type Random } from "../random.ts";

/** Points along each side of the lattice; a power of two, so that wrapping is a mask. */
const SIDE = 64;
const COARSE = 8;

/** A random value at a point, in units of the lattice's spacing; about -1 to 1, mean 0. */
export type Grain = (x: number, y: number, z: number) => number;

let _table: Float32Array | undefined;

/**
 * A person's texture: fine speckle over broad, soft blotches, repeated every 64 units.
 *
 * All persons share one table and differ in where they start in it. A table costs a fetch where a
 * hash for each voxel would cost as much as the anatomy, and filling one for each exam would take
 * longer than painting a small exam.
 *
 * @param random draws where the person starts in the table
 */
export function createGrain(random: Random): Grain {
  const table = _table ??= _fillTable(createRandom(0, "phantom grain"));
  const [u, v, w] = [random.uniform(0, SIDE), random.uniform(0, SIDE), random.uniform(0, SIDE)];
  return (x, y, z) => _interpolate(table, SIDE, x + u, y + v, z + w);
}

function _fillTable(random: Random): Float32Array {
  const blotches = Float32Array.from({ length: COARSE ** 3 }, () => random.uniform(-1, 1));
  const table = new Float32Array(SIDE ** 3);
  const ratio = COARSE / SIDE;
  for (let i = 0, at = 0; i < SIDE; i++) {
    for (let j = 0; j < SIDE; j++) {
      for (let k = 0; k < SIDE; k++, at++) {
        const coarse = _interpolate(blotches, COARSE, i * ratio, j * ratio, k * ratio);
        table[at] = 0.75 * random.uniform(-1, 1) + 0.8 * coarse;
      }
    }
  }
  return table;
}

/** Trilinear interpolation in a cubic table that repeats. */
function _interpolate(table: Float32Array, side: number, x: number, y: number, z: number): number {
  const mask = side - 1;
  const fx = Math.floor(x);
  const fy = Math.floor(y);
  const fz = Math.floor(z);
  const u = x - fx;
  const v = y - fy;
  const w = z - fz;
  const x0 = (fx & mask) * side;
  const x1 = ((fx + 1) & mask) * side;
  const y0 = fy & mask;
  const y1 = (fy + 1) & mask;
  const z0 = fz & mask;
  const z1 = (fz + 1) & mask;
  const a = table[(x0 + y0) * side + z0] * (1 - w) + table[(x0 + y0) * side + z1] * w;
  const b = table[(x0 + y1) * side + z0] * (1 - w) + table[(x0 + y1) * side + z1] * w;
  const c = table[(x1 + y0) * side + z0] * (1 - w) + table[(x1 + y0) * side + z1] * w;
  const d = table[(x1 + y1) * side + z0] * (1 - w) + table[(x1 + y1) * side + z1] * w;
  return (a * (1 - v) + b * v) * (1 - u) + (c * (1 - v) + d * v) * u;
}
