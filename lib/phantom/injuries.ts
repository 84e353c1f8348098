/**
 * What is wrong with a knee: which injuries, where, how severe. This file only draws the plan;
 * `lesions.ts` turns it into solids.
 *
 * The plan follows how injuries occur together: a tear of the anterior cruciate ligament usually
 * brings an effusion and the pair of bruises left by the pivot shift (lateral femoral condyle,
 * posterolateral tibia); other knees have effusions and bruises too, in other locations.
 */
import type { Random } from "../random.ts";
import type { Label, Task } from "../terms.ts";

/** A bone that can be bruised. */
export type BoneName = "femur" | "tibia" | "patella";

/** A tear of the anterior cruciate ligament. */
export interface AclTear {
  /** Torn apart with a gap, torn within a swollen, wavy band, or torn long ago. */
  readonly kind: "gap" | "swollen" | "old";
  /** 0.4 (moderate) to 1 (severe). */
  readonly severity: number;
  /** Where along the ligament, 0 (femur) to 1 (tibia). */
  readonly position: number;
  /** How far the fibres sag, mm. */
  readonly sag: number;
  /** Phase of the waves of a swollen ligament, radians. */
  readonly phase: number;
}

/** A tear of a meniscus. */
export interface MeniscalTear {
  /** Which meniscus. */
  readonly meniscus: "medial" | "lateral";
  /** Its anterior horn, body or posterior horn. */
  readonly segment: "anterior" | "body" | "posterior";
  /**
   * A bright line through the wedge, a wedge that ends bluntly because its inner part is displaced,
   * or one that is broken up.
   */
  readonly kind: "cleft" | "displaced" | "complex";
  /** 0.4 (small) to 1 (large). */
  readonly severity: number;
  /** Slope of a cleft: its rise for each mm inwards. */
  readonly slope: number;
  /** Middle of the tear along its segment, -1 to 1. */
  readonly position: number;
  /** Size of a parameniscal cyst, mm; 0 for none. */
  readonly cyst: number;
}

/** Fluid in soft tissue. */
export interface Swelling {
  /** Its middle in the knee, mm. */
  readonly at: readonly [number, number, number];
  /** Its half axes, mm. */
  readonly axes: readonly [number, number, number];
  /** Share of the tissue's signal that is replaced, 0 to 1. */
  readonly strength: number;
}

/** Fluid in the marrow: a bruise, or the reaction under damaged cartilage. */
export interface MarrowOedema extends Swelling {
  /** The bone, outside which nothing changes. */
  readonly bone: BoneName;
}

/** Everything that is wrong with a knee; nothing if it is healthy. */
export interface Injuries {
  /** Half thickness that is added to the fluid in the suprapatellar recess, mm; at most 8. */
  effusion: number;
  /** The tear of the anterior cruciate ligament. */
  acl?: AclTear;
  /** The tears of the menisci. */
  menisci: MeniscalTear[];
  /** Bruises and other oedema of the bones. */
  marrow: MarrowOedema[];
  /** A hole in the femoral cartilage: its middle, and its radius in mm. */
  chondral: { at: readonly [number, number, number]; radius: number }[];
  /** Length of a Baker cyst, mm; 0 for none. */
  cyst: number;
  /** Fluid in the soft tissue. */
  swellings: Swelling[];
}

/** The most fluid that the recess holds, mm. */
const MAX_EFFUSION = 8;

/** Injuries other than the two tears; each adds itself to a plan. */
const OTHERS: readonly ((injuries: Injuries, random: Random) => void)[] = [
  function effusion(injuries, random) {
    injuries.effusion += random.uniform(3, 7);
  },
  function effusionAgain(injuries, random) {
    // The commonest finding of all, so it is in the list twice.
    injuries.effusion += random.uniform(2.5, 4);
  },
  function chondralDefect(injuries, random) {
    const x = random.uniform() < 0.6 ? random.uniform(16, 28) : random.uniform(-28, -16);
    const y = random.uniform(-14, 10);
    const radius = random.uniform(4, 8);
    injuries.chondral.push({ at: [x, y, -2], radius });
    injuries.marrow.push(_oedema(random, "femur", [x, y, -6], radius * 1.3, 0.8));
    injuries.effusion += random.uniform(0, 2);
  },
  function bruise(injuries, random) {
    const sites = [
      ["femur", [24, -2, -12]],
      ["tibia", [20, -4, 11]],
      ["tibia", [-4, -14, 30]],
      ["femur", [26, 14, -26]],
      ["femur", [-22, -2, -11]],
      ["tibia", [-22, 10, 10]],
    ] as const;
    const [bone, at] = sites[random.integer(sites.length)];
    const strength = random.uniform(0.6, 0.95);
    injuries.marrow.push(_oedema(random, bone, at, random.uniform(8, 15), strength));
    injuries.effusion += random.uniform(0, 2);
  },
  function patellarDislocation(injuries, random) {
    const strength = random.uniform(0.6, 0.95);
    injuries.marrow.push(
      _oedema(random, "patella", [9, -42, -36], random.uniform(6, 9), strength),
      _oedema(random, "femur", [-30, -16, -30], random.uniform(8, 12), strength),
    );
    injuries.swellings.push({ at: [26, -36, -34], axes: [12, 7, 14], strength: 0.7 });
    injuries.effusion += random.uniform(1, 4);
  },
  function bakerCyst(injuries, random) {
    injuries.cyst = random.uniform(14, 30);
    injuries.effusion += random.uniform(0, 2);
  },
  function medialSprain(injuries, random) {
    const strength = random.uniform(0.6, 0.9);
    injuries.swellings.push({
      at: [43, -2, random.uniform(-26, -4)],
      axes: [random.uniform(4, 7), random.uniform(10, 16), random.uniform(16, 26)],
      strength,
    });
  },
  function prepatellarBursitis(injuries, random) {
    const axes = [
      random.uniform(14, 22),
      random.uniform(3.5, 5.5),
      random.uniform(16, 24),
    ] as const;
    injuries.swellings.push({ at: [-2, -53.5, -32], axes, strength: random.uniform(0.7, 0.95) });
  },
  function hoffaOedema(injuries, random) {
    const axes = [random.uniform(12, 18), random.uniform(6, 8), random.uniform(7, 12)] as const;
    injuries.swellings.push({ at: [-3, -33, -9], axes, strength: random.uniform(0.6, 0.85) });
  },
];

