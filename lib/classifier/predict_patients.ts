/**
 * What a classifier says about patients, from the files of their exams.
 */
import type { ByPlane } from "../combine/combination.ts";
import type { ExamInput } from "../data/exam_files.ts";
import type { MRNetError } from "../errors.ts";
import type { FilePrediction } from "../model/file_prediction.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { predictFiles } from "../train/predict.ts";
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

/** What a model of one plane says about files, in their order. */
export type PlanePredictor = (
  model: PlaneModel,
  paths: ExamInput[],
) => AsyncIterator<FilePrediction>;

/**
 * Predicts patients, in order. One with an exam that cannot be read is given as its error, and the
 * others go on.
 *
 * @param patients a file of each plane that the classifier reads
 * @param predict what runs the model of each plane; {@linkcode predictFiles} where it is left out
 * @throws {EngineError} if the engine fails
 */
export async function* predictPatients<T extends ClassifierPatient>(
  classifier: Classifier,
  patients: readonly T[],
  predict: PlanePredictor = ({ model }, paths) => predictFiles(model, paths),
): AsyncGenerator<PatientOutcome<T>> {
  const running = classifier.models.map((model) => {
    const { plane } = model.card;
    return { plane, files: predict(model, patients.map(({ files }) => files[plane]!)) };
  });
  try {
    for (const patient of patients) {
      const said: Prediction[] = [];
      const odd: Partial<ByPlane<string>> = {};
      let error: MRNetError | undefined;
      for (const { plane, files } of running) {
        const outcome: FilePrediction = (await files.next()).value;
        if ("error" in outcome) error ??= outcome.error;
        else said.push(outcome.prediction);
        if ("odd" in outcome && outcome.odd !== undefined) odd[plane] = outcome.odd;
      }
      if (error !== undefined) yield { ...patient, error };
      else {
        const prediction = classifier.predictionFrom(said);
        yield { ...patient, prediction, ...(Object.keys(odd).length > 0 && { odd }) };
      }
    }
  } finally {
    for (const { files } of running) await files.return?.();
  }
}
