/**
 * What a classifier says about patients, from the files of their exams.
 */
import type { ByPlane } from "../combine/combination.ts";
import type { ExamInput } from "../data/exam_files.ts";
import type { MRNetError } from "../errors.ts";
import {
  type FilePrediction,
  type FilePredictions,
  filePredictions,
} from "../model/file_prediction.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { predictFiles } from "../train/verbs.ts";
import type { Classifier, ClassifierPrediction } from "./classifier.ts";

/** A patient, by the files of the planes that a classifier reads. */
export interface ClassifierPatient {
  /** The patient's name. */
  id: string;
  /** The exam of each plane. */
  files: Partial<ByPlane<ExamInput>>;
}

/** What a classifier says about a patient, or why it says nothing. */
export type PatientOutcome<T extends ClassifierPatient = ClassifierPatient> =
  & T
  & ({
    prediction: ClassifierPrediction;
    /** What makes exams unlike those that a model can read, by their planes, where something does. */
    odd?: Partial<ByPlane<string>>;
  } | { error: MRNetError });

/** What the models of one plane say about files, in their order. */
export type PlanePredictor = (
  models: readonly PlaneModel[],
  paths: ExamInput[],
) => AsyncIterator<FilePredictions>;

/**
 * Predicts patients, in order. One with an exam that cannot be read is given as its error, and the
 * others go on.
 *
 * @param patients a file of each plane that the classifier reads
 * @param predict what runs the models of each plane; {@linkcode predictFiles} if it is left out
 * @throws {EngineError} if the engine fails
 */
export async function* predictPatients<T extends ClassifierPatient>(
  classifier: Classifier,
  patients: readonly T[],
  predict: PlanePredictor = _predictPlane,
): AsyncGenerator<PatientOutcome<T>> {
  const { models } = classifier;
  const running = classifier.planes.map((plane) => {
    const own = models.filter(({ card }) => card.plane === plane);
    return { plane, own, files: predict(own, patients.map(({ files }) => files[plane]!)) };
  });
  try {
    for (const patient of patients) {
      const said = new Map<PlaneModel, Prediction>();
      const odd: Partial<ByPlane<string>> = {};
      let error: MRNetError | undefined;
      for (const { plane, own, files } of running) {
        const outcome: FilePredictions = (await files.next()).value;
        if ("error" in outcome) error ??= outcome.error;
        else {
          own.forEach((model, index) => said.set(model, outcome.predictions[index]));
          if (outcome.odd !== undefined) odd[plane] = outcome.odd;
        }
      }
      if (error !== undefined) yield { ...patient, error };
      else {
        const prediction = classifier.predictionFrom(models.map((model) => said.get(model)!));
        yield { ...patient, prediction, ...(Object.keys(odd).length > 0 && { odd }) };
      }
    }
  } finally {
    for (const { files } of running) await files.return?.();
  }
}

/** Predicts with each model by itself, side by side. */
async function* _predictPlane(
  models: readonly PlaneModel[],
  paths: ExamInput[],
): AsyncGenerator<FilePredictions> {
  const running = models.map(({ model }) => predictFiles(model, paths));
  try {
    for (const _ of paths) {
      const outcomes: FilePrediction[] = [];
      for (const files of running) outcomes.push((await files.next()).value!);
      yield filePredictions(outcomes);
    }
  } finally {
    for (const files of running) await files.return(undefined);
  }
}
