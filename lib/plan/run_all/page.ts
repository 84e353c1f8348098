/**
 * What nine models and their combinations came to, as a page: one file that opens from a disk without
 * a network, is read out well and prints well.
 */
import type { TuneSplit } from "../../data/tune.ts";
import { widthCaution } from "../../report/cautions.ts";
import { FINDINGS, fixed, range, RATES, thresholdText } from "../../page/format.ts";
import {
  type Fragment,
  imprint,
  type Markup,
  markup,
  note,
  NumberCell,
  numberCells,
  page,
  table,
  wide,
  WIDE_STYLE,
} from "../../page/html.ts";
import { horizontalAxis, LEFT, plot, TOP, x } from "../../page/plot.ts";
import { STYLE } from "../../page/style.ts";
import { PLANES } from "../../terms.ts";
import { computedText } from "../../train/resume.ts";
import { examsText, RESULT_COLUMNS, type TaskResult } from "./results.ts";
import type { DoneModel, LeftOutExam } from "../done_model.ts";
import { modelKey } from "./state.ts";

/** What the page says about how the metrics were measured. */
export interface ResultsOrigin {
  /** The folder of the dataset. */
  data: string;
  /** The exams that chose the models, their operating points and the combinations. */
  tune: TuneSplit;
  /** The options of all trainings, and the hashes of what they read. */
  config: Readonly<Record<string, unknown>>;
  /** The nine models, by `task/plane`. */
  models: Readonly<Record<string, DoneModel>>;
  /** The exams that could not be read. */
  leftOut: readonly LeftOutExam[];
}

/** The page; `date` is when it was made. */
export function resultsPage(
  results: readonly TaskResult[],
  origin: ResultsOrigin,
  date: Date = new Date(),
): string {
  const { data, tune, leftOut } = origin;
  return page({
    title: "MRNet: nine models and their combinations",
    style: STYLE + OWN_STYLE,
    header: markup`<p class="kicker">MRNet, ${date.toISOString().slice(0, 10)}</p>
<h1>Nine models and their combinations</h1>
<p>Three findings in three planes, evaluated on the ${
      examsText(results)
    } validation exams in <code>${data}</code>, which decided nothing before. ${
      Number((tune.fraction * 100).toFixed(2))
    } % of the training exams (seed ${tune.seed}) were kept out of training; they chose each model’s best epoch, the weights of the planes and the operating points.</p>`,
    main: [
      _section("aucs", "Area under the ROC curve", [
        wide("AUC by finding and plane", _aucTable(results)),
        _flawless(results),
        note(
          "One of twenty intervals of 95 % does not hold the true value, and the best of several AUCs is " +
            "better here than it will be on new exams.",
        ),
        markup`<div class="plots">${results.map(_aucFigure)}</div>`,
      ]),
      _section(
        "decisions",
        "Decisions of the combined models",
        wide("Decisions by finding", _decisions(results)),
      ),
      _section("weights", "How the planes go together", _weights(results)),
      _section("options", "How they were trained", [_options(origin), _models(results, origin)]),
      leftOut.length > 0 && _section("left-out", "Exams that could not be read", _unread(leftOut)),
    ],
    footer: imprint(date),
  });
}

/** What the style sheet of reports lacks. */
const OWN_STYLE = `${WIDE_STYLE}.plots { margin-top: 1.75rem; }
.plots .whisker { stroke-width: 2; }
svg text.row { fill: var(--ink); }
`;

function _section(id: string, heading: string, content: Fragment): Markup {
  return markup`<section aria-labelledby="${id}">
<h2 id="${id}">${heading}</h2>
${content}
</section>`;
}

function _aucTable(results: readonly TaskResult[]): Markup {
  return table({
    caption: "AUC on the validation exams, with DeLong’s 95 % interval",
    head: ["Finding", ...numberCells("With it", ...RESULT_COLUMNS)],
    rows: results.map(({ task, exams, positives, aucs }) => [
      FINDINGS[task],
      new NumberCell(`${positives} of ${exams}`),
      ...RESULT_COLUMNS.map((column) =>
        new NumberCell(
          markup`${fixed(aucs[column].auc, 3)}<span class="below">${range(aucs[column], 3)}</span>`,
        )
      ),
    ]),
  });
}

/** A model without a fault, or of faults alone, looks surer than it is. */
function _flawless(results: readonly TaskResult[]): Markup {
  const cautions = results.flatMap(({ aucs }) =>
    RESULT_COLUMNS.map((column) => widthCaution(aucs[column]))
  );
  return markup`${[...new Set(cautions)].map((caution) => caution && note(caution))}`;
}

const ROW = 36;

