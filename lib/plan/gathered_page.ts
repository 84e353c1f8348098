/** What a plan's trainings came to, as a page: one file that opens from a disk without a network. */
import { FINDINGS, fixed, planeText, pValue, range } from "../page/format.ts";
import {
  type Cell,
  imprint,
  type Markup,
  markup,
  NumberCell,
  numberCells,
  page,
  section,
  table,
  wide,
  WIDE_STYLE,
} from "../page/html.ts";
import { STYLE } from "../page/style.ts";
import { computedText } from "../train/resume.ts";
import type { DoneModel } from "./done_model.ts";
import type { GatheredAuc, GatheredExams, GatheredMetrics } from "./gathered.ts";
import type { TrainPlan, TrainUnit } from "./plan.ts";

/** What the page says about how the metrics came about. */
export interface GatheredOrigin {
  /** The plan. */
  plan: TrainPlan;
  /** Its units and their models. */
  models: readonly { unit: TrainUnit; model: DoneModel }[];
}

/** The exams of a section, and what is to be known about metrics on them. */
const SECTIONS: readonly { exams: GatheredExams; heading: string; about: string }[] = [
  {
    exams: "out of fold",
    heading: "Out of fold",
    about: "Every training exam, predicted by the models that its fold was kept out of; the fold " +
      "decided nothing about them. The folds are pooled, so the logits of several models are ranked " +
      "together.",
  },
  {
    exams: "tune",
    heading: "Tune split",
    about: "Training exams that chose the best epoch of each model. The metrics are a little too " +
      "good, alike for all settings.",
  },
  {
    exams: "valid",
    heading: "Validation set",
    about: "Exams that decided nothing. With folds, the mean logit of the models of all folds.",
  },
];

/** The page; `date` is when it was made. */
export function gatheredPage(
  metrics: GatheredMetrics,
  origin: GatheredOrigin,
  date: Date = new Date(),
): string {
  const { plan: { kind, data, tune, folds, units } } = origin;
  return page({
    title: `MRNet: ${units.length} trainings`,
    style: STYLE + WIDE_STYLE,
    header: markup`<p class="kicker">MRNet, ${date.toISOString().slice(0, 10)}</p>
<h1>${units.length} trainings: ${kind}</h1>
<p>Trained on the exams in <code>${data}</code>. ${
      Number((tune.fraction * 100).toFixed(2))
    } % of the training exams (seed ${tune.seed}) chose the best epochs and how the planes go together${
      folds === undefined ? "" : `; one of ${folds.count} folds was kept out of each training`
    }.</p>`,
    main: [
      ...SECTIONS.map((each, index) => _aucSection(metrics, origin.plan, each, index)),
      metrics.comparisons.length > 0 &&
      section("comparisons", "Comparison of the settings", _comparisons(metrics)),
      section("options", "How they were trained", _options(origin.plan)),
      section("models", "Models", _models(origin)),
    ],
    footer: imprint(date),
  });
}

/** The AUCs on one kind of exams; nothing if there are none. */
function _aucSection(
  metrics: GatheredMetrics,
  { settings }: TrainPlan,
  { exams, heading, about }: (typeof SECTIONS)[number],
  index: number,
): Markup | undefined {
  const all = metrics.aucs.filter((each) => each.exams === exams);
  if (all.length === 0) return undefined;
  const isOne = settings.length === 1;
  const rows = [...Map.groupBy(all, _subjectKey).values()].map((aucs): Cell[] => {
    // The mean of the seeds if there are several.
    const whole = aucs.find(({ seed }) => seed === null) ?? aucs[0];
    const spread = metrics.seeds.find((each) =>
      each.exams === exams && _subjectKey(each) === _subjectKey(whole)
    );
    const folds = metrics.aucs.filter((each) =>
      exams === "out of fold" && each.exams === "fold" && _subjectKey(each) === _subjectKey(whole)
    );
    return [
      `${FINDINGS[whole.task]}, ${planeText(whole.plane)}`,
      ...isOne ? [] : [whole.setting],
      ...numberCells(`${whole.positives} of ${whole.count}`),
      _aucCell(whole),
      ...spread === undefined
        ? numberCells("")
        : [_withBelow(`${spread.mean.toFixed(3)} ± ${spread.sd.toFixed(3)}`, _between(spread))],
      ...exams === "out of fold" ? [_foldCell(folds)] : [],
    ];
  });
  return section(`aucs-${index}`, heading, [
    markup`<p>${about}</p>`,
    wide(
      `AUCs, ${heading.toLowerCase()}`,
      table({
        caption: "AUC with DeLong’s 95 % interval; of several seeds, by the mean of their logits",
        head: [
          "Finding and plane",
          ...isOne ? [] : ["Setting"],
          ...numberCells("With it", "AUC", "Over seeds"),
          ...exams === "out of fold" ? numberCells("By fold") : [],
        ],
        rows,
      }),
    ),
  ]);
}

