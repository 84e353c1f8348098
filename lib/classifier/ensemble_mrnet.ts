/**
 * The classifier that is several others of the same finding and plane: the mean of their logits, as of
 * the models of all folds or of several seeds.
 *
 * Its members are models of one plane, or combinations of three. Of combinations the logits of each
 * plane are averaged, to be shown, and so are the combinations' own logits, which decide.
 */
import { isSameTune } from "../data/tune.ts";
import { meanOf } from "../explain/mean.ts";
import type { Prediction } from "../model/mrnet.ts";
import type { PlaneModel } from "../model/plane_model.ts";
import {
  Classifier,
  type ClassifierCard,
  type ClassifierFile,
  commonIntensity,
  concluded,
  type Conclusion,
  epochBy,
} from "./classifier.ts";
import type { Ensemble } from "./ensemble.ts";

/** Several classifiers as one. */
export class EnsembleMRNet extends Classifier {
  /** See {@linkcode Classifier.kind}. */
  override readonly kind = "ensemble";
  /** What its file and those of its members say. */
  override readonly card: ClassifierCard;
  /** The models of the first member, then those of the second, and so on. */
  override readonly models: readonly PlaneModel[];
  /** The members, and what the out-of-fold predictions say. */
  override readonly ensemble: Ensemble;
  /** The members. */
  readonly members: readonly Classifier[];

  /** Puts together what was loaded; `loadClassifier` does so from a file. */
  constructor(file: ClassifierFile, ensemble: Ensemble, members: readonly Classifier[]) {
    super(file);
    this.ensemble = ensemble;
    this.members = members;
    this.models = members.flatMap(({ models }) => models);
    const { task, plane, outOfFold } = ensemble;
    const [{ card: first }, ...others] = members;
    this.card = {
      task,
      plane,
      intensity: commonIntensity(this.models),
      operatingPoint: outOfFold?.operatingPoint,
      recalibration: ensemble.recalibration,
      tune: others.every(({ card }) => isSameTune(card.tune, first.tune)) ? first.tune : undefined,
      epochBy: epochBy(this.models),
    };
  }

  /** See {@linkcode Classifier.recalibrations}. */
  override get recalibrations(): Classifier["recalibrations"] {
    const { plane, recalibration } = this.card;
    const own = recalibration === undefined ? [] : [{ plane, recalibration }];
    return [...this.members.flatMap(({ recalibrations }) => recalibrations), ...own];
  }

  /** The mean of the members' logits, recalibrated if its file says how. */
  override conclude(said: readonly Prediction[]): Conclusion {
    let next = 0;
    const answers = this.members.map((member) => {
      return member.conclude(said.slice(next, next += member.models.length));
    });
    const logits: [number, number] = [
      meanOf(answers.map(({ logits }) => logits[0])),
      meanOf(answers.map(({ logit }) => logit)),
    ];
    return concluded(logits, this.card);
  }
}
