/**
 * MRNet: a network's convolutions on every slice, the mean of each channel over a slice, the maximum
 * over the slices, and one linear layer.
 *
 * Source: N. Bien et al., Deep-learning-assisted diagnosis for knee magnetic resonance imaging:
 * Development and retrospective validation of MRNet, PLOS Medicine 15(11), 2018. There the network is
 * AlexNet; `lib/network` has it and others.
 */
import type { Exam } from "../data/exam.ts";
import type { Intensity } from "../data/intensity.ts";
import { checkLandmarks, type Landmarks } from "../data/landmarks.ts";
import { currentBackend, currentEngine } from "../engine/engine.ts";
import { DataError, OptionError } from "../errors.ts";
import { recalibrated } from "../metrics/recalibration.ts";
import { type NetworkName, networkOf } from "../network/networks.ts";
import { featuresOf } from "../network/reference.ts";
import * as tf from "../tf.ts";
import { createNetwork } from "./create_network.ts";
import type { EngineNetwork } from "./engine_network.ts";
import { examTensor } from "./exam_tensor.ts";
import type { Features } from "./features.ts";
import { headOf } from "./head.ts";
import { ModelParameters } from "./model_parameters.ts";
import { mrnetStatistics, NETWORK_PREFIX } from "./names.ts";
import { assignParameter, networkState, stateDictOf } from "./parameters.ts";
import type { Recalibration } from "./recalibration.ts";
import { networkOfState, ownState } from "./weights/mrnet.ts";
import type { StateDict } from "./weights/tensors.ts";

/** What a model says about one exam. */
export interface Prediction {
  /** The two outputs before the sigmoid; the second is the finding's. */
  logits: [number, number];
  /** The probability of the finding, in 0–1: the sigmoid of the second logit, or recalibrated. */
  probability: number;
  /** The logit of the probability if it was recalibrated; the second of `logits` is that before. */
  recalibrated?: number;
}

/** What belongs to a model beside its parameters. */
export interface MRNetOptions {
  /**
   * How the grey values of an exam become its input.
   * @default "raw"
   */
  intensity?: Intensity;
  /**
   * What the exams it was trained on look like; needed if `intensity` is `landmarks`.
   * @default unknown
   */
  landmarks?: Landmarks;
  /**
   * How its probabilities are made of its logits.
   * @default by the sigmoid
   */
  recalibration?: Recalibration;
}

/** How one exam is read. */
export interface ReadOptions {
  /**
   * Waited for between two chunks of an exam on the WebAssembly engine, which then computes on the caller's
   * thread alone: a chunk is a few slices and takes 50 to 100 ms, with ResNet-18 twice as long. It can let
   * timers and connections run. What it throws ends the reading.
   * @default the exam is read in one go, on up to four threads
   */
  between?: () => void | Promise<void>;
}

/** A model on the current engine. Its memory is held until it is disposed of: `using model = …`. */
export class MRNet implements Disposable {
  /** The network that computes the features of a slice. */
  readonly network: NetworkName;
  /**
   * The trainable parameters under PyTorch's names: filters as `[height, width, in, out]`, the linear
   * layer as `[2, channels]`.
   */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /**
   * The running means and variances of the batch normalisations under PyTorch's names, which training
   * leaves as they are; AlexNet has none.
   */
  readonly statistics: ReadonlyMap<string, Float32Array>;
  /**
   * How the grey values of an exam become the input. It belongs to the model, so that training,
   * evaluation and explanation prepare exams alike; {@linkcode MRNet.input} does it.
   */
  readonly intensity: Intensity;
  /** What the exams it was trained on look like; `undefined` if that is not known. */
  readonly landmarks: Landmarks | undefined;
  /**
   * How its probabilities are made of its logits; `undefined` for the sigmoid. Training takes it away, for
   * it belongs to the parameters that it was fitted for.
   */
  recalibration: Recalibration | undefined;
  readonly #parameters: ModelParameters;
  /** What predicts, by the engine's name; made by the first prediction on it. */
  readonly #networks = new Map<string, Promise<EngineNetwork>>();

  /**
   * Puts the parameters on the current engine; on WebAssembly with the first exam.
   *
   * @param state parameters and statistics in PyTorch's names and layout; they tell the network
   * @param options how its input is prepared, and how its probabilities are made
   * @throws {EngineError} if no engine was started
   * @throws {WeightsError} if one is missing, wrongly shaped or not finite
   * @throws {OptionError} if its input is to be mapped to landmarks, and none are given, or they are
   * none
   */
  constructor(
    state: StateDict,
    { intensity = "raw", landmarks, recalibration }: MRNetOptions = {},
  ) {
    currentEngine();
    if (intensity === "landmarks" && landmarks === undefined) {
      throw new OptionError(
        "Cannot make a model with intensity landmarks: it has no landmarks: learn them from the " +
          "training exams with learnLandmarks, or give those of a model",
      );
    }
    if (landmarks !== undefined) checkLandmarks(landmarks, "make a model");
    const selected = ownState(state, "given to MRNet");
    this.network = networkOfState(selected);
    const network = networkOf(this.network);
    const statistics = new Map<string, Float32Array>();
    for (const { name } of mrnetStatistics(network)) {
      statistics.set(name, selected.get(name)!.data.slice());
    }
    this.#parameters = new ModelParameters(network, selected);
    this.parameters = this.#parameters;
    this.statistics = statistics;
    this.intensity = intensity;
    this.landmarks = landmarks;
    this.recalibration = recalibration;
  }