/** Each model's area as a point with its interval, the combination last. */
function _aucFigure({ task, aucs, exams }: TaskResult): Markup {
  const bottom = TOP + (RESULT_COLUMNS.length + 0.25) * ROW;
  const rows = RESULT_COLUMNS.map((column, index) => {
    const { auc, low, high } = aucs[column];
    const at = TOP + (index + 0.75) * ROW;
    // What is undefined is not drawn.
    const whisker = !Number.isNaN(low) &&
      markup`<path class="whisker" d="M${x(low)} ${at}H${x(high)}" />`;
    const point = !Number.isNaN(auc) &&
      markup`<circle class="point" cx="${x(auc)}" cy="${at}" r="4.5" />`;
    return markup`
      ${whisker}
      ${point}
      <text class="row" x="${LEFT + 6}" y="${at - 8}">${column}</text>
    `;
  });
  return markup`<figure><h3>${FINDINGS[task]}</h3>${
    plot({
      id: `auc-${task}`,
      title: `${FINDINGS[task]}: AUC by plane`,
      description: RESULT_COLUMNS.map((column) =>
        `${column} ${fixed(aucs[column].auc, 3)}, interval ${range(aucs[column], 3)}`
      ).join("; ") + `; over ${exams} exams. At 0.5 a model guesses.`,
      bottom,
      content: markup`
        ${horizontalAxis("AUC", TOP, bottom)}<path class="chance" d="M${x(0.5)} ${TOP}V${bottom}" />
        ${rows}
      `,
    })
  }</figure>`;
}

function _decisions(results: readonly TaskResult[]): Markup {
  return markup`${
    table({
      caption: "At operating points chosen on the tune split, with 95 % intervals (Wilson)",
      head: ["Finding", ...numberCells("Positive from", ...RATES.map(([, name]) => name))],
      rows: results.map(({ task, decisions }) => [
        FINDINGS[task],
        new NumberCell(thresholdText(decisions.threshold)),
        ...RATES.map(([rate]) =>
          new NumberCell(
            markup`${fixed(decisions[rate].value, 2)}<span class="below">${
              range(decisions[rate], 2)
            }</span>`,
          )
        ),
      ]),
    })
  }`;
}

function _weights(results: readonly TaskResult[]): Markup {
  return markup`<p>Logistic regression over the three probabilities, fitted on the tune split. The AUC there says how well it fits, not how well it does on others.</p>
${
    wide(
      "Weights by finding",
      table({
        caption: "Weights of the planes’ probabilities",
        head: ["Finding", ...numberCells(...PLANES, "intercept", "patients", "AUC there")],
        rows: results.map(({ task, combination }) => [
          FINDINGS[task],
          ...numberCells(
            ...PLANES.map((plane) => combination.coefficients[plane].toFixed(3)),
            combination.intercept.toFixed(3),
            `${combination.positives} of ${combination.exams}`,
            fixed(combination.auc, 3),
          ),
        ]),
      }),
    )
  }`;
}

function _options({ config }: ResultsOrigin): Markup {
  // Such as the labels' hashes by file.
  const rows = Object.entries(config).flatMap(([name, value]) =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, of]) => [`${name}, ${key}`, String(of)])
      : [[name, String(value)]]
  );
  return table({
    caption:
      "The options of all nine, and hashes (SHA-256) of what they read; labels by their first 16 digits",
    head: ["Option", "Value"],
    rows,
  });
}

/** Which models these are, and what else their metrics depend on. */
function _models(results: readonly TaskResult[], { models }: ResultsOrigin): Markup {
  return wide(
    "Models",
    table({
      caption: "The models; on what each was trained to its end and evaluated",
      head: ["Model", "File", "SHA-256", ...numberCells("Epoch"), "Computed on"],
      rows: results.flatMap(({ task }) =>
        PLANES.map((plane) => {
          const { checkpoint, sha256, epoch, epochs, computed } = models[modelKey(task, plane)];
          return [
            `${FINDINGS[task]}, ${plane}`,
            markup`<code>${checkpoint}</code>`,
            markup`<code>${sha256}</code>`,
            new NumberCell(`${epoch} of ${epochs}`),
            computedText(computed),
          ];
        })
      ),
    }),
  );
}

function _unread(leftOut: readonly LeftOutExam[]): Markup {
  return markup`<p>A patient counts above only where all three exams could be read.</p>
${
    wide(
      "Exams left out, by plane",
      table({
        caption: "Exams that were left out, and why",
        head: ["Exam", "Plane", "Split", "Reason"],
        rows: leftOut.map(({ plane, split, id, reason }) => [id, plane, split, reason]),
      }),
    )
  }`;
}
