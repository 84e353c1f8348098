/** One knee as an ordered list of layers: what comes later covers what came before. */
import { aclLayers } from "./acl.ts";
import type { Anatomy } from "./anatomy.ts";
import { type Bone, femoralPhysis, femur, tibialPhysis } from "./femur.ts";
import type { BoneName, Injuries } from "./injuries.ts";
import { fluidPools, jointSpace, meniscus, notchSpace, pclCourse } from "./joint.ts";
import {
  chondralLayers,
  cystLayers,
  marrowLayers,
  meniscalLayers,
  swellingLayers,
} from "./lesions.ts";
import {
  collaterals,
  extensorTendons,
  legSurface,
  muscles,
  retinacula,
  underFascia,
  vessels,
} from "./limb.ts";
import type { Layer } from "./paint.ts";
import { both, grown, type Shape, sheet, tube } from "./shapes.ts";
import { fibula, patella, tibia } from "./tibia.ts";
import type { Tissue } from "./tissues.ts";

/** Builds the knee of a person with the given injuries. */
export function buildScene(a: Anatomy, injuries: Injuries): Layer[] {
  const thigh = femur(a);
  const shin = tibia(a);
  const kneecap = patella(a);
  const medial = meniscus(a, shin, "medial");
  const lateral = meniscus(a, shin, "lateral");
  const around = collaterals(a);
  return [
    ..._limb(a),
    ...cystLayers(injuries.cyst),
    _solid("synovium", jointSpace(a, shin)),
    { ..._solid("synovium", notchSpace(thigh)), strength: 0.75, softness: 1.5 },
    ...fluidPools(a, thigh, a.fluid + injuries.effusion).map(({ shape, strength }) => ({
      ..._solid("fluid", shape),
      strength,
    })),
    ...extensorTendons(a).map((shape) => _solid("tendon", shape)),
    _solid("ligament", around.medial),
    _solid("ligament", around.lateral),
    _solid("tendon", around.band),
    _solid("meniscus", medial),
    _solid("meniscus", lateral),
    ...injuries.menisci.flatMap((tear) =>
      meniscalLayers(tear.meniscus === "medial" ? medial : lateral, tear)
    ),
    _solid("cartilage", shin.cartilage),
    ..._bone(shin, "tibia", injuries),
    _scar(tibialPhysis(a), shin),
    { ..._solid("cortex", fibula()), core: { tissue: "marrow", depth: () => 1.5 } },
    _solid("cartilage", thigh.cartilage),
    ...chondralLayers(injuries, thigh.cartilage),
    ..._bone(thigh, "femur", injuries),
    _scar(femoralPhysis(a), thigh),
    _solid("cartilage", kneecap.cartilage),
    ..._bone(kneecap, "patella", injuries),
    _solid("ligament", tube(pclCourse(a))),
    ...aclLayers(a, thigh.notch, injuries.acl),
    ...swellingLayers(injuries),
  ];
}

/** Skin, fat, fascia, muscles and vessels. */
function _limb(a: Anatomy): Layer[] {
  const leg = legSurface(a);
  const inside = underFascia(a, leg);
  const { arteries, veins, nerves } = vessels(a);
  return [
    { ..._solid("skin", leg), core: { tissue: "fat", depth: () => 1.6 } },
    { ..._solid("fascia", sheet(inside, 0.25)), strength: 0.8 },
    ...muscles(a).map((belly) => _solid("muscle", both(belly, grown(inside, -1)))),
    ...veins.map((shape) => _solid("vein", shape)),
    ...arteries.map((shape) => _solid("artery", shape)),
    ...nerves.map((shape) => _solid("nerve", shape)),
    ...a.strands.map((knots, k) => ({
      ..._solid(k % 3 === 0 ? "vein" : "fascia", tube(knots)),
      strength: 0.75,
    })),
    { ..._solid("fascia", retinacula(a)), strength: 0.8 },
  ];
}

/** A bone with its marrow and what is wrong with that. */
function _bone(bone: Bone, name: BoneName, injuries: Injuries): Layer[] {
  const core = { tissue: "marrow", depth: bone.shell } as const;
  return [{ ..._solid("cortex", bone.bone), core }, ...marrowLayers(injuries, name, bone)];
}

/** The scar of a growth plate inside its bone. */
function _scar(shape: Shape, { bone }: Bone): Layer {
  return { ..._solid("cortex", shape), within: grown(bone, -2.3), strength: 0.45 };
}

function _solid(tissue: Tissue, shape: Shape): Layer {
  return { tissue, shape };
}
