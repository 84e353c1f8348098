/** The tables of a report about its exams: how many were found and left out, and groups of them. */
import type { Grouping, Subgroup } from "../metrics/subgroups.ts";
import { SMALL_GROUP } from "../metrics/subgroups.ts";
import { fixed, range, thresholdText } from "../page/format.ts";
import { type Markup, markup, note, NumberCell, numberCells, table } from "../page/html.ts";
import type { ModelEvaluation } from "./evaluate_model.ts";
import { proportion, withBelow } from "./tables.ts";
import type { Subgroups } from "./subgroups.ts";

/** From the exams that were found to those that were evaluated. */
export function flowTable(evaluation: ModelEvaluation): Markup {
  const { summary: { exams, positives, patients }, odd = [] } = evaluation;
  return table({
    caption:
      "Flow of exams. An exam that cannot be read ends an evaluation, so none is left out for that",
    head: ["Exams", ...numberCells("Number")],
    rows: [
      ..._leftOut(evaluation).map(([what, count]) => [what, ...numberCells(count)]),
      ["Evaluated", ...numberCells(exams)],
      ["of these with the finding", ...numberCells(positives)],
      ["of these without it", ...numberCells(exams - positives)],
      ["of these unlike the model’s input", ...numberCells(odd.length)],
      ...(patients === undefined ? [] : [["Patients", ...numberCells(patients)]]),
    ],
  });
}

/** What was found, and what was left out and why. */
function _leftOut(
  { summary: { exams }, found, leftOut, split }: ModelEvaluation,
): [what: string, count: number][] {
  if (leftOut !== undefined) {
    const { unlabelled, unknownLabels, skipped } = leftOut;
    return [
      ["Studies found", exams + unlabelled.length],
      ["Left out: studies without a label", unlabelled.length],
      ["Labels of studies that are not there", unknownLabels.length],
      ["Files of no use", skipped.length],
    ];
  }
  if (found === undefined) return [];
  const why = split === "tune" ? "they are not of the tune split" : "they are of the tune split";
  return [
    ["In the label file", found],
    [found === exams ? "Left out" : `Left out: ${why}`, found - exams],
  ];
}

/** The groups by each column, with what to be careful about. */
export function subgroupTables({ groupings, threshold, otherExams }: Subgroups): Markup[] {
  const exams = otherExams === 1 ? "1 exam that was" : `${otherExams} exams that were`;
  const notes = otherExams === 0 ? [] : [note(`The file of groups names ${exams} not evaluated.`)];
  return [...notes, ...groupings.map((grouping) => _grouping(grouping, threshold))];
}

function _grouping({ column, groups, unknown }: Grouping, threshold: number): Markup {
  if (groups.length === 0) return note(`No evaluated exam has a value of ‘${column}’.`);
  const small = groups.filter(({ isSmall }) => isSmall);
  const warning = small.length > 0 &&
    note(
      `Small groups, of fewer than ${SMALL_GROUP} exams with the finding or without it, are marked: ` +
        "their metrics are hardly known, and differences between them may be chance.",
    );
  const missing = unknown > 0 && note(`${unknown} evaluated exams have no value of ‘${column}’.`);
  return markup`${
    table({
      caption: `Groups by ${column}, with 95 % intervals; sensitivity and specificity at ${
        thresholdText(threshold)
      }`,
      className: "groups",
      // Names that may be broken, for a narrow screen.
      head: [column, ...numberCells("Exams", "AUC", "Sensi\u00adtivity", "Speci\u00adficity")],
      rows: groups.map((group) => [
        [group.value, group.isSmall && markup` <strong>(small)</strong>`],
        withBelow(group.exams, `${group.positives} positive`),
        _area(group),
        proportion(group.sensitivity),
        proportion(group.specificity),
      ]),
    })
  }${warning}${missing}
`;
}

/** The area; an interval without a width says nothing, and is not shown. */
function _area({ auc }: Subgroup): NumberCell {
  if (Number.isNaN(auc.value)) return new NumberCell("one class only");
  const below = auc.low === auc.high ? "no interval" : range(auc, 2);
  return withBelow(fixed(auc.value, 2), below);
}
