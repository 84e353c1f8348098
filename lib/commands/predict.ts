/**
 * `cli.ts predict --model FILE EXAM…`: what a model, a combination or an ensemble says about exams, and
 * where it looked.
 */
import type { Classifier } from "../classifier/classifier.ts";
import { loadClassifier } from "../classifier/load.ts";
import {
  type ClassifierPatient,
  type PatientOutcome,
  type PlanePredictor,
  predictPatients,
} from "../classifier/predict_patients.ts";
import { isCombinationFile } from "../combine/file.ts";
import { groupByPatient, patientOf } from "../combine/patients.ts";
import { examFileOf, type ExamInput, planeOfPath } from "../data/exam_files.ts";
import type { Intensity } from "../data/intensity.ts";
import { describeEngine, startEngine } from "../engine/engine.ts";
import { messageOf, OptionError } from "../errors.ts";
import { MAP_KINDS, type MapKind } from "../explain/explain.ts";
import { writeExplanation } from "../explain/mod.ts";
import { join, makeWritableFolder } from "../files.ts";
import type { ChooseOptions, GivenFile } from "../imaging/mod.ts";
import type { Studies } from "../imaging/studies.ts";
import { DEFAULT_THRESHOLD } from "../model/card.ts";
import { recalibrationText } from "../model/recalibration.ts";
import { thresholdText } from "../page/format.ts";
import { type Plane, PLANES } from "../terms.ts";
import { AnswerFiles, answerOptions } from "./answer_files.ts";
import { choice, Command, option, text, UsageError } from "./arguments.ts";
import { endWithReader, oddRemark, print, remark } from "./console.ts";
import {
  checkPacsOptions,
  DICOMWEB_PERMISSION,
  dicomwebOptions,
  fetchGivenStudy,
  RESEARCH_ONLY,
  studyOption,
} from "./dicomweb_options.ts";
import { predictManifest } from "./predict_manifest.ts";
import { readSeries, SERIES_FLAGS, SERIES_HELP } from "./series_choice.ts";
import { studyPatients } from "./study_patients.ts";
import { checkModelFiles } from "./models_there.ts";
import {
  backendOption,
  CLASSIFIER_FILES,
  intensityOption,
  intensityRemark,
  modelOption,
  planeOption,
  taskOption,
  threadsOption,
} from "./model_options.ts";

const DESCRIPTION =
  "Say how likely the finding is in each exam, and with --cam where the model looked.\n" +
  "An exam is an .npy file of [slices, height, width], at least 64×64 pixels, or a study from a " +
  "scanner: a folder or a zip archive with DICOM or NIfTI files, or of a PACS by --dicomweb.\n" +
  "--sr and --sc write the answer of a DICOM study as DICOM, for research: not for diagnosis.";

