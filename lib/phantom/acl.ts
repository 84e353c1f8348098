/** The anterior cruciate ligament, healthy or torn. */
import type { Anatomy } from "./anatomy.ts";
import type { AclTear } from "./injuries.ts";
import { aclCourse } from "./joint.ts";
import type { Layer } from "./paint.ts";
import { ellipsoid, grown, type Knot, mix, type Shape, tube } from "./shapes.ts";

/** The anterior cruciate ligament: a straight dark band, or what a tear has left of it. */
export function aclLayers(a: Anatomy, notch: Shape, tear: AclTear | undefined): Layer[] {
  const course = aclCourse(a);
  if (tear === undefined) return [{ tissue: "ligament", shape: tube(course) }];
  const { severity, position, sag } = tear;
  const [x, y, z] = _along(course, position);
  const size = 7 + 5 * severity;
  const space = grown(notch, 1.5);
  const haze: Layer = {
    tissue: "oedema",
    shape: ellipsoid([x, y, z], [size * 0.85, size * 1.25, size * 1.15]),
    within: space,
    softness: 3.5,
    strength: 0.5 + 0.4 * severity,
  };
  switch (tear.kind) {
    case "gap": {
      const half = 0.1 + 0.1 * severity;
      const [upper, lower] = [_along(course, position - half), _along(course, position + half)];
      // The stumps have retracted; the lower one has fallen onto the tibia.
      const femoral = tube([course[0], [upper[0], upper[1] + 1, upper[2] + 0.7 * sag, a.acl]]);
      const tibial = tube([course[2], [lower[0], lower[1] - 1, lower[2] + sag, a.acl + 0.8]]);
      const fluid = ellipsoid([x, y, z + 0.4 * sag], [5.5, 6 + 3 * severity, 6 + 2.5 * severity]);
      return [
        haze,
        { tissue: "frayed", shape: femoral },
        { tissue: "frayed", shape: tibial },
        { tissue: "tear", shape: fluid, within: space, softness: 1.4, strength: 0.95 },
      ];
    }
    case "swollen": {
      const knots: Knot[] = [];
      const strand: Knot[] = [];
      for (let k = 0; k <= 8; k++) {
        const [px, py, pz, radius] = _along(course, k / 8);
        const free = Math.sin((Math.PI * k) / 8);
        const wave = free * 1.8 * severity * Math.sin(1.7 * k + tear.phase);
        const low = pz + free * sag + wave;
        knots.push([px, py + wave, low, radius * (1 + 0.45 * severity * free)]);
        strand.push([px + 1, py + 1.2 * wave, low - 1, 1.1]);
      }
      return [
        haze,
        { tissue: "frayed", shape: tube(knots) },
        {
          tissue: "tear",
          shape: ellipsoid([x, y, z + sag], [4.5, 6 * severity + 2, 5 * severity + 2]),
          within: space,
          softness: 2,
          strength: 0.85,
        },
        { tissue: "ligament", shape: tube(strand), strength: 0.7 },
      ];
    }
    case "old": {
      // Long after the injury the swelling is gone: what is left lies on the tibia, the notch is empty.
      const end: Knot = [-2, 4 + sag, -5, 2];
      return [{ tissue: "ligament", shape: tube([course[2], end]) }];
    }
    default:
      throw new Error(`unknown kind of tear: ${tear.kind satisfies never}`);
  }
}

/** A point of a course, with its radius, at a share of its length. */
function _along(course: readonly Knot[], share: number): Knot {
  const at = Math.min(Math.max(share, 0), 1) * (course.length - 1);
  const k = Math.min(Math.floor(at), course.length - 2);
  const [p, q] = [course[k], course[k + 1]];
  const t = at - k;
  return [mix(p[0], q[0], t), mix(p[1], q[1], t), mix(p[2], q[2], t), mix(p[3], q[3], t)];
}
