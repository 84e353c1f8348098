/**
 * `cli.ts evaluate --model FILE`: evaluates a trained model on a split of a dataset.
 */
import { type Intensity, TOLD_INTENSITIES } from "../data/intensity.ts";
import { describeEngine } from "../engine/engine.ts";
import { folderOf, join, makeWritableFolder, writeWhole } from "../files.ts";
import { cautions } from "../report/cautions.ts";
import type {
  EvaluatedModel,
  EvaluateModelOptions,
  ModelEvaluation,
} from "../report/evaluate_model.ts";
import { evaluationJson, predictionsCsv } from "../report/files.ts";
import { subject } from "../page/format.ts";
import { listed } from "../quoted.ts";
import type { LeftOutStudies } from "../report/labelled_studies.ts";
import { evaluationLines } from "../report/text.ts";
import {
  choice,
  Command,
  numberWithin,
  option,
  repeatedOption,
  text,
  UsageError,
  wholeNumber,
} from "./arguments.ts";
import { endProgress, print, remark, showProgress } from "./console.ts";
import { checkModelFiles } from "./models_there.ts";
import {
  backendOption,
  CLASSIFIER_FILES,
  dataOption,
  intensityOption,
  intensityRemark,
  modelOption,
  operatingPointOption,
  planeOption,
  taskOption,
  threadsOption,
} from "./model_options.ts";
import { readSeries, SERIES_FLAGS, SERIES_HELP } from "./series_choice.ts";

/** The command and its options, without what it does. */
function _command() {
  return new Command("evaluate")
    .description(
      "Evaluate a trained model on exams with known labels: AUC with intervals, decisions at\n" +
        "thresholds, calibration; as a table, JSON, or a page with plots.",
    )
    .addOption(modelOption(CLASSIFIER_FILES))
    .addOption(dataOption())
    .addOption(
      option(
        "--split <{valid,train,tune}>",
        "which exams; tune are the training exams that the model was not trained on (default: valid)",
        choice(["valid", "train", "tune"]),
      ),
    )
    .addOption(_labelsOption())
    .option(SERIES_FLAGS, SERIES_HELP, readSeries)
    .addOption(
      option("--out <DIR>", "write predictions.csv and report.html to this folder", text),
    )
    .addOption(
      option(
        "--checklist <FILE>",
        "write the items of TRIPOD+AI and CLAIM to this .md file, with what is known of each",
        text,
      ),
    )
    .addOption(
      repeatedOption(
        "--against <FILE>",
        "test the difference to this model by the same exams; may be given several times",
        text,
      ),
    )
    .addOption(_patientsOption())
    .addOption(_groupsOption())
    .addOption(_againstPlaneOption())
    .addOption(_againstIntensityOption())
    .addOption(
      option(
        "--threshold <NUMBER>",
        "give metrics at this threshold too, 0 to 1",
        numberWithin(0, 1),
      ),
    )
    .addOption(operatingPointOption("the model's tune exams in --data"))
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(
      option(
        "--seed <N>",
        "for the bootstrap draws (default: drawn, and printed)",
        wholeNumber(0, 2 ** 32 - 1),
      ),
    )
    .option("--json", "print one JSON object in place of the table")
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=data,models, and the files of --patients and --groups; with\n" +
        "--out DIR also DIR in --allow-read and --allow-write.",
    );
}

/** `--labels`: studies in place of a dataset. */
function _labelsOption() {
  return option(
    "--labels <CSV>",
    "a table id,abnormal,acl,meniscus: the folder of --data, or a zip archive, then holds studies " +
      "from a scanner, one a patient; id is a study's identifier or its folder",
    text,
  );
}

/** `--against_plane`. */
function _againstPlaneOption() {
  return option(
    "--against_plane <{sagittal,coronal,axial}>",
    "its plane, where its file does not say it (default: that of --model)",
    choice(["sagittal", "coronal", "axial"]),
  );
}

/** `--against_intensity`. */
function _againstIntensityOption() {
  return option(
    "--against_intensity <{raw,standardized}>",
    "how its input is prepared, where its file does not say it",
    choice(TOLD_INTENSITIES),
  );
}

/** `--patients`: which exams belong together. */
function _patientsOption() {
  return option(
    "--patients <CSV>",
    "lines 'id,patient' below that header: exams of a patient are not independent",
    text,
  );
}

/** `--groups`: what else is known about the exams. */
function _groupsOption() {
  return option(
    "--groups <CSV>",
    "lines 'id,column,...' below such a header: metrics by the values of each column too",
    text,
  );
}

/** What the command is given. */
type _Given = ReturnType<ReturnType<typeof _command>["opts"]>;

