import assert from "node:assert/strict";
import { drawAugmentation, parseShift, type Shift } from "../../lib/data/augment.ts";
import { createRandom } from "../../lib/random.ts";
import { describeRecipe, RECIPE_NAMES, RECIPES } from "../../lib/model/recipe.ts";
import { resolveTrainOptions, TRAIN_DEFAULTS } from "../../lib/train/resolve.ts";

Deno.test("without options training is the reference's", () => {
  const { intensity, ...reference } = RECIPES.reference;
  const resolved = resolveTrainOptions({});
  assert.deepEqual(resolved, TRAIN_DEFAULTS);
  assert.deepEqual({ ...resolved, ...reference }, resolved);
  // What the model's input is like is the model's to say, until a recipe is asked for.
  assert.equal(resolved.intensity, undefined);
  assert.equal(resolveTrainOptions({ recipe: "reference" }).intensity, intensity);
});

Deno.test("a recipe sets all its settings, and an option counts more than the recipe", () => {
  for (const recipe of RECIPE_NAMES) {
    const resolved = resolveTrainOptions({ recipe });
    assert.deepEqual({ ...resolved, ...RECIPES[recipe] }, resolved);
    const options = { intensity: "raw", weightDecay: 0, shift: 0.2, flip: 0 } as const;
    const changed = resolveTrainOptions({ recipe, ...options, rotation: undefined });
    assert.deepEqual(changed, { ...resolved, ...options });
  }
});

Deno.test("a recipe is one line that says whether it was changed", () => {
  const on = { augment: true, schedule: "plateau" };
  assert.equal(
    describeRecipe("stanford", RECIPES.stanford, on),
    "stanford: input standardized, loss weighted by class, weight decay 0.01, 50 epochs without " +
      "early stop, lr × 0.3 after 5 epochs on a plateau, rotation ±25°, shift ±25px, flip 0.5",
  );
  assert.match(
    describeRecipe("stanford", { ...RECIPES.stanford, flip: 0 }, on),
    /^stanford, changed/,
  );
  assert.equal(
    describeRecipe("reference", RECIPES.reference, { augment: false, schedule: "step" }),
    "reference: input raw, loss weighted by output, weight decay 0.1, 50 epochs at most, early " +
      "stop after 5",
  );
  const greys = { brightness: 0.2, contrast: 0, logGamma: 0.3, noiseStd: 0.05, biasField: 0.4 };
  assert.equal(
    describeRecipe("reference", RECIPES.reference, { augment: true, schedule: "step", ...greys }),
    "reference, changed: input raw, loss weighted by output, weight decay 0.1, 50 epochs at most, " +
      "early stop after 5, rotation ±25°, shift ±0.11 of the side, flip 0.5, brightness ±0.2, " +
      "log gamma ±0.3, noise up to 0.05, bias field ±0.4",
  );
  assert.doesNotMatch(
    describeRecipe("reference", RECIPES.reference, { augment: false, schedule: "step", ...greys }),
    /changed|brightness/,
  );
});

Deno.test("a shift is a share or pixels, and nothing else", () => {
  const cases: [string, Shift | undefined][] = [
    ["0.11", 0.11],
    [" .5 ", 0.5],
    ["1", 1],
    ["0", 0],
    ["25px", "25px"],
    ["2.50px", "2.5px"],
    ["25", undefined],
    ["-1px", undefined],
    ["25 px", undefined],
    ["25%", undefined],
    ["px", undefined],
    ["", undefined],
    ["1e-1", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseShift(text), expected, text);
});

Deno.test("shift, rotation and flip stay within what they are set to, and use it", () => {
  const size = [200, 100] as const;
  const draw = (range: Parameters<typeof drawAugmentation>[2]) =>
    Array.from({ length: 400 }, (_, index) => drawAugmentation(createRandom(index), size, range));
  const most = (values: number[]) => Math.max(...values.map(Math.abs));
  const near = (value: number, limit: number) => value <= limit && value > 0.95 * limit;
  const pixels = draw({ shift: "25px", rotation: 10, flip: 1 });
  assert.ok(near(most(pixels.map(({ down }) => down)), 25));
  assert.ok(near(most(pixels.map(({ right }) => right)), 25));
  assert.ok(near(most(pixels.map(({ degrees }) => degrees)), 10));
  assert.ok(pixels.every(({ flip }) => flip));
  const share = draw({ shift: 0.2, flip: 0 });
  assert.ok(near(most(share.map(({ down }) => down)), 40));
  assert.ok(near(most(share.map(({ right }) => right)), 20));
  assert.ok(share.every(({ flip }) => !flip));
  const still = draw({ shift: "0px", rotation: 0, flip: 0 });
  assert.ok(still.every(({ down, right, degrees }) => down + right + degrees === 0));
});