/** The command; `exit` is told the exit code. */
export function predictCommand(exit: (code: number) => void) {
  const [dicomwebOption, credentialsOption] = dicomwebOptions();
  const [srOption, scOption] = answerOptions();
  return new Command("predict")
    .description(DESCRIPTION)
    .argument(
      "[EXAM...]",
      "exams to predict, or studies; .npy files for three planes in folders called by their planes",
    )
    .addOption(modelOption(CLASSIFIER_FILES))
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .option("--json", "an object a line, and nothing else on standard output")
    .addOption(
      option("--cam <DIR>", "write where the model looked: pictures and contributions", text),
    )
    .addOption(
      option(
        "--map <{share,classic}>",
        "of each slice the channels where it is selected, or all (default: share; needs --cam, " +
          "--sc or --store)",
        choice(MAP_KINDS),
      ),
    )
    .addOption(srOption)
    .addOption(scOption)
    .addOption(option("--axial <FILE>", "for three planes: the axial exam of one patient", text))
    .addOption(option("--coronal <FILE>", "its coronal exam", text))
    .addOption(option("--sagittal <FILE>", "its sagittal exam", text))
    .addOption(
      option(
        "--manifest <FILE>",
        "the exams of a table id,axial,coronal,sagittal of paths; needs --out",
        text,
      ),
    )
    .addOption(
      option("--out <CSV>", "with --manifest: the table to write, a row for each exam", text),
    )
    .option(SERIES_FLAGS, SERIES_HELP, readSeries)
    .addOption(dicomwebOption)
    .addOption(credentialsOption)
    .addOption(studyOption())
    .option("--store", "store the answer in the study, as --sr and --sc write it; needs --dicomweb")
    .addOption(backendOption())
    .addOption(threadsOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=FILE,EXAM,DIR --allow-write=DIR, DIR only where --cam, --sr or --sc " +
        "names one;\n" + DICOMWEB_PERMISSION,
    )
    .action(async (paths, { json = false, cam, sr, sc, map, backend, threads, ...given }) => {
      if (map !== undefined && (cam ?? sc) === undefined && !given.store) {
        throw new UsageError("argument --map: not allowed without argument --cam, --sc or --store");
      }
      checkPacsOptions(given);
      if (given.manifest !== undefined || given.out !== undefined) {
        return await predictManifest(paths, { ...given, backend, threads }, { json, cam, sr, sc });
      }
      // Whoever stops reading wants none of the rest, unless files are written too.
      const isPrinted = (cam ?? sr ?? sc) === undefined && !given.store;
      using _reader = isPrinted ? endWithReader() : undefined;
      _checkArguments(paths, given);
      await checkModelFiles([given.model]);
      const { files: fetched, web } = await fetchGivenStudy(given);
      const engine = await startEngine(backend, { threads });
      const { task, plane, intensity } = given;
      using classifier = await loadClassifier(given.model, { task, plane, intensity });
      const { exams, studies: folders } = await _sorted(paths);
      const targets = { sr, sc, pacs: given.store ? web : undefined };
      const answers = await AnswerFiles.make(targets, { ...given, exams });
      const scanned = [...folders, ...fetched];
      using studies = scanned.length === 0 ? undefined : await _openStudies(scanned, given);
      const found = studies && await studyPatients(studies, classifier, answers);
      if (found !== undefined && found.refused + found.patients.length === 0) {
        remark("There is no series that an exam can be made of.");
      }
      if (found !== undefined && (found.refused > 0 || found.patients.length === 0)) exit(1);
      const patients = [
        ...exams.length > 0 || found === undefined ? _patients(exams, given, classifier) : [],
        ...found?.patients ?? [],
      ];
      // What cannot be written is found before anything is computed.
      if (cam !== undefined) await _makeFolders(cam, patients, classifier);
      _remarkGiven(given);
      remark(`Engine: ${describeEngine(engine)}`);
      if (given.dicomweb !== undefined) remark(RESEARCH_ONLY);
      _remarkModel(classifier, { exams, ...given });
      if (studies !== undefined) _remarkLandmarks(classifier);
      const predict = (cam ?? sc) === undefined && !given.store
        ? undefined
        : _explaining(classifier, { cam, map, answers });
      const outcomes = predictPatients(classifier, patients, predict);
      const predicted = await _print(outcomes, classifier, { json, exit, answers });
      if (predicted === 0) return;
      if (cam !== undefined) remark(`Pictures: ${cam}`);
      answers?.remark();
    });
}

/** Says how the model's input is prepared and from where on it is positive, as far as that is open. */
function _remarkModel(
  classifier: Classifier,
  { exams, model, intensity }: { exams: readonly string[]; model: string; intensity?: Intensity },
): void {
  const { kind, card, metadata } = classifier;
  if (kind === "single" && (intensity ?? metadata.intensity) === undefined) {
    remark(intensityRemark(model));
  }
  remark(_aboutThreshold(classifier));
  _remarkRecalibrations(classifier);
  if (card.plane !== "combined") _remarkPlanes(exams, card.plane);
}

/** Prints what the classifier says; gives how many patients were predicted. */
async function _print(
  outcomes: AsyncIterable<PatientOutcome>,
  classifier: Classifier,
  { json, exit, answers }: {
    json: boolean;
    exit: (code: number) => void;
    answers?: AnswerFiles;
  },
): Promise<number> {
  const write = json ? _json : _line;
  let predicted = 0;
  for await (const outcome of outcomes) {
    if ("error" in outcome) {
      remark(messageOf(outcome.error));
      exit(1);
      continue;
    }
    for (const [plane, odd] of Object.entries(outcome.odd ?? {})) {
      remark(oddRemark(_pathOf(outcome.files[plane as Plane]!), odd));
    }
    await answers?.write(outcome.id, classifier, outcome.prediction);
    print(write(outcome, classifier));
    predicted++;
  }
  return predicted;
}