/** Refuses options that do not go together. */
function _check({ labels, split, series, against, checklist, ...given }: _Given): void {
  if (checklist !== undefined && !/\.md$/i.test(checklist)) {
    throw new UsageError(`argument --checklist: invalid value: '${checklist}' (must end in .md)`);
  }
  if (labels !== undefined && split !== undefined) {
    throw new UsageError("argument --split: not allowed with argument --labels");
  }
  if (labels === undefined && series !== undefined) {
    throw new UsageError("argument --series: not allowed without argument --labels");
  }
  const { against_plane, against_intensity } = given;
  for (const [name, value] of Object.entries({ against_plane, against_intensity })) {
    if (value === undefined || against !== undefined) continue;
    throw new UsageError(`argument --${name}: not allowed without argument --against`);
  }
}

/** The command. */
export function evaluateCommand() {
  return _command().action(async (all) => {
    _check(all);
    const { backend, out, checklist, json, against_plane, ...more } = all;
    const { against_intensity, operating_point, ...given } = more;
    await checkModelFiles([given.model, ...given.against ?? []]);
    const other = {
      againstPlane: against_plane,
      againstIntensity: against_intensity,
      operatingPoint: operating_point,
    };
    const folders = [out, checklist && folderOf(checklist)].filter((each) => each !== undefined);
    const evaluation = await _evaluate({ ...given, ...other, engine: backend }, folders);
    const files = out === undefined ? [] : await _write(evaluation, out);
    if (checklist !== undefined) {
      const { evaluationChecklist } = await import("../report/checklist.ts");
      await writeWhole(checklist, evaluationChecklist(evaluation, new Date()));
      files.push(checklist);
    }
    if (json) print(JSON.stringify(evaluationJson(evaluation)));
    else for (const line of evaluationLines(evaluation)) print(line);
    _remarkAll(evaluation, { ...given, againstIntensity: against_intensity });
    if (files.length > 0) remark(`Wrote ${files.join(" and ")}`);
  });
}

/** Writes what `--out` asks for; gives the files. */
async function _write(evaluation: ModelEvaluation, out: string): Promise<string[]> {
  const { evaluationHtml } = await import("../report/report.ts");
  const [table, page] = [join(out, "predictions.csv"), join(out, "report.html")];
  await writeWhole(table, predictionsCsv(evaluation.predictions));
  await writeWhole(page, evaluationHtml(evaluation, new Date()));
  return [table, page];
}

/** Says what to be careful about with the metrics. */
function _remarkAll(
  evaluation: ModelEvaluation,
  { intensity, againstIntensity }: {
    intensity?: Intensity;
    againstIntensity?: Intensity;
  },
): void {
  const { against, noOperatingPoint, split, leftOut } = evaluation;
  if (leftOut !== undefined) _remarkLeftOut(leftOut);
  if (noOperatingPoint !== undefined) {
    remark(`No metrics at an operating point: ${noOperatingPoint}`);
  }
  for (const caution of cautions(evaluation, split)) remark(caution);
  _remarkIntensity(evaluation, intensity);
  for (const other of against) {
    for (const caution of cautions(other, split)) remark(`${other.file}: ${caution}`);
    _remarkIntensity(other, againstIntensity);
  }
}

/** Says which studies, labels and files were of no use. */
function _remarkLeftOut({ unlabelled, unknownLabels, skipped }: LeftOutStudies): void {
  const shown = (names: readonly string[]) => listed(names.map((name) => `'${name}'`), 5);
  for (const { reason } of skipped) remark(reason);
  if (unknownLabels.length > 0) {
    remark(`Labels of studies that are not there: ${shown(unknownLabels)}`);
  }
  if (unlabelled.length > 0) remark(`Studies without a label: ${shown(unlabelled)}`);
}

function _remarkIntensity(
  { file, metadata, combination, ensemble }: EvaluatedModel,
  told: Intensity | undefined,
): void {
  const isSingle = (combination ?? ensemble) === undefined;
  if (told !== undefined || metadata.intensity !== undefined || !isSingle) return;
  remark(intensityRemark(file));
}

/** Evaluates with what a terminal shows of it. */
async function _evaluate(options: EvaluateModelOptions, folders: readonly string[]) {
  const { evaluateModel } = await import("../report/evaluate_model.ts");
  let start = performance.now();
  try {
    return await evaluateModel({
      ...options,
      async onStart({ engine, card, exams, positives, seed }) {
        // Found before the exams are evaluated, not after.
        for (const folder of folders) await makeWritableFolder(folder);
        remark(`Engine: ${describeEngine(engine)}`);
        remark(`Model:  ${options.model} (${subject(card.task, card.plane)})`);
        remark(`Exams:  ${exams}, ${positives} with the finding; seed ${seed}`);
        start = performance.now();
      },
      onExam({ done, total, auc }) {
        showProgress({
          label: "evaluate",
          done,
          total,
          seconds: (performance.now() - start) / 1000,
          unit: "exams",
          details: Number.isNaN(auc) ? [] : [`auc ${auc.toFixed(4)}`],
        });
      },
    });
  } finally {
    endProgress();
  }
}