function _subjectKey({ setting, task, plane }: Pick<GatheredAuc, "setting" | "task" | "plane">) {
  return `${task} ${plane} ${setting}`;
}

function _aucCell({ auc, auc_low, auc_high }: GatheredAuc): NumberCell {
  const ends = { low: auc_low ?? NaN, high: auc_high ?? NaN };
  return _withBelow(fixed(auc ?? NaN, 3), range(ends, 3));
}

/** The mean of the folds' AUCs, and between which values they lie. */
function _foldCell(folds: readonly GatheredAuc[]): NumberCell {
  const values = folds.map(({ auc }) => auc ?? NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return _withBelow(
    fixed(mean, 3),
    _between({ min: Math.min(...values), max: Math.max(...values) }),
  );
}

function _between({ min, max }: { min: number; max: number }): string {
  return range({ low: min, high: max }, 3);
}

function _withBelow(text: string, below: string): NumberCell {
  return new NumberCell(markup`${text}<span class="below">${below}</span>`);
}

function _comparisons({ comparisons }: GatheredMetrics): Markup {
  return markup`<p>DeLong’s paired test of each setting against the first, on the same exams; of several
seeds, by the mean of their logits. With many settings some differences come by chance.</p>
${
    wide(
      "Differences of the settings",
      table({
        caption: "Difference of the AUC to that of the first setting, with its 95 % interval",
        head: ["Finding and plane", "Setting", "Exams", ...numberCells("Difference", "p")],
        rows: comparisons.map(({ task, plane, setting, exams, difference, low, high, p }) => [
          `${FINDINGS[task]}, ${planeText(plane)}`,
          ...[setting, exams],
          _withBelow(fixed(difference ?? NaN, 3), range({ low: low ?? NaN, high: high ?? NaN }, 3)),
          ...numberCells(pValue(p ?? NaN)),
        ]),
      }),
    )
  }`;
}

function _options({ asked }: TrainPlan): Markup {
  const rows = Object.entries(asked).flatMap(([name, value]): Cell[][] => {
    if (Array.isArray(value)) {
      return value.map((each, index) => [`${name}, ${index + 1}`, _valuesText(each)]);
    }
    return typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, each]) => [`${name}, ${key}`, String(each)])
      : [[name, String(value)]];
  });
  return table({
    caption: "What was asked for, and hashes (SHA-256) of what the plan was made for",
    head: ["Option", "Value"],
    rows,
  });
}

function _valuesText(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value).map(([key, each]) => `${key} ${each}`).join(", ");
}

function _models({ models }: GatheredOrigin): Markup {
  return wide(
    "Models by unit",
    table({
      caption: "The models; on what each was trained to its end and evaluated",
      head: ["Unit", "File", "SHA-256", ...numberCells("Epoch"), "Computed on"],
      rows: models.map(({ unit, model: { checkpoint, sha256, epoch, epochs, computed } }) => [
        unit.id,
        markup`<code>${checkpoint}</code>`,
        markup`<code>${sha256}</code>`,
        new NumberCell(`${epoch} of ${epochs}`),
        computedText(computed),
      ]),
    }),
  );
}