/** The files of one patient, where they are given one by one. */
type _GivenPlanes = Partial<Record<Plane, string>>;

function _checkArguments(
  exams: readonly string[],
  given: _GivenPlanes & { model: string; dicomweb?: string; store?: boolean },
): void {
  const named = PLANES.find((plane) => given[plane] !== undefined);
  // Whatever else is predicted is not of the study that is answered.
  const odd = exams.length > 0 ? "EXAM" : named && `--${named}`;
  if (given.store && odd !== undefined) {
    throw new UsageError(`argument ${odd}: not allowed with argument --store`);
  }
  if (named === undefined) {
    if (exams.length > 0 || given.dicomweb !== undefined) return;
    throw new UsageError("the following arguments are required: EXAM");
  }
  if (!isCombinationFile(given.model)) {
    throw new UsageError(`argument --${named}: only allowed with a combination's .json file`);
  }
  if (exams.length === 0) return;
  throw new UsageError(`argument EXAM: not allowed with argument --${named}`);
}

/** The `.npy` files among what was given, and the studies. */
async function _sorted(paths: readonly string[]): Promise<{ exams: string[]; studies: string[] }> {
  const sorted = { exams: [] as string[], studies: [] as string[] };
  for (const path of paths) {
    (await _isStudy(path) ? sorted.studies : sorted.exams).push(path);
  }
  return sorted;
}

/** Whether a path leads to a study. For an exam in an `.npy` file the code for studies is not loaded. */
async function _isStudy(path: string): Promise<boolean> {
  if (/\.npy$/i.test(path)) return false;
  const { isImagingPath } = await import("../imaging/studies.ts");
  return await isImagingPath(path);
}

async function _openStudies(
  paths: readonly (string | GivenFile)[],
  options: ChooseOptions,
): Promise<Studies> {
  const { Studies } = await import("../imaging/studies.ts");
  return await Studies.open(paths, options);
}

const _pathOf = (input: ExamInput) => examFileOf(input).path;

/** The exams by patient; to a model of one plane every exam is a patient. */
function _patients(
  exams: readonly string[],
  given: _GivenPlanes,
  { file, planes }: Classifier,
): ClassifierPatient[] {
  const named = PLANES.filter((plane) => given[plane] !== undefined);
  if (planes.length === 1) {
    if (named.length > 0) {
      throw new OptionError(
        `Cannot predict --${named[0]} with '${file}': it reads the ${planes[0]} plane alone: ` +
          "give the exam without an option",
      );
    }
    return exams.map((path) => ({ id: examFileOf(path).id, files: { [planes[0]]: path } }));
  }
  if (exams.length > 0) return groupByPatient(exams);
  const ids = new Set(named.map((plane) => examFileOf(given[plane]!).id));
  return [patientOf([...ids].join("+"), given)];
}

/** The folder of the pictures: that which is given, or, if there are three planes, one for each. */
function _folderOf(cam: string, plane: Plane, { planes }: Classifier): string {
  return planes.length === 1 ? cam : join(cam, plane);
}

async function _makeFolders(
  cam: string,
  patients: readonly ClassifierPatient[],
  classifier: Classifier,
) {
  if (classifier.planes.length === 1) {
    const { checkNames } = await import("../explain/explain_files.ts");
    checkNames(patients.map(({ files }) => files[classifier.planes[0]]!), cam);
  }
  for (const plane of classifier.planes) {
    await makeWritableFolder(_folderOf(cam, plane, classifier));
  }
}

/** Predicts, and writes or keeps where the model of each plane looked. */
function _explaining(
  classifier: Classifier,
  { cam, map, answers }: { cam?: string; map?: MapKind; answers?: AnswerFiles },
): PlanePredictor {
  return async function* (models, paths) {
    const { checkNames, explainFilesTogether } = await import("../explain/explain_files.ts");
    const [{ card: { task, plane } }] = models;
    // What several models say together is the classifier's.
    const { card: { intensity }, file, sha256 } = models.length === 1 ? models[0] : classifier;
    const model = { task, plane, intensity, file, sha256 };
    const folder = cam === undefined ? undefined : _folderOf(cam, plane, classifier);
    if (folder !== undefined) checkNames(paths, folder);
    yield* explainFilesTogether(models.map(({ model }) => model), paths, {
      map,
      async onExplained(exam, explanation) {
        if (folder !== undefined) await writeExplanation(folder, exam, explanation, model);
        answers?.keep(plane, { exam, explanation });
      },
    });
  };
}

