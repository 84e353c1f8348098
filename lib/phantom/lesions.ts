/** Injuries as solids to be painted; those of the anterior cruciate ligament are in `acl.ts`. */
import type { Bone } from "./femur.ts";
import type { BoneName, Injuries, MeniscalTear } from "./injuries.ts";
import type { Meniscus } from "./joint.ts";
import type { Layer } from "./paint.ts";
import { both, ellipsoid, grown, type Knot, mix, type Shape, tube } from "./shapes.ts";

/** What a tear changes in and beside its meniscus. */
export function meniscalLayers(meniscus: Meniscus, tear: MeniscalTear): Layer[] {
  const [x, y, length] = _extentOf(meniscus, tear);
  const sector = ellipsoid([x, y, -1], [length.x, length.y, 12]);
  const wedge = both(sector, grown(meniscus, -0.15));
  const middle = 0.5 * meniscus.width(y);
  const layers: Layer[] = [];
  switch (tear.kind) {
    case "cleft": {
      const half = 0.5 + 0.55 * tear.severity;
      const steep = 1 / Math.sqrt(1 + tear.slope * tear.slope);
      const line: Shape = {
        box: wedge.box,
        distance(px, py, pz) {
          const inward = meniscus.depth(px, py) - middle;
          const level = 0.34 * meniscus.height + tear.slope * inward * 0.6;
          const d = Math.abs(meniscus.rise(px, py, pz) - level) * steep - half;
          return d > 5 ? d : Math.max(d, wedge.distance(px, py, pz));
        },
      };
      layers.push({ tissue: "fluid", shape: line, strength: 0.95 });
      break;
    }
    case "displaced": {
      const cut = meniscus.width(y) * mix(0.62, 0.34, tear.severity);
      const missing: Shape = {
        box: wedge.box,
        distance(px, py, pz) {
          const d = cut - meniscus.depth(px, py);
          return d > 5 ? d : Math.max(d, wedge.distance(px, py, pz));
        },
      };
      layers.push({ tissue: "fluid", shape: missing, strength: 0.9 });
      const inner = meniscus.centre[0] * 0.4;
      const fragment: Knot[] = [
        [inner, y - 9, -4.5, 2.2],
        [0.85 * inner, y, -6, 2.6],
        [inner, y + 7, -4.5, 2.2],
      ];
      layers.push({ tissue: "meniscus", shape: tube(fragment) });
      break;
    }
    case "complex":
      layers.push(
        { tissue: "frayed", shape: both(sector, grown(meniscus, 0.6)), strength: 0.6 },
        {
          tissue: "fluid",
          shape: ellipsoid([x, y, -0.5], [0.55 * length.x, 0.55 * length.y, 5]),
          within: grown(meniscus, 0.6),
          softness: 2.2,
          strength: 0.6 + 0.4 * tear.severity,
        },
      );
      break;
    default:
      throw new Error(`unknown kind of tear: ${tear.kind satisfies never}`);
  }
  if (tear.cyst > 0) {
    const [cx, cy] = meniscus.centre;
    const far = Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy));
    const reach = (far + middle + 0.9 * tear.cyst) / Math.max(far, 1);
    const at = [cx + (x - cx) * reach, cy + (y - cy) * reach, -1] as const;
    layers.push({
      tissue: "fluid",
      shape: ellipsoid(at, [tear.cyst, tear.cyst, tear.cyst * 0.8]),
      strength: 0.95,
    });
  }
  return layers;
}

/** Middle of a tear in x and y, and how far it runs in either direction. */
function _extentOf(
  { centre: [cx, cy], axes: [rx, ry], width }: Meniscus,
  { segment, position, severity }: MeniscalTear,
): [number, number, { x: number; y: number }] {
  const outward = Math.sign(cx);
  const run = 5 + 6 * severity;
  switch (segment) {
    case "body":
      return [cx + outward * (rx - 0.5 * width(cy)), cy + 6 * position, { x: 12, y: run }];
    case "anterior":
    case "posterior": {
      const back = segment === "posterior" ? 1 : -1;
      const angle = 0.75 * position;
      const radius = 1 - (0.5 * width(cy + back * ry)) / ry;
      return [cx + rx * radius * Math.sin(angle), cy + back * ry * radius * Math.cos(angle), {
        x: run,
        y: 12,
      }];
    }
    default:
      throw new Error(`unknown segment of a meniscus: ${segment satisfies never}`);
  }
}

/** Marrow oedema: brightest in its middle, fading out, never outside its bone. */
export function marrowLayers(injuries: Injuries, bone: BoneName, within: Bone): Layer[] {
  return injuries.marrow.filter((oedema) => oedema.bone === bone).map((oedema) => ({
    tissue: "oedema" as const,
    shape: ellipsoid(oedema.at, oedema.axes),
    within: grown(within.bone, -1),
    softness: 0.38 * Math.min(...oedema.axes),
    strength: oedema.strength,
  }));
}

/** Holes in the cartilage, filled with fluid. */
export function chondralLayers(injuries: Injuries, cartilage: Shape): Layer[] {
  return injuries.chondral.map(({ at, radius }) => ({
    tissue: "fluid" as const,
    shape: ellipsoid(at, [radius, radius, 6]),
    within: grown(cartilage, 0.3),
    softness: 1,
  }));
}

/** A Baker cyst, between the medial head of gastrocnemius and semimembranosus. */
export function cystLayers(length: number): Layer[] {
  if (length === 0) return [];
  const r = 3.5 + 0.17 * length;
  const course: Knot[] = [
    [17, 31, -22, 2],
    [24, 36, -16, 0.7 * r],
    [27, 41, -10 + 0.3 * length, r],
    [26, 42, -6 + 0.9 * length, 0.6 * r],
  ];
  return [{ tissue: "fluid", shape: tube(course), strength: 0.96 }];
}

/** Swollen soft tissue, fading towards its edge. */
export function swellingLayers(injuries: Injuries): Layer[] {
  return injuries.swellings.map(({ at, axes, strength }) => ({
    tissue: "oedema" as const,
    shape: ellipsoid(at, axes),
    softness: 0.5 * Math.min(...axes),
    strength,
  }));
}
