/** A model's answer about a study with a picture for each plane of where it looked. */
import type { Classifier, PatientExams } from "../classifier/classifier.ts";
import type { ExplainOptions } from "../explain/explain.ts";
import type { DicomInstance } from "./instance.ts";
import { type ModelAnswer, modelAnswer } from "./model_answer.ts";
import { secondaryCapture } from "./secondary_capture.ts";
import type { AnsweredStudy } from "./source.ts";

/**
 * Has a classifier read exams, and draws where it looked.
 *
 * @param answered the study that they are of
 * @param options how it is explained, and when the pictures are made
 */
export async function explainedAnswer(
  classifier: Classifier,
  exams: PatientExams,
  answered: AnsweredStudy,
  { now, ...options }: ExplainOptions & { now?: Date } = {},
): Promise<{ answer: ModelAnswer; pictures: DicomInstance[] }> {
  const explained = await classifier.explain(exams, options);
  const answer = modelAnswer(classifier, explained);
  const pictures = classifier.planes.map((plane) => {
    const [exam, explanation] = [exams[plane]!, explained.planes[plane]!];
    return secondaryCapture(answered, answer, { plane, exam, explanation }, now);
  });
  return { answer, pictures };
}
