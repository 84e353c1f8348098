/**
 * Options of the training loop with nothing left open: recipe and defaults filled in, every value
 * checked.
 */
import { OptionError } from "../errors.ts";
import { RECIPES } from "../model/recipe.ts";
import type { ResolvedTrainOptions, TrainDefaults, TrainOptions } from "./options.ts";
import { type Check, fits, ruleOf } from "./setting.ts";
import { DEFAULTS, SETTING_ROWS, SETTINGS } from "./settings.ts";

const { intensity: _, ...REFERENCE } = RECIPES.reference;
const { learningRate, schedule, gamma, augment, shuffle } = DEFAULTS;
const { brightness, contrast, logGamma, noiseStd, biasField } = DEFAULTS;

/** The settings of the reference. */
export const TRAIN_DEFAULTS: TrainDefaults = {
  ...{ recipe: "reference", ...REFERENCE },
  ...{ learningRate, schedule, gamma, augment, shuffle },
  ...{ brightness, contrast, logGamma, noiseStd, biasField },
};

/** The loop's own settings; a flag is what JavaScript takes for true or false. */
const CHECKED = SETTING_ROWS.filter(([, { use, check }]) =>
  use.of === "loop" && check.kind !== "flag"
);

/**
 * Fills in the defaults and checks every value.
 *
 * @throws {OptionError} if a value is out of its range
 */
export function resolveTrainOptions(options: TrainOptions): ResolvedTrainOptions {
  const { recipe } = options;
  if (recipe !== undefined) _check("recipe", SETTINGS.recipe.check, recipe);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedTrainOptions = {
    ...TRAIN_DEFAULTS,
    ...(recipe && RECIPES[recipe]),
    ...Object.fromEntries(given),
  };
  const values: Readonly<Record<string, unknown>> = { ...resolved };
  for (const [name, { check }] of CHECKED) {
    if (values[name] !== undefined) _check(name, check, values[name]);
  }
  return resolved;
}

function _check(name: string, check: Check, value: unknown): void {
  if (fits(check, value)) return;
  // Words stand in quotes, numbers do not.
  const shown = check.kind === "number" ? value : `'${value}'`;
  throw new OptionError(`Cannot train with ${name} ${shown}: give ${ruleOf(check)}`);
}
