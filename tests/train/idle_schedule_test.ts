/**
 * A schedule that can never act is said to be that: held against thousands of made-up loss curves.
 */
import assert from "node:assert/strict";
import { createRandom } from "../../lib/random.ts";
import { RECIPE_NAMES } from "../../lib/model/recipe.ts";
import { earlyStopping } from "../../lib/train/early_stopping.ts";
import type { TrainOptions } from "../../lib/train/options.ts";
import { resolveTrainOptions } from "../../lib/train/resolve.ts";
import { round4 } from "../../lib/train/rounding.ts";
import { createSchedule, whyNeverActs } from "../../lib/train/schedule.ts";
import { runMain } from "../support/console.ts";
import { TemporaryFolder, writeTinyDataset } from "../support/folders.ts";

/** How many of some made-up runs train any epoch at another rate than the first. */
function runsThatChange(options: TrainOptions, runs: number): number {
  const settings = resolveTrainOptions(options);
  const { schedule, learningRate, gamma, plateauFactor, plateauPatience, epochs, patience } =
    settings;
  let changed = 0;
  for (let run = 0; run < runs; run++) {
    const random = createRandom(run, "curve");
    // Falls, levels off and may rise again, with noise of its own size; or stays, as after divergence.
    const [fall, noise, rise] = [random.uniform(), 0.1 * random.uniform(), 0.01 * random.uniform()];
    const flat = run % 10 === 0;
    const plateau = { factor: plateauFactor, patience: plateauPatience };
    const rates = createSchedule(schedule, learningRate, gamma, plateau);
    const stopping = earlyStopping(patience);
    let rate = learningRate;
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (rate !== learningRate) {
        changed++;
        break;
      }
      const loss = 0.3 + 0.5 * Math.exp(-fall * epoch) + rise * epoch +
        noise * (random.uniform() - 0.5);
      const said = flat ? 0.5 : round4(loss);
      rate = rates(said);
      if (stopping(said)) break;
    }
  }
  return changed;
}

for (const recipe of RECIPE_NAMES) {
  Deno.test(`the recipe ${recipe} lowers its learning rate in many of 2,000 runs`, () => {
    assert.equal(whyNeverActs(resolveTrainOptions({ recipe })), undefined);
    const changed = runsThatChange({ recipe }, 2000);
    assert.ok(changed > 600, `${changed} runs`);
  });
}

Deno.test("the recipe stanford is the authors': 50 epochs, no early stop", () => {
  const { epochs, patience, plateauPatience } = resolveTrainOptions({ recipe: "stanford" });
  assert.deepEqual({ epochs, patience, plateauPatience }, {
    epochs: 50,
    patience: 0,
    plateauPatience: 5,
  });
});

Deno.test("where a schedule is said to never act it does not, elsewhere it does", () => {
  let idle = 0;
  for (const epochs of [1, 3, 4, 5, 6, 8, 20]) {
    for (const patience of [0, 1, 3, 4, 5, 6, 9]) {
      for (const plateauPatience of [0, 2, 3, 5]) {
        for (const schedule of ["plateau", "step"] as const) {
          for (const learningRate of [1e-5, 1e-8]) {
            const options = { epochs, patience, plateauPatience, schedule, learningRate };
            const why = whyNeverActs(resolveTrainOptions(options));
            const changed = runsThatChange(options, 100);
            assert.equal(changed === 0, why !== undefined, `${JSON.stringify(options)}: ${why}`);
            if (why !== undefined) idle++;
          }
        }
      }
    }
  }
  assert.ok(idle > 100);
});

Deno.test("a run says at its start why its learning rate will not change", async () => {
  await using folder = await TemporaryFolder.make();
  await writeTinyDataset(folder);
  const folders = ["data", "models", "logs"].flatMap((name) => [`--${name}`, folder.at(name)]);
  const { err } = await runMain(
    [
      "-t",
      "acl",
      "-p",
      "coronal",
      ...folders,
      "--weights",
      "none",
      "--epochs",
      "1",
      "--seed",
      "1",
    ],
  );
  assert.match(err, /Note: {3}The learning rate will not change: .*--epochs is 1\n/);
});
