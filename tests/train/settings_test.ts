/**
 * The table of settings: what a value is checked by, and what of it the files of a run keep.
 */
import assert from "node:assert/strict";
import { readerOf, settingOptions } from "../../lib/commands/setting_options.ts";
import {
  areOfOneRun,
  differencesTo,
  keptSettings,
  mergedWith,
  nameOf,
  optionsOf,
  parseSettings,
  settingsOf,
} from "../../lib/train/kept_settings.ts";
import { resolveTrainOptions } from "../../lib/train/resolve.ts";
import type { RunOptions } from "../../lib/train/run_options.ts";
import { fits } from "../../lib/train/setting.ts";
import { DEFAULTS, SETTING_ROWS } from "../../lib/train/settings.ts";

/** Changes of grey values, which files leave out where they are off. */
const GREYS = { brightness: 0.1, contrast: 0.1, logGamma: 0.1, noiseStd: 0.1, biasField: 0.1 };

/** A run of which nothing is left open. */
const RUN: RunOptions = {
  ...{ ...DEFAULTS, ...resolveTrainOptions({ recipe: "reference" }) },
  ...{ task: "acl", plane: "axial", seed: 3 },
};

Deno.test("every name and every flag is there once, and every default is in range", () => {
  const flags = SETTING_ROWS.map(([, row]) => nameOf(row));
  assert.equal(new Set(flags).size, flags.length);
  for (const [name, { check, default: value }] of SETTING_ROWS) {
    if (value !== undefined) assert.ok(fits(check, value), name);
  }
  const single = settingOptions({ single: true }).length - settingOptions({ single: false }).length;
  assert.equal(single, SETTING_ROWS.filter(([, { use }]) => use.single).length);
});

Deno.test("a value that is out of range is named with its range", () => {
  const cases: [options: Record<string, unknown>, words: string][] = [
    [{ recipe: "own" }, "recipe 'own': give one of reference, stanford"],
    [{ intensity: "raw " }, "intensity 'raw ': give one of raw, standardized, landmarks"],
    [{ lossWeights: "x" }, "lossWeights 'x': give one of output, class"],
    [{ schedule: "1" }, "schedule '1': give one of plateau, step, none"],
    [{ epochs: 0 }, "epochs 0: give a whole number of at least 1"],
    [{ epochs: "3" }, "epochs 3: give a whole number of at least 1"],
    [{ patience: 1.5 }, "patience 1.5: give a whole number of 0 or more"],
    [{ plateauPatience: -1 }, "plateauPatience -1: give a whole number of 0 or more"],
    [{ seed: 2 ** 53 }, "seed 9007199254740992: give a whole number of 0 or more"],
    [{ learningRate: Infinity }, "learningRate Infinity: give a number above 0"],
    [{ gamma: 0 }, "gamma 0: give a number above 0"],
    [{ weightDecay: NaN }, "weightDecay NaN: give a number of 0 or more"],
    [{ plateauFactor: 1 }, "plateauFactor 1: give a number above 0 and below 1"],
    [{ rotation: 181 }, "rotation 181: give degrees of 0 to 180"],
    [{ flip: null }, "flip null: give a probability of 0 to 1"],
    [
      { operatingPoint: "sensitivity=2" },
      "operatingPoint 'sensitivity=2': give youden, sensitivity=S or specificity=S with S above 0 " +
      "and at most 1, or cost=C with C above 0",
    ],
    [
      { shift: "0.1" },
      "shift '0.1': give a share of the side of 0 to 1, such as 0.11, or pixels, such as 25px",
    ],
  ];
  for (const [options, words] of cases) {
    assert.throws(() => resolveTrainOptions(options), {
      name: "OptionError",
      message: `Cannot train with ${words}`,
    });
  }
  // The largest seed of the command line is not that of scripts.
  const [, seed] = SETTING_ROWS.find(([name]) => name === "seed")!;
  assert.throws(() => readerOf(seed.check)(`${2 ** 32}`), /must be 0 to 4294967295/);
  assert.equal(resolveTrainOptions({ seed: 2 ** 32 }).seed, 2 ** 32);
});

Deno.test("what is kept of a run's settings is read back, and gives the run again", () => {
  const tune = { fraction: 0.25, seed: 0 };
  const folds = { folds: "folds.csv", fold: 2 };
  for (const more of [{}, { tune, ...folds, skipBadExams: true, anyRange: true }]) {
    const run = { ...RUN, ...more };
    const kept = keptSettings(run);
    assert.deepEqual(parseSettings(JSON.parse(JSON.stringify(kept))), kept);
    const merged = mergedWith(kept, { task: "acl", plane: "axial" });
    assert.deepEqual(keptSettings({ ...merged, logs: run.logs }), kept);
    assert.deepEqual(differencesTo(kept, run), []);
  }
  assert.deepEqual(optionsOf(settingsOf({ tune })), { tune });
  // What no earlier version knew is left out at its default.
  assert.ok(!("tune" in keptSettings(RUN)) && !("skip_bad_exams" in keptSettings(RUN)));
  const { task: _, ...rest } = keptSettings(RUN);
  assert.throws(() => parseSettings(rest), /^RangeError: what it says of 'task' is missing or/);
  const incomplete = { ...keptSettings(RUN), tune: 0.1 };
  assert.throws(
    () => parseSettings(incomplete),
    /^RangeError: one of 'tune' and 'tune_seed' is missing/,
  );
  assert.throws(
    () => parseSettings({ ...keptSettings(RUN), fold: 1 }),
    /^RangeError: one of 'folds' and 'fold' is missing/,
  );
});

Deno.test("every fixed setting tells runs apart, and no other does", () => {
  const tune = { fraction: 0.5, seed: 1 };
  const kept = keptSettings({
    ...{ ...RUN, network: "resnet18", tune, folds: "folds.csv", fold: 1 },
    ...{ anyRange: true, operatingPoint: "cost=2", card: "card.json", ...GREYS },
  });
  for (const [name, row] of SETTING_ROWS) {
    const key = nameOf(row);
    assert.equal(areOfOneRun(kept, { ...kept, [key]: "other" }), row.use.kept !== "fixed", name);
    assert.equal(key in kept, row.use.kept !== undefined && name !== "skipBadExams", name);
  }
});
