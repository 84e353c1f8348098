/**
 * What is computed for one exam, when training and when judging.
 *
 * @module
 */
import { augment, type Augmentation } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import { examTensor, type MRNet, sigmoid } from "../model/mrnet.ts";
import * as tf from "../tf.ts";
import type { Adam } from "./adam.ts";
import { weightedCrossEntropy } from "./loss.ts";

/** The figures of one exam. */
export interface ExamFigures {
  /** The weighted cross-entropy. */
  loss: number;
  /** The two outputs before the sigmoid. */
  logits: [number, number];
  /** The sigmoid of the second logit, in 0–1. */
  probability: number;
}

/**
 * Moves the model by one exam.
 *
 * @param augmentation how the exam is resampled first; not at all where it is left out
 * @returns the figures before the move
 */
export async function trainOnExam(
  model: MRNet,
  optimizer: Adam,
  { exam, label }: LabelledExam,
  positiveWeight: number,
  augmentation?: Augmentation,
): Promise<ExamFigures> {
  const figures = tf.tidy(() => {
    const asRead = examTensor(exam);
    const input = augmentation === undefined ? asRead : augment(asRead, augmentation);
    let logits!: tf.Tensor2D;
    const { value, grads } = tf.variableGrads(() => {
      logits = tf.keep(model.logits(input));
      return weightedCrossEntropy(logits, label, positiveWeight);
    }, [...model.parameters.values()]);
    const gradients = new Map<string, tf.Tensor>();
    for (const [name, parameter] of model.parameters) gradients.set(name, grads[parameter.name]);
    optimizer.step(gradients);
    const together = _together(value, logits);
    logits.dispose();
    return together;
  });
  return await _read(figures);
}

/** Judges the model by one exam, as it is. */
export async function judgeByExam(
  model: MRNet,
  { exam, label }: LabelledExam,
  positiveWeight: number,
): Promise<ExamFigures> {
  const figures = tf.tidy(() => {
    const logits = model.logits(examTensor(exam));
    return _together(weightedCrossEntropy(logits, label, positiveWeight), logits);
  });
  return await _read(figures);
}

/** Loss and logits in one tensor, since each read from a GPU costs some ten milliseconds. */
function _together(loss: tf.Scalar, logits: tf.Tensor2D): tf.Tensor1D {
  return tf.concat([tf.reshape(loss, [1]), tf.reshape(logits, [2])]);
}

async function _read(figures: tf.Tensor1D): Promise<ExamFigures> {
  const [loss, absent, present] = await figures.data();
  figures.dispose();
  return { loss, logits: [absent, present], probability: sigmoid(present) };
}