/** Whether each finding is present. */
export type Findings = Readonly<Record<Task, Label>>;

/**
 * Draws the injuries that a knee's findings call for.
 *
 * @param findings what the labels say
 * @param stream makes the random numbers of one kind of injury, so that kinds do not disturb each
 * other
 */
export function drawInjuries(findings: Findings, stream: (kind: string) => Random): Injuries {
  const injuries: Injuries = {
    effusion: 0,
    menisci: [],
    marrow: [],
    chondral: [],
    cyst: 0,
    swellings: [],
  };
  if (findings.acl === 1) _tearAcl(injuries, stream("acl"));
  if (findings.meniscus === 1) _tearMeniscus(injuries, stream("meniscus"));
  const isolated = findings.acl === 0 && findings.meniscus === 0;
  if (findings.abnormal === 1) _injureOtherwise(injuries, stream("other"), isolated);
  injuries.effusion = Math.min(injuries.effusion, MAX_EFFUSION);
  return injuries;
}

function _tearAcl(injuries: Injuries, random: Random): void {
  const severity = _severity(random);
  const roll = random.uniform();
  const kind = roll < 0.5 ? "gap" : roll < 0.86 ? "swollen" : "old";
  injuries.acl = {
    kind,
    severity,
    position: random.uniform(0.3, 0.6),
    sag: random.uniform(2, 6) * severity,
    phase: random.uniform(0, 2 * Math.PI),
  };
  // An old tear has lost what comes with a fresh one.
  if (kind === "old") return;
  injuries.effusion += random.uniform() < 0.9 ? random.uniform(1.5, 6) : random.uniform(0, 1);
  if (random.uniform() < 0.85) {
    const strength = random.uniform(0.4, 0.95);
    injuries.marrow.push(
      _oedema(random, "femur", [-21, -5, -9], random.uniform(8, 15), strength),
      _oedema(random, "tibia", [-22, 18, 9], random.uniform(8, 14), strength),
    );
    if (random.uniform() < 0.25) {
      injuries.marrow.push(_oedema(random, "tibia", [22, 20, 9], random.uniform(6, 9), strength));
    }
  }
}

function _tearMeniscus(injuries: Injuries, random: Random): void {
  const tears = random.uniform() < 0.15 ? 2 : 1;
  for (let k = 0; k < tears; k++) {
    const medial = random.uniform() < 0.66;
    const roll = random.uniform();
    const severity = _severity(random);
    const kinds = ["cleft", "displaced", "complex"] as const;
    injuries.menisci.push({
      meniscus: medial ? "medial" : "lateral",
      segment: roll < 0.72 ? "posterior" : roll < 0.9 ? "body" : "anterior",
      kind: kinds[random.integer(3)],
      severity,
      slope: random.uniform(-0.25, 0.9),
      position: random.uniform(-0.5, 0.5),
      cyst: random.uniform() < 0.35 ? random.uniform(3, 6) : 0,
    });
    if (random.uniform() < 0.4) {
      const at = [medial ? 24 : -24, random.uniform(-2, 16), 8] as const;
      injuries.marrow.push(_oedema(random, "tibia", at, random.uniform(5, 9), severity * 0.8));
    }
  }
  if (random.uniform() < 0.65) injuries.effusion += random.uniform(0.5, 4);
}

/** Anything but the two tears: always something if there are no tears, at times beside them. */
function _injureOtherwise(injuries: Injuries, random: Random, isolated: boolean): void {
  const kinds = random.shuffle([...OTHERS]);
  const count = isolated ? 1 + random.integer(3) : random.uniform() < 0.35 ? 1 : 0;
  for (const injure of kinds.slice(0, count)) injure(injuries, random);
}

/** Severe injuries are the commoner ones: mild ones are seldom sent for an MRI. */
function _severity(random: Random): number {
  return 0.4 + 0.6 * Math.sqrt(random.uniform());
}

/** An uneven blob about a point in a bone. */
function _oedema(
  random: Random,
  bone: BoneName,
  [x, y, z]: readonly [number, number, number],
  radius: number,
  strength: number,
): MarrowOedema {
  const about = () => random.uniform(-3, 3);
  const stretch = () => radius * random.uniform(0.8, 1.2);
  return {
    bone,
    at: [x + about(), y + about(), z + about() / 2],
    axes: [stretch(), stretch(), stretch()],
    strength,
  };
}
