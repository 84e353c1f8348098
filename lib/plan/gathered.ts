/**
 * The metrics of a plan's trainings: AUCs of each fold, of all folds pooled and of the validation set,
 * over seeds, and the paired comparisons of a sweep's settings on the same exams.
 */
import { delongInterval } from "../metrics/delong.ts";
import { compareModels, type LabelledPrediction, rankingScores } from "../metrics/summary.ts";
import { sigmoid } from "../model/mrnet.ts";
import { type Plane, PLANES, type Task } from "../terms.ts";

/** A plane, or the three together. */
export type GatheredPlane = Plane | "combined";

/**
 * The exams that metrics are of:
 * - `fold`: one fold, predicted by the model that it was kept out of
 * - `out of fold`: all folds, each exam predicted by the model that it was kept out of
 * - `tune`: the exams that chose epochs, so the metrics are a little too good
 * - `valid`: the validation set, predicted by the mean logit of the models of all folds
 */
export type GatheredExams = "fold" | "out of fold" | "tune" | "valid";

/** What one model, or one combination, said about a split of exams. */
export interface Said {
  /** The setting, counted from 1. */
  setting: number;
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: GatheredPlane;
  /** The seed. */
  seed: number;
  /** The fold that was kept out; none if the plan has no folds. */
  fold?: number;
  /** The split. */
  split: "tune" | "fold" | "valid";
  /** The predictions; all have a logit. */
  predictions: readonly SaidOf[];
}

/** A prediction of an exam with its logit. */
export type SaidOf = LabelledPrediction & { logit: number };

/** What metrics are of. */
export interface GatheredSubject {
  /** The exams. */
  exams: GatheredExams;
  /** The setting, by its name. */
  setting: string;
  /** The finding. */
  task: Task;
  /** The plane. */
  plane: GatheredPlane;
}

/** An AUC with DeLong's 95 % interval; null where it is undefined. */
export interface GatheredAuc extends GatheredSubject {
  /** The seed; null if the logits of all seeds were averaged. */
  seed: number | null;
  /** The fold; null if it is none in particular. */
  fold: number | null;
  /** How many exams. */
  count: number;
  /** How many of them have the finding. */
  positives: number;
  /** The area, 0 to 1. */
  auc: number | null;
  /** The lower end of the interval. */
  auc_low: number | null;
  /** The upper end of the interval. */
  auc_high: number | null;
}

/** How an AUC varies with the seed. */
export interface SeedSpread extends GatheredSubject {
  /** How many seeds. */
  seeds: number;
  /** The mean of their AUCs. */
  mean: number;
  /** The standard deviation. */
  sd: number;
  /** The lowest. */
  min: number;
  /** The highest. */
  max: number;
}

/** DeLong's paired test of a setting against the first one, on the same exams. */
export interface SettingComparison extends GatheredSubject {
  /** The name of the first setting. */
  against: string;
  /** The AUC less that of the first setting. */
  difference: number | null;
  /** The lower end of the difference's 95 % interval. */
  low: number | null;
  /** The upper end. */
  high: number | null;
  /** The p value, two-sided. */
  p: number | null;
}

/** The metrics of a plan's trainings. */
export interface GatheredMetrics {
  /** The AUCs. */
  aucs: GatheredAuc[];
  /** How they vary with the seed; empty with one seed. */
  seeds: SeedSpread[];
  /** The comparisons of the settings; empty with one setting. */
  comparisons: SettingComparison[];
}

/**
 * Computes all metrics.
 *
 * @param said what every model and combination of the plan said
 * @param settings the names of the settings
 */
export function gatherMetrics(
  said: readonly Said[],
  settings: readonly string[],
): GatheredMetrics {
  const metrics: GatheredMetrics = { aucs: [], seeds: [], comparisons: [] };
  const tasks = [...new Set(said.map(({ task }) => task))];
  for (const task of tasks) {
    for (const plane of [...PLANES, "combined"] as const) {
      const ours = said.filter((each) => each.task === task && each.plane === plane);
      if (ours.length > 0) _gatherColumn(metrics, ours, settings);
    }
  }
  return metrics;
}

