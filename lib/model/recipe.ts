/** Recipes: the settings in which published ways of training MRNet differ, under one name each. */
import type { Shift } from "../data/augment.ts";
import type { Intensity } from "../data/intensity.ts";
import type { PhotometricRange } from "../data/photometric.ts";

/** The ways in which the loss of an exam can be weighted. */
export const LOSS_WEIGHTS = ["output", "class"] as const satisfies readonly LossWeights[];
/**
 * How the loss is weighted. `output`: the second output has the weight `negatives / positives` in every
 * exam, as in the reference. `class`: the weight of an exam is the share of exams of the other class, so
 * that the rarer class counts more.
 */
export type LossWeights = "output" | "class";

/** The settings of a recipe. */
export interface RecipeSettings {
  /** How the grey values of an exam become the network's input. */
  intensity: Intensity;
  /** How the loss is weighted. */
  lossWeights: LossWeights;
  /** Share of each parameter added to its gradient, 0 or more. */
  weightDecay: number;
  /** How many passes over the training set there are at most. */
  epochs: number;
  /** After how many epochs without a lower validation loss training stops; 0 is never. */
  patience: number;
  /** How many epochs without a lower validation loss the plateau schedule waits. */
  plateauPatience: number;
  /** What the plateau schedule multiplies the learning rate by, between 0 and 1. */
  plateauFactor: number;
  /** Largest rotation of a training exam either way, in degrees, 0–180. */
  rotation: number;
  /** Largest shift of a training exam either way, down and across. */
  shift: Shift;
  /** Probability that a training exam is flipped from left to right, in 0–1. */
  flip: number;
}

/** The recipes there are. */
export const RECIPE_NAMES = ["reference", "stanford"] as const satisfies readonly RecipeName[];
/** The name of a recipe; see {@linkcode RECIPES}. */
export type RecipeName = "reference" | "stanford";

/**
 * What each recipe sets. `reference` is that of the widely used PyTorch implementation. `stanford` is
 * that of N. Bien et al., Deep-learning-assisted diagnosis for knee magnetic resonance imaging, PLOS
 * Medicine 15(11), 2018, and of the code its authors gave out.
 */
export const RECIPES: Readonly<Record<RecipeName, Readonly<RecipeSettings>>> = {
  reference: {
    intensity: "raw",
    lossWeights: "output",
    weightDecay: 0.1,
    epochs: 50,
    patience: 5,
    plateauPatience: 3,
    plateauFactor: 0.3,
    rotation: 25,
    shift: 0.11,
    flip: 0.5,
  },
  stanford: {
    intensity: "standardized",
    lossWeights: "class",
    weightDecay: 0.01,
    epochs: 50,
    // The authors' code has no early stop: it runs all its epochs and keeps the best.
    patience: 0,
    plateauPatience: 5,
    plateauFactor: 0.3,
    rotation: 25,
    shift: "25px",
    flip: 0.5,
  },
};

/**
 * A recipe in one line, for the log: its name, whether settings were changed, and the settings that are
 * in force.
 *
 * @param name the recipe that was asked for
 * @param settings those in force
 * @param used what decides which settings are named, and the changes of grey values, which no recipe has
 */
export function describeRecipe(
  name: RecipeName,
  settings: RecipeSettings,
  { augment, schedule, ...range }: { augment: boolean; schedule: string } & PhotometricRange,
): string {
  const whole = RECIPES[name];
  const names = Object.keys(whole) as (keyof RecipeSettings)[];
  const described = [
    `input ${settings.intensity}`,
    `loss weighted by ${settings.lossWeights}`,
    `weight decay ${settings.weightDecay}`,
    `${settings.epochs} epoch${settings.epochs === 1 ? "" : "s"} ` +
    (settings.patience === 0
      ? "without early stop"
      : `at most, early stop after ${settings.patience}`),
  ];
  if (schedule === "plateau") {
    described.push(
      `lr × ${settings.plateauFactor} after ${settings.plateauPatience} epochs on a plateau`,
    );
  }
  if (augment) {
    const reach = typeof settings.shift === "string"
      ? settings.shift
      : `${settings.shift} of the side`;
    described.push(`rotation ±${settings.rotation}°, shift ±${reach}, flip ${settings.flip}`);
  }
  const photometric = augment ? _describePhotometric(range) : [];
  described.push(...photometric);
  const changed = photometric.length > 0 ||
    names.some((setting) => settings[setting] !== whole[setting]);
  return `${name}${changed ? ", changed" : ""}: ${described.join(", ")}`;
}

/** The changes of grey values that are not off. */
function _describePhotometric(
  { brightness, contrast, logGamma, noiseStd, biasField }: PhotometricRange,
): string[] {
  const described: [string, number | undefined][] = [
    ["brightness ±", brightness],
    ["contrast ±", contrast],
    ["log gamma ±", logGamma],
    ["noise up to ", noiseStd],
    ["bias field ±", biasField],
  ];
  return described.flatMap(([text, value]) => value ? `${text}${value}` : []);
}