/** Says which files are called by another plane than they are given as. */
function _remarkGiven(given: _GivenPlanes): void {
  for (const plane of PLANES) {
    const path = given[plane];
    const named = path === undefined ? undefined : planeOfPath(path);
    if (named === undefined || named === plane) continue;
    remark(`--${plane} '${path}' is ${named} by its name: look whether that is the right file`);
  }
}

/** Says once which files or their folders are called by another plane than the model reads. */
function _remarkPlanes(exams: readonly string[], plane: Plane): void {
  const others = exams.filter((path) => (planeOfPath(path) ?? plane) !== plane);
  if (others.length === 0) return;
  const more = others.length > 1 ? ` and ${others.length - 1} more` : "";
  remark(
    `The model reads ${plane} exams, and '${others[0]}'${more} is ${
      planeOfPath(others[0])
    } by its ` +
      "name: look whether that is the right file",
  );
}

/** Says of which planes the grey values of studies are mapped to landmarks. */
function _remarkLandmarks({ models }: Classifier): void {
  const mapped = models.filter(({ card }) => card.landmarks !== undefined);
  const planes = PLANES.filter((plane) => mapped.some(({ card }) => card.plane === plane));
  if (planes.length === 0) return;
  remark(
    `Grey values of studies: mapped to landmarks of the training exams (${planes.join(", ")})`,
  );
}

/** Says how probabilities are recalibrated, those of the planes too. */
function _remarkRecalibrations({ recalibrations }: Classifier): void {
  for (const { plane, recalibration } of recalibrations) {
    remark(`Probabilities (${plane}): ${recalibrationText(recalibration)}`);
  }
}

function _aboutThreshold({ kind, card: { operatingPoint } }: Classifier): string {
  if (operatingPoint === undefined) {
    return `Positive from ${DEFAULT_THRESHOLD} on: the model's file names no operating point`;
  }
  const { threshold, exams } = operatingPoint;
  const whose = { single: "model", combined: "combination", ensemble: "ensemble" }[kind];
  return `Positive from ${
    thresholdText(threshold)
  } on: the ${whose}'s operating point, chosen on ` +
    `its ${exams} exams`;
}

type Predicted = Extract<PatientOutcome, { prediction: unknown }>;

function _line({ id, files, prediction }: Predicted, { task, card, planes }: Classifier): string {
  const { probability, logits, decision, threshold } = prediction;
  const digits = (value: number) => value.toFixed(4);
  const isSingle = card.plane !== "combined";
  return [
    isSingle ? _pathOf(files[planes[0]]!) : id,
    `${task} ${card.plane}`,
    `probability ${digits(probability)}`,
    isSingle
      ? `logits ${logits.map(digits).join(" ")}`
      : planes.map((plane) => `${plane} ${digits(prediction.planes[plane]!.probability)}`).join(
        " ",
      ),
    `${decision} (from ${thresholdText(threshold)})`,
  ].join("  ");
}

/**
 * A patient as `--json` prints it; of three planes with what the model of each says. A combination has one sum and not two outputs: `logits` are 0 and that sum, whose difference is the
 * log-odds and whose second the sigmoid makes the probability of, as with a model.
 */
function _json(
  { id, files, prediction, odd }: Predicted,
  { task, card, planes }: Classifier,
): string {
  const { probability, logits, decision, threshold } = prediction;
  const { plane, operatingPoint, recalibration } = card;
  const isSingle = plane !== "combined";
  return JSON.stringify({
    exam: id,
    file: isSingle ? _pathOf(files[plane]!) : undefined,
    ...{ task, plane, probability, logits, decision, threshold },
    threshold_from: operatingPoint === undefined ? "default" : "model",
    recalibration: recalibration?.map.method,
    ...isSingle ? { odd: odd?.[plane] } : {
      planes: Object.fromEntries(planes.map((each) => [
        each,
        { file: _pathOf(files[each]!), ...prediction.planes[each], odd: odd?.[each] },
      ])),
    },
  });
}