/** The metrics of one task and plane. */
function _gatherColumn(
  { aucs, seeds, comparisons }: GatheredMetrics,
  said: readonly Said[],
  settings: readonly string[],
): void {
  const { task, plane } = said[0];
  const hasFolds = said.some(({ split }) => split === "fold");
  const splits = hasFolds ? ["fold", "valid"] as const : ["tune", "valid"] as const;
  for (const split of splits) {
    const exams = split === "fold" ? "out of fold" : split;
    const bySetting = new Map<number, SaidOf[]>();
    for (const [index, setting] of settings.entries()) {
      const ours = said.filter((each) => each.setting === index + 1 && each.split === split);
      if (ours.length === 0) continue;
      const about = { exams, setting, task, plane } as const;
      if (split === "fold") {
        for (const { seed, fold, predictions } of ours) {
          aucs.push(_auc({ ...about, exams: "fold" }, predictions, seed, fold));
        }
      }
      const bySeed = Map.groupBy(ours, ({ seed }) => seed);
      const ofSeeds = [...bySeed].map(([seed, models]) => {
        const all = models.map(({ predictions }) => predictions);
        // Each exam is in one fold; the validation set is predicted by the models of all.
        const predictions = split === "fold" ? all.flat() : meanLogits(all);
        const auc = _auc(about, predictions, seed);
        aucs.push(auc);
        return { predictions, auc: auc.auc };
      });
      const mean = meanLogits(ofSeeds.map(({ predictions }) => predictions));
      bySetting.set(index, mean);
      if (ofSeeds.length < 2) continue;
      aucs.push(_auc(about, mean, null));
      const values = ofSeeds.map(({ auc }) => auc).filter((auc) => auc !== null);
      if (values.length === ofSeeds.length) seeds.push({ ...about, ..._spread(values) });
    }
    comparisons.push(..._comparisons(bySetting, settings, { exams, task, plane }));
  }
}

/**
 * The mean logit of each exam over several models, which is what an ensemble says.
 *
 * @param all the predictions of each model; an exam that one of them lacks is left out
 */
export function meanLogits(all: readonly (readonly SaidOf[])[]): SaidOf[] {
  if (all.length === 1) return [...all[0]];
  const others = all.slice(1).map((each) => new Map(each.map((said) => [said.id, said.logit])));
  return all[0].flatMap(({ id, label, logit }) => {
    const logits = [logit, ...others.map((each) => each.get(id))];
    if (logits.some((each) => each === undefined)) return [];
    const mean = (logits as number[]).reduce((sum, each) => sum + each, 0) / logits.length;
    return [{ id, label, logit: mean, probability: sigmoid(mean) }];
  });
}

function _auc(
  about: GatheredSubject,
  predictions: readonly SaidOf[],
  seed: number | null,
  fold: number | null = null,
): GatheredAuc {
  const labels = predictions.map(({ label }) => label);
  const { auc, low, high } = delongInterval(labels, rankingScores(predictions));
  return {
    ...{ ...about, seed, fold, count: labels.length },
    positives: labels.filter((label) => label === 1).length,
    ...{ auc: _known(auc), auc_low: _known(low), auc_high: _known(high) },
  };
}

/** Mean, standard deviation and extremes of at least two values. */
function _spread(values: readonly number[]): Omit<SeedSpread, keyof GatheredSubject> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    ...{ seeds: values.length, mean, sd: Math.sqrt(squares / (values.length - 1)) },
    ...{ min: Math.min(...values), max: Math.max(...values) },
  };
}

/** Each setting against the first, on the exams that both predicted. */
function _comparisons(
  bySetting: ReadonlyMap<number, SaidOf[]>,
  settings: readonly string[],
  about: Omit<GatheredSubject, "setting">,
): SettingComparison[] {
  const first = bySetting.get(0);
  if (first === undefined) return [];
  return [...bySetting].slice(1).map(([index, predictions]) => {
    const shared = new Set(first.map(({ id }) => id));
    const ours = predictions.filter(({ id }) => shared.has(id));
    const ids = new Set(ours.map(({ id }) => id));
    const { difference, low, high, p } = compareModels(ours, first.filter(({ id }) => ids.has(id)));
    return {
      ...{ ...about, setting: settings[index], against: settings[0] },
      ...{ difference: _known(difference), low: _known(low), high: _known(high), p: _known(p) },
    };
  });
}

function _known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
