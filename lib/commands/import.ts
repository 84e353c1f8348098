/** `cli.ts import PATH… --out DIR`: a data set in MRNet's layout of DICOM and NIfTI files. */
import { importExams, type ImportReport, type ImportResult } from "../imaging/mod.ts";
import { loadClassifier } from "../classifier/load.ts";
import { landmarksToImport } from "../classifier/landmarks_to_import.ts";
import type { Landmarks } from "../data/landmarks.ts";
import { startEngine } from "../engine/engine.ts";
import { listed } from "../quoted.ts";
import { PhaseTimer } from "../logs/progress.ts";
import { type Plane, PLANES, SPLITS } from "../terms.ts";
import { choice, Command, option, text, UsageError } from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import {
  checkPacsOptions,
  DICOMWEB_PERMISSION,
  dicomwebOptions,
  fetchGivenStudy,
  studyOption,
} from "./dicomweb_options.ts";
import { checkModelFiles } from "./models_there.ts";
import { readSeries, remarkCandidates, SERIES_FLAGS, SERIES_HELP } from "./series_choice.ts";
import { INTERRUPTED, stoppable } from "./training_display.ts";

/** The command; `exit` is told the exit code. */
export function importCommand(exit: (code: number) => void) {
  const [dicomwebOption, credentialsOption] = dicomwebOptions();
  return new Command("import")
    .description(
      "Make a data set in MRNet's layout of DICOM and NIfTI files, folders and zip archives, or of " +
        "KneeMRI with its labels: the right plane and order, grey values of 0 to 255, 256×256 pixels. Nothing that names a patient is " +
        "written. What was imported before is not read again.",
    )
    .argument("[PATH...]", "files, folders, zip archives; none if --dicomweb is given")
    .addOption(option("--out <DIR>", "folder of the data set", text).makeOptionMandatory())
    .addOption(
      option("--split <{train,valid}>", "the split that they become part of", choice(SPLITS))
        .default("valid" as const),
    )
    .option(SERIES_FLAGS, SERIES_HELP, readSeries)
    .addOption(dicomwebOption)
    .addOption(credentialsOption)
    .addOption(studyOption())
    .addOption(
      option(
        "-p, --plane <{sagittal,coronal,axial}>",
        "the plane of series whose files do not say where their slices lie",
        choice(PLANES),
      ),
    )
    .addOption(
      option(
        "--labels <CSV>",
        "a table id,abnormal,acl,meniscus; id is the exam's, its study's identifier, or its folder",
        text,
      ),
    )
    .addOption(
      option(
        "--like <MODEL>",
        "map grey values to the landmarks of the model's training exams, as predict does with studies " +
          "(default: percentiles 0.5 and 99.7 of a series become 0 and 255)",
        text,
      ),
    )
    .option("--any_tilt", "take slices that are tilted more than 40° out of a plane too")
    .option("--json", "an object an exam, and nothing else on standard output")
    .addHelpText(
      "after",
      `\nPermissions: --allow-read=PATH,DIR,MODEL --allow-write=DIR;\n${DICOMWEB_PERMISSION}`,
    )
    .action(async (paths, { json = false, any_tilt, like, ...rest }) => {
      checkPacsOptions(rest);
      const { dicomweb, dicomweb_credentials, study, ...given } = rest;
      if (paths.length === 0 && dicomweb === undefined) {
        throw new UsageError("the following arguments are required: PATH");
      }
      const { series } = given;
      const source = { dicomweb, dicomweb_credentials, study, series };
      const { files: fetched } = await fetchGivenStudy(source);
      const landmarks = like === undefined ? undefined : await _landmarksOf(like);
      using interrupt = stoppable();
      const timer = new PhaseTimer();
      const show = (label: string, unit: string) => (done: number, total: number) =>
        showProgress({ label, done, total, unit, ...timer.at(label, done) });
      const result = await importExams({
        ...{
          ...given,
          paths: [...paths, ...fetched],
          landmarks,
          anyTilt: any_tilt,
          signal: interrupt.signal,
        },
        onFile: show("headers", "files"),
        onExam(report) {
          if (json) print(JSON.stringify(report));
          else if (report.row !== undefined && !report.known) {
            for (const line of _lines(report)) print(line);
          }
          show("exams", "exams")(report.done, report.total);
        },
      }).finally(endProgress);
      _remarks(result);
      if (interrupt.signal.aborted) {
        remark("Interrupted. Run the same again to go on: what is imported is not read again.");
        return exit(INTERRUPTED);
      }
      if (result.open.length > 0 || result.failures.length > 0) exit(1);
      else if (result.exams.length === 0) {
        remark("There is no series that an exam can be made of.");
        exit(1);
      }
    });
}

/** The landmarks of a model's file, or of those that a combination names. */
async function _landmarksOf(model: string): Promise<Partial<Record<Plane, Landmarks>>> {
  await checkModelFiles([model]);
  // Nothing is computed.
  await startEngine("cpu");
  using classifier = await loadClassifier(model);
  const landmarks = landmarksToImport(classifier);
  for (const plane of PLANES) {
    const known = landmarks[plane];
    const by = known === undefined ? "percentiles" : `landmarks of ${known.exams} training exams`;
    remark(`Grey values, ${plane}: ${by}`);
  }
  return landmarks;
}

function _lines({ row, from }: ImportReport): string[] {
  const { id, plane, slices, side, sequence, remarks } = row!;
  const facts = [`${slices} slices`, side === "" ? "" : `side ${side}`, sequence];
  return [
    `${id} ${plane}  ${facts.filter((each) => each !== "").join(", ")}  from ${from}`,
    ...remarks.map((each) => `  ! ${each}`),
  ];
}

function _remarks(result: ImportResult): void {
  const { open, lacking, failures, skipped, others, labelFiles, exams } = result;
  for (const { reason } of skipped) remark(reason);
  for (const failure of failures) remark(failure);
  for (const { plane, from, candidates } of open) {
    remarkCandidates(`Not imported: ${from}`, { plane, candidates });
  }
  // A line for all that lack the same: a data set of one plane may have hundreds of exams.
  for (const [planes, exams] of Map.groupBy(lacking, (each) => each.planes.join(" and no "))) {
    const [one] = exams;
    const which = exams.length === 1
      ? `Exam ${one.id} has`
      : `${exams.length} exams (${_first(exams.map(({ id }) => id))}) have`;
    remark(`${which} no ${planes} series.`);
  }
  if (others > 0) remark(`${others} file${others === 1 ? " holds" : "s hold"} no images`);
  if (result.unknownLabels.length > 0) {
    remark(`Labels of exams that are not there: ${_first(result.unknownLabels)}`);
  }
  if (result.unlabelled.length > 0) remark(`Exams without a label: ${_first(result.unlabelled)}`);
  for (const file of labelFiles) remark(`Labels: ${file}`);
  remark(`Exams:  ${exams.length}`);
}

function _first(names: readonly string[]): string {
  return listed(names.map((name) => `'${name}'`), 5);
}
