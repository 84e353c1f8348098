/**
 * The classifier that is one model of one plane.
 */
import { decide } from "../model/card.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import { Classifier, type ClassifierCard, type Conclusion, epochBy } from "./classifier.ts";

/** A model of one plane as a classifier. */
export class SingleClassifier extends Classifier {
  /** See {@linkcode Classifier.kind}. */
  override readonly kind = "single";
  /** What its file says. */
  override readonly card: ClassifierCard;
  /** The model. */
  override readonly models: readonly [PlaneModel];
  /** How it was made. */
  override readonly metadata: PlaneModel["metadata"];

  /**
   * @param name what it is called
   * @param model the model
   */
  constructor(name: string, model: PlaneModel) {
    super({ ...model, name });
    this.models = [model];
    this.card = { ...model.card, epochBy: epochBy([model]) };
    this.metadata = model.metadata;
  }

  /** The model's answer and what it means. */
  override conclude([{ probability, logits, recalibrated }]: readonly Prediction[]): Conclusion {
    const logit = recalibrated ?? logits[1];
    return { probability, logit, logits, ...decide(probability, this.card) };
  }
}