  /**
   * An exam as this model's input, prepared as {@linkcode MRNet.intensity} says; the caller disposes
   * of it.
   *
   * @returns `[slices, height, width]`
   */
  input(exam: Exam): tf.Tensor3D {
    return examTensor(exam, this);
  }

  /**
   * The network's convolutions. The original repeats the one grey channel three times; that is the same
   * function.
   *
   * @param exam `[slices, height, width]`, at least 64×64, as {@linkcode MRNet.input} gives it
   * @returns `[slices, height', width', channels]`: of 256×256 AlexNet makes 7×7 and 256 channels,
   * ResNet-18 8×8 and 512
   */
  features(exam: tf.Tensor3D): tf.Tensor4D {
    tf.runTensorFlow();
    return tf.tidy(() => {
      const image: tf.Tensor4D = tf.expandDims(exam, 3);
      return featuresOf(networkOf(this.network), image, (name) => {
        const statistics = this.statistics.get(NETWORK_PREFIX + name);
        return statistics ? tf.tensor1d(statistics) : this.parameters.get(NETWORK_PREFIX + name)!;
      });
    });
  }

  /**
   * The two logits of an exam.
   *
   * @param exam `[slices, height, width]`, as {@linkcode MRNet.input} gives it
   * @returns `[1, 2]`
   */
  logits(exam: tf.Tensor3D): tf.Tensor2D {
    tf.runTensorFlow();
    return tf.tidy(() => headOf(this.parameters, this.features(exam)));
  }

  /**
   * Reads one exam as it is in its file; the model prepares its input itself.
   *
   * @throws {DataError} if a logit is not finite: then nothing is known of the exam
   */
  async predict(exam: Exam, { between }: ReadOptions = {}): Promise<Prediction> {
    const { logits } = await (await this.#predictor()).forward(exam, { between });
    return predictionOf(exam, logits, this.recalibration);
  }

  /**
   * Reads one exam, and keeps the features that the answer was made of.
   *
   * @throws {DataError} as {@linkcode MRNet.predict}
   */
  async predictWithFeatures(
    exam: Exam,
    { between }: ReadOptions = {},
  ): Promise<Prediction & { features: Features }> {
    const network = await this.#predictor();
    const { logits, features } = await network.forward(exam, { features: true, between });
    return { ...predictionOf(exam, logits, this.recalibration), features: features! };
  }

  /** A copy of the parameters and statistics in PyTorch's names and layout. */
  async stateDict(): Promise<StateDict> {
    return stateDictOf(networkState(this), await this.#parameters.copy());
  }

  /**
   * Gives a parameter new values.
   *
   * @param name one of {@linkcode MRNet.parameters}
   * @param values as many as it has, in its layout
   */
  assign(name: string, values: Float32Array): void {
    assignParameter(this.parameters, name, values);
  }

  /** Frees the parameters; the model is of no use afterwards. A second time does nothing. */
  dispose(): void {
    this.#parameters.dispose();
    for (const network of this.#networks.values()) network.then((each) => each.dispose(), () => {});
    this.#networks.clear();
  }

  /** The same as {@linkcode MRNet.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What computes this model on the current engine. */
  #predictor(): Promise<EngineNetwork> {
    const engine = currentBackend();
    let network = this.#networks.get(engine);
    if (network === undefined) {
      network = createNetwork(this, { use: "predict" });
      this.#networks.set(engine, network);
      // The next exam tries again.
      network.catch(() => this.#networks.delete(engine));
    }
    return network;
  }
}

/**
 * What two logits say about an exam.
 *
 * @param recalibration how the probability is made of the second; by the sigmoid if there is none
 * @throws {DataError} if one of them is not finite
 */
export function predictionOf(
  { id }: Pick<Exam, "id">,
  [absent, present]: Iterable<number>,
  recalibration?: Pick<Recalibration, "map">,
): Prediction {
  if (Number.isFinite(absent) && Number.isFinite(present)) {
    return { logits: [absent, present], ...probabilityOf(present, recalibration) };
  }
  throw new DataError(
    `Cannot predict '${id}': the logits are ${absent} and ${present}: ` +
      "the exam's values are far from 0–255, or the model has diverged",
  );
}

/** The probability of a logit, and the logit of that if a recalibration made it another. */
export function probabilityOf(
  logit: number,
  recalibration?: Pick<Recalibration, "map">,
): Pick<Prediction, "probability" | "recalibrated"> {
  if (recalibration === undefined) return { probability: sigmoid(logit) };
  const { probability, logit: own } = recalibrated(recalibration.map, logit);
  return { probability, recalibrated: own };
}

/** The logistic function, in double precision. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
