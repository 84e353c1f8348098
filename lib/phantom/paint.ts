/**
 * Paints solids onto one infinitely thin cut through the knee, back to front: each layer covers what
 * lies under it as far as it fills the pixel.
 */
import type { Plane } from "../terms.ts";
import type { Shape } from "./shapes.ts";
import { type Tissue, TISSUES } from "./tissues.ts";

/** A solid of one tissue, perhaps with a core of another. */
export interface Layer {
  /** What the solid is made of. */
  readonly tissue: Tissue;
  /** Where it is. */
  readonly shape: Shape;
  /** What it is made of deeper inside, and how deep that begins at a height: 0 to 4 mm. */
  readonly core?: { readonly tissue: Tissue; readonly depth: (z: number) => number };
  /** Only what lies in this solid too is painted. */
  readonly within?: Shape;
  /** Half the width of the edge, mm; as sharp as the pixels allow by default. */
  readonly softness?: number;
  /** How much of what lies below is covered, 0 to 1; all of it by default. */
  readonly strength?: number;
}

/** A cut through the knee and the pixels that show it. Positions and steps are in mm of the knee. */
export interface Cut {
  /** Signal without texture, row by row, 0 to 1. */
  readonly values: Float32Array;
  /** How much the signal varies with round grains, and with fibres along the leg. */
  readonly grains: Float32Array;
  readonly fibres: Float32Array;
  /** Pixels in a row, and rows. */
  readonly size: number;
  /** Position of the middle of the first pixel. */
  readonly origin: readonly [number, number, number];
  /** Step to the pixel on the right, and to the one below. */
  readonly across: readonly [number, number, number];
  readonly down: readonly [number, number, number];
  /** Direction through the slice, of length 1. */
  readonly through: readonly [number, number, number];
  /** Length of a step from pixel to pixel. */
  readonly pixel: number;
}

/** No core begins deeper than this below the surface, mm. */
const DEEPEST_CORE = 4;

/** Share of a distance that may be leapt over: distances are exact only near surfaces. */
const LEAP = 0.7;

/** Paints a layer where the cut meets it. */
export function paint(cut: Cut, layer: Layer, plane: Plane): void {
  const edge = Math.max(0.62 * cut.pixel, 0.4);
  const soft = layer.softness ?? edge;
  const area = _area(cut, layer.shape, soft);
  if (area === undefined) return;
  const { distance } = layer.shape;
  const within = layer.within?.distance;
  const strength = layer.strength ?? 1;
  const rind = TISSUES[layer.tissue];
  const core = layer.core === undefined ? undefined : TISSUES[layer.core.tissue];
  const coreDepth = layer.core?.depth;
  // Deeper than this everything is alike, so runs of pixels need no distance.
  const deepest = soft + (core === undefined ? 0 : DEEPEST_CORE);
  const [dx, dy, dz] = cut.across;
  const { values, grains, fibres, size } = cut;
  const inner = core ?? rind;
  const outside = rind[plane];
  const signal = inner[plane];
  const grain = inner.fibrous ? 0 : inner.grain * signal;
  const fibre = inner.fibrous ? inner.grain * signal : 0;
  for (let row = area.top; row <= area.bottom; row++) {
    let column = area.left;
    while (column <= area.right) {
      const x = cut.origin[0] + row * cut.down[0] + column * dx;
      const y = cut.origin[1] + row * cut.down[1] + column * dy;
      const z = cut.origin[2] + row * cut.down[2] + column * dz;
      const d = distance(x, y, z);
      if (d >= soft) {
        column += 1 + Math.floor(((d - soft) * LEAP) / cut.pixel);
        continue;
      }
      const run = d < -deepest ? 1 + Math.floor(((-d - deepest) * LEAP) / cut.pixel) : 1;
      let at = row * size + column;
      if (run > 1 && within === undefined && strength === 1) {
        const end = Math.min(at + run, row * size + area.right + 1);
        values.fill(signal, at, end);
        grains.fill(grain, at, end);
        fibres.fill(fibre, at, end);
        column += run;
        continue;
      }
      const last = at + Math.min(run, area.right - column + 1);
      let px = x;
      let py = y;
      let pz = z;
      for (; at < last; at++, px += dx, py += dy, pz += dz) {
        let cover = strength;
        if (run === 1) cover *= _cover(d, soft);
        if (within !== undefined) cover *= _cover(within(px, py, pz), edge);
        if (cover <= 0) continue;
        const filled = coreDepth === undefined || run > 1 ? 1 : _cover(d + coreDepth(pz), edge);
        values[at] += cover * (outside + filled * (signal - outside) - values[at]);
        grains[at] += cover * (filled * grain - grains[at]);
        fibres[at] += cover * (filled * fibre - fibres[at]);
      }
      column += run;
    }
  }
}

/** How much of a pixel a solid fills whose surface is `d` mm away, for an edge `2 * soft` wide. */
function _cover(d: number, soft: number): number {
  if (d <= -soft) return 1;
  if (d >= soft) return 0;
  const t = 0.5 - (0.5 * d) / soft;
  return t * t * (3 - 2 * t);
}

/** The pixels that may show a shape, or nothing if the cut misses it. */
function _area(cut: Cut, shape: Shape, margin: number) {
  const [near, far] = _span(cut, shape, cut.through, 1);
  if (near > margin || far < -margin) return undefined;
  const [left, right] = _span(cut, shape, cut.across, 1 / (cut.pixel * cut.pixel));
  const [top, bottom] = _span(cut, shape, cut.down, 1 / (cut.pixel * cut.pixel));
  const rim = margin / cut.pixel;
  const area = {
    left: Math.max(0, Math.ceil(left - rim)),
    right: Math.min(cut.size - 1, Math.floor(right + rim)),
    top: Math.max(0, Math.ceil(top - rim)),
    bottom: Math.min(cut.size - 1, Math.floor(bottom + rim)),
  };
  return area.left > area.right || area.top > area.bottom ? undefined : area;
}

/** Smallest and largest coordinate of a shape's box along one direction of the cut. */
function _span(
  cut: Cut,
  shape: Shape,
  direction: readonly [number, number, number],
  unit: number,
): [number, number] {
  let low = 0;
  let high = 0;
  for (let axis = 0; axis < 3; axis++) {
    const a = (shape.box[2 * axis] - cut.origin[axis]) * direction[axis] * unit;
    const b = (shape.box[2 * axis + 1] - cut.origin[axis]) * direction[axis] * unit;
    low += Math.min(a, b);
    high += Math.max(a, b);
  }
  return [low, high];
}
