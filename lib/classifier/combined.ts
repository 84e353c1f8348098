/**
 * The classifier that is three models, one a plane, and the combination of their answers.
 */
import {
  type ByPlane,
  byPlane,
  type Combination,
  type CombinedPrediction,
  combinePredictions,
  commonTune,
} from "../combine/combination.ts";
import type { Prediction, ReadOptions } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { PLANES } from "../terms.ts";
import {
  Classifier,
  type ClassifierCard,
  type ClassifierFile,
  type ClassifierPrediction,
  commonIntensity,
  concluded,
  type Conclusion,
  epochBy,
  type PatientExams,
} from "./classifier.ts";

/** Three models and their combination as a classifier. */
export class CombinedMRNet extends Classifier {
  /** See {@linkcode Classifier.kind}. */
  override readonly kind = "combined";
  /** What its file and those of its models say. */
  override readonly card: ClassifierCard;
  /** The models of the planes, in the order of `PLANES`. */
  override readonly models: readonly PlaneModel[];
  /** The weights of the planes, the operating point, and what they were found by. */
  override readonly combination: Combination;
  /** The model of each plane. */
  readonly members: Readonly<ByPlane<PlaneModel>>;

  /** Puts together what was loaded; {@linkcode loadCombined} does so from a file. */
  constructor(
    file: ClassifierFile,
    combination: Combination,
    members: Readonly<ByPlane<PlaneModel>>,
  ) {
    super(file);
    this.combination = combination;
    this.members = members;
    this.models = PLANES.map((plane) => members[plane]);
    const { task } = members.axial.card;
    this.card = {
      task,
      plane: "combined",
      intensity: commonIntensity(this.models),
      operatingPoint: combination.operatingPoint,
      recalibration: combination.recalibration,
      tune: commonTune(members),
      epochBy: epochBy(this.models),
    };
  }

  /** The logistic regression over the probabilities, recalibrated if its file says how. */
  override conclude(said: readonly Prediction[]): Conclusion {
    const planes = byPlane((plane) => said[PLANES.indexOf(plane)]);
    const { logit } = combinePredictions(this.combination, planes);
    return concluded([0, logit], this.card);
  }

  /** See {@linkcode Classifier.predict}; there is an answer of every plane. */
  override async predict(
    exams: PatientExams,
    options?: ReadOptions,
  ): Promise<ClassifierPrediction & CombinedPrediction> {
    return await super.predict(exams, options) as ClassifierPrediction & CombinedPrediction;
  }
}
