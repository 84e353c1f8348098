import assert from "node:assert/strict";
import { compareModels } from "../../lib/metrics/summary.ts";
import { delongInterval } from "../../lib/metrics/delong.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { gatherMetrics, meanLogits, type Said, type SaidOf } from "../../lib/plan/gathered.ts";
import { createRandom } from "../../lib/random.ts";
import type { Label } from "../../lib/terms.ts";

/** Exams from `first` on, every other one with the finding, whose logits say a little about it. */
function exams(first: number, count: number, ...path: (string | number)[]): SaidOf[] {
  const random = createRandom(1, ...path);
  return Array.from({ length: count }, (_, index) => {
    const label = (first + index) % 2 as Label;
    const logit = random.normal() + label;
    return { id: `${first + index}`, label, logit, probability: sigmoid(logit) };
  });
}

/** Two settings, two seeds, two folds of ten exams. */
function sweep(): Said[] {
  const about = { task: "acl", plane: "axial" } as const;
  return [1, 2].flatMap((setting) =>
    [7, 8].flatMap((seed) =>
      [1, 2].flatMap((fold): Said[] => [
        {
          ...{ ...about, setting, seed, fold, split: "fold" },
          predictions: exams(10 * fold, 10, setting, seed, fold),
        },
        {
          ...{ ...about, setting, seed, fold, split: "valid" },
          predictions: exams(100, 6, "valid", setting, seed, fold),
        },
      ])
    )
  );
}

const aucOf = (predictions: readonly SaidOf[]) =>
  delongInterval(predictions.map(({ label }) => label), predictions.map(({ logit }) => logit));

Deno.test("folds are pooled by seed, seeds averaged by logit, settings compared on the same exams", () => {
  const said = sweep();
  const { aucs, seeds, comparisons } = gatherMetrics(said, ["a", "b"]);
  const find = (exams: string, setting: string, seed: number | null, fold: number | null = null) =>
    aucs.filter((each) =>
      each.exams === exams && each.setting === setting && each.seed === seed && each.fold === fold
    );
  const [second] = find("fold", "b", 8, 2);
  assert.equal(second.auc, aucOf(exams(20, 10, 2, 8, 2)).auc);

  const pooled = (setting: number, seed: number) =>
    [1, 2].flatMap((fold) => exams(10 * fold, 10, setting, seed, fold));
  const [one] = find("out of fold", "b", 7);
  const { auc, low, high } = aucOf(pooled(2, 7));
  assert.deepEqual([one.auc, one.auc_low, one.auc_high], [auc, low, high]);
  assert.deepEqual([one.count, one.positives], [20, 10]);

  const mean = (setting: number) => meanLogits([pooled(setting, 7), pooled(setting, 8)]);
  const [all] = find("out of fold", "a", null);
  assert.equal(all.auc, aucOf(mean(1)).auc);
  const [first, other] = [aucOf(pooled(1, 7)).auc, aucOf(pooled(1, 8)).auc];
  const spread = seeds.find((each) => each.exams === "out of fold" && each.setting === "a")!;
  assert.equal(spread.mean, (first + other) / 2);
  assert.ok(Math.abs(spread.sd - Math.abs(first - other) / Math.SQRT2) < 1e-12);
  assert.deepEqual([spread.min, spread.max], [first, other].sort((x, y) => x - y));

  // The models of both folds predict the validation set together.
  const folds = [1, 2].map((fold) => exams(100, 6, "valid", 1, 7, fold));
  assert.equal(find("valid", "a", 7)[0].auc, aucOf(meanLogits(folds)).auc);

  const [compared] = comparisons.filter((each) => each.exams === "out of fold");
  const expected = compareModels(mean(2), mean(1));
  assert.deepEqual(
    [compared.setting, compared.against, compared.difference, compared.p],
    ["b", "a", expected.difference, expected.p],
  );
});

Deno.test("without folds the tune split stands for them, and what is undefined is null", () => {
  const said: Said[] = [{
    ...{ setting: 1, task: "acl", plane: "combined", seed: 1, split: "tune" },
    predictions: exams(0, 1),
  }];
  const { aucs, seeds, comparisons } = gatherMetrics(said, ["as given"]);
  assert.deepEqual([aucs.length, seeds, comparisons], [1, [], []]);
  assert.deepEqual([aucs[0].exams, aucs[0].auc, aucs[0].auc_low], ["tune", null, null]);
});

Deno.test("the mean logit leaves out an exam that one of the models lacks", () => {
  const [one, two] = [exams(0, 3, "a"), exams(0, 3, "b")];
  const mean = meanLogits([one, two.slice(1)]);
  assert.deepEqual(mean.map(({ id }) => id), ["1", "2"]);
  assert.equal(mean[0].logit, (one[1].logit + two[1].logit) / 2);
  assert.equal(mean[0].probability, sigmoid(mean[0].logit));
});
