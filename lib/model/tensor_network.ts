/**
 * A step in ordinary TensorFlow.js operations: it runs on every engine, and is what the faster ways
 * are held against.
 */
import { augment, type Augmentation, photometricOf, type SourceMatrix } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import { affineOf, preparedExam } from "../data/intensity.ts";
import { changeGreyValues, photometricValues } from "../data/photometric.ts";
import { examTensor } from "./exam_tensor.ts";
import { headOf } from "./head.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import * as tf from "../tf.ts";
import { Adam, ADAM_DEFAULTS, type AdamOptions, type NetworkSettings } from "./adam.ts";
import { type OutputWeights, weightedCrossEntropy } from "./loss.ts";
import type {
  EngineModel,
  EngineNetwork,
  ForwardOptions,
  ForwardResult,
  Snapshot,
  StepResult,
} from "./engine_network.ts";

/** Runs a model with TensorFlow.js's operations and gradients. */
export class TensorNetwork implements EngineNetwork {
  readonly #model: EngineModel;
  readonly #options: AdamOptions;
  readonly #trained: ReadonlyMap<string, tf.Variable>;
  /** Made by the first step, so that evaluating alone takes no memory for it. */
  #optimizer: Adam | undefined;
  learningRate: number;
  readonly inFlight = 0;

  constructor(model: EngineModel, { frozen, use: _, ...options }: NetworkSettings = {}) {
    this.#model = model;
    this.#options = options;
    this.#trained = new Map([...model.parameters].filter(([name]) => !frozen?.has(name)));
    this.learningRate = options.learningRate ?? ADAM_DEFAULTS.learningRate;
  }

  async forward(
    exam: Exam,
    { features: wanted = false }: ForwardOptions = {},
  ): Promise<ForwardResult> {
    const model = this.#model;
    const [logits, features] = tf.tidy((): [tf.Tensor2D, tf.Tensor4D?] => {
      const input = examTensor(exam, model);
      if (!wanted) return [model.logits(input)];
      const features = model.features(input);
      return [headOf(model.parameters, features), features];
    });
    try {
      const [absent, present] = await logits.data();
      if (features === undefined) return { logits: [absent, present] };
      const [slices, height, width, channels] = features.shape;
      // The copy matters: on some engines what is read is the tensor's own memory.
      const values = Float32Array.from(await features.data());
      return {
        logits: [absent, present],
        features: { slices, height, width, channels, values },
      };
    } finally {
      tf.dispose([logits, features ?? []]);
    }
  }

  step(
    { exam, label }: LabelledExam,
    weights: OutputWeights,
    source?: Augmentation | SourceMatrix,
  ): Promise<StepResult> {
    const model = this.#model;
    const optimizer = this.#adam();
    optimizer.learningRate = this.learningRate;
    return _read(tf.tidy(() => {
      const input = _input(exam, model, source);
      let logits!: tf.Tensor2D;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(model.logits(input));
        return weightedCrossEntropy(logits, label, weights);
      }, [...this.#trained.values()]);
      const gradients = new Map<string, tf.Tensor>();
      for (const [name, parameter] of this.#trained) gradients.set(name, grads[parameter.name]);
      optimizer.step(gradients);
      const together = _together(value, logits);
      logits.dispose();
      return together;
    }));
  }

  async snapshot(optimizer = true): Promise<Snapshot> {
    const parameters = await this.#model.stateDict();
    return { parameters, optimizer: optimizer ? await this.#optimizer?.state() : undefined };
  }

  restore(state: OptimizerState): Promise<void> {
    this.#adam().restore(state);
    return Promise.resolve();
  }

  dispose(): void {
    this.#optimizer?.dispose();
  }

  #adam(): Adam {
    return this.#optimizer ??= new Adam(this.#model.parameters, this.#options);
  }
}

/** The network's input, augmented. */
function _input(
  exam: Exam,
  model: EngineModel,
  augmentation: Augmentation | SourceMatrix | undefined,
): tf.Tensor3D {
  if (augmentation === undefined) return examTensor(exam, model);
  const photometric = photometricOf(augmentation);
  if (photometric === undefined) return augment(examTensor(exam, model), augmentation);
  const prepared = preparedExam(exam, model);
  const affine = affineOf(prepared, model.intensity);
  const values = photometricValues(prepared, photometric, affine);
  return changeGreyValues(
    augment(examTensor(prepared, { intensity: "raw" }), augmentation),
    values,
  );
}

/** Loss and logits in one tensor, since each read from a GPU costs some ten milliseconds. */
function _together(loss: tf.Scalar, logits: tf.Tensor2D): tf.Tensor1D {
  return tf.concat([tf.reshape(loss, [1]), tf.reshape(logits, [2])]);
}

async function _read(result: tf.Tensor1D): Promise<StepResult> {
  const [loss, absent, present] = await result.data();
  result.dispose();
  return { loss, logits: [absent, present] };
}
