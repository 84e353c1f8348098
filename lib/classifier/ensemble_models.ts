/** Making an ensemble of models: what `cli.ts ensemble` does, as one function. */
import { isCombinationFile } from "../combine/file.ts";
import { memberPath } from "../combine/members.ts";
import type { Intensity } from "../data/intensity.ts";
import { DataError, OptionError } from "../errors.ts";
import { folderOf, makeWritableFolder, writeWhole } from "../files.ts";
import type { OperatingRule } from "../metrics/operating_rule.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { toldExams } from "../model/card.ts";
import { readCardFile } from "../model/card_text.ts";
import { madeNow } from "../model/made_by.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { asciiOf } from "../quoted.ts";
import type { Plane, Task } from "../terms.ts";
import type { Classifier } from "./classifier.ts";
import { type Ensemble, type EnsembleMember, MAX_MEMBERS } from "./ensemble.ts";
import { loadClassifiers } from "./load.ts";
import { outOfFoldOf, type OutOfFoldPrediction, readOutOfFold } from "./out_of_fold.ts";

/** What an ensemble is made of, and where it is kept. */
export interface EnsembleOptions {
  /** The files of the members: models of one plane, all of the same, or combinations. */
  models: readonly string[];
  /** The file to write, whose name ends in `.json`; an existing file is replaced. */
  out: string;
  /**
   * A table of out-of-fold predictions, CSV with the columns `exam`, `label` and `probability`: for each
   * exam that of a member that was not trained on it. They choose the operating point.
   * @default none, and no operating point
   */
  predictions?: string;
  /**
   * How these choose the operating point; needs `predictions`.
   * @default "youden"
   */
  operatingPoint?: OperatingRule;
  /** The finding, if the files do not say it. */
  task?: Task;
  /** The plane, if the files do not say it. */
  plane?: Plane;
  /**
   * How the models' input is prepared, if their files do not say it; kept in the ensemble's file.
   * @default "raw"
   */
  intensity?: Intensity;
  /**
   * A file of JSON for the ensemble's card; see {@linkcode CardText}.
   * @default none
   */
  card?: string;
}

/** The names of all options. */
const OPTION_NAMES: OptionNames<EnsembleOptions> = {
  models: true,
  out: true,
  predictions: true,
  operatingPoint: true,
  task: true,
  plane: true,
  intensity: true,
  card: true,
};

/** The result of making an ensemble. */
export interface EnsembleResult {
  /** The ensemble. */
  ensemble: Ensemble;
  /** The file. */
  path: string;
  /** What is to be known about members, such as that they are recalibrated; a sentence each. */
  remarks: string[];
}

/** As in `verbs.ts`, where it is described. */
export async function ensembleModels(options: EnsembleOptions): Promise<EnsembleResult> {
  checkOptionNames("make an ensemble", options, OPTION_NAMES);
  const { models, out, predictions, operatingPoint, task, plane, intensity } = options;
  if (operatingPoint !== undefined && predictions === undefined) {
    throw new OptionError(
      `Cannot choose the operating point ${operatingPoint}: there are no out-of-fold predictions: give ` +
        "'predictions'",
    );
  }
  _checkFiles(models, out);
  const about = options.card === undefined ? undefined : await readCardFile(options.card);
  const table = predictions === undefined ? undefined : await readOutOfFold(predictions);
  const members = await loadClassifiers(
    models.map((source) => ({ source, task, plane, intensity })),
  );
  try {
    _checkMembers(members);
    if (table !== undefined) _checkOutOfFold(table, members, predictions!);
    await makeWritableFolder(folderOf(out));
    const [{ card }] = members;
    const ensemble: Ensemble = {
      task: card.task,
      plane: card.plane,
      members: members.map((member) => _describe(member, out)),
      ...(table && { outOfFold: outOfFoldOf(table, operatingPoint) }),
      ...madeNow(about),
    };
    const { formatEnsemble } = await import("./ensemble_file.ts");
    await writeWhole(out, formatEnsemble(ensemble));
    const remarks = members.flatMap(({ file, recalibrations }) =>
      recalibrations.map(({ recalibration }) =>
        `The probabilities of '${file}' are ${
          recalibrationText(recalibration)
        }: the mean is that of ` +
        "their logits"
      )
    );
    return { ensemble, path: out, remarks };
  } finally {
    for (const member of members) member.dispose();
  }
}

/** What is known to be wrong before any file is read. */
function _checkFiles(models: readonly string[], out: string): void {
  if (models.length < 2 || models.length > MAX_MEMBERS) {
    throw new OptionError(
      `Cannot make an ensemble of ${models.length} ${models.length === 1 ? "model" : "models"}: ` +
        `give 2 to ${MAX_MEMBERS}`,
    );
  }
  if (isCombinationFile(out)) return;
  throw new OptionError(
    `Cannot write the ensemble to '${out}': an ensemble is known by a name that ends in .json: ` +
      `give one, such as '${out.replace(/([^\\/])\.[^.\\/]*$/, "$1")}.json'`,
  );
}

/** Refuses members that do not go together. */
function _checkMembers([first, ...others]: readonly Classifier[]): void {
  const all = [first, ...others];
  const nested = all.find(({ kind }) => kind === "ensemble");
  if (nested !== undefined) {
    throw new OptionError(
      `Cannot make an ensemble of '${nested.file}': it is an ensemble itself: give its members`,
    );
  }
  for (const [index, one] of all.entries()) {
    const two = all.slice(index + 1).find(({ sha256 }) => sha256 === one.sha256);
    if (two === undefined) continue;
    throw new OptionError(
      `Cannot make an ensemble of '${one.file}' and '${two.file}': they are the same file (SHA-256 ` +
        `${one.sha256.slice(0, 12)}…): give each member once`,
    );
  }
  const other = others.find(({ card }) =>
    card.task !== first.task || card.plane !== first.card.plane
  );
  if (other === undefined) return;
  throw new OptionError(
    `Cannot make an ensemble of '${first.file}' and '${other.file}': they are for ` +
      `${_subject(first)} and for ${_subject(other)}: give models of one finding and one plane`,
  );
}

/** Refuses predictions that no member can have made out of fold, as far as hashes tell. */
function _checkOutOfFold(
  table: readonly OutOfFoldPrediction[],
  members: readonly Classifier[],
  path: string,
): void {
  const trained = members.map(({ kind, models: [{ card }] }) =>
    kind === "single" ? new Set(toldExams(card)) : undefined
  );
  const known = table.filter(({ hash }) =>
    hash !== undefined && trained.every((exams) => exams?.has(hash))
  );
  if (known.length === 0) return;
  throw new DataError(
    `Cannot choose an operating point by '${path}': every member was trained on ${known.length} of its ` +
      `${table.length} exams, such as '${
        asciiOf(known[0].id)
      }': give predictions of members that were not`,
  );
}

function _subject({ task, card: { plane } }: Classifier): string {
  return `${task} in ${plane === "combined" ? "all three planes" : `the ${plane} plane`}`;
}

/** A member as the file names it. */
function _describe(
  { file, sha256, kind, card, metadata }: Classifier,
  out: string,
): EnsembleMember {
  const member = { file: memberPath(out, file), sha256 };
  // The caller alone knows it, so it is kept.
  const isTold = kind === "single" && metadata.intensity === undefined;
  return isTold ? { ...member, intensity: card.intensity } : member;
}
