/**
 * MRNet: AlexNet's convolutions on every slice, the mean of each channel over a slice, the maximum
 * over the slices, and one linear layer.
 *
 * Source: N. Bien et al., Deep-learning-assisted diagnosis for knee magnetic resonance imaging:
 * Development and retrospective validation of MRNet, PLOS Medicine 15(11), 2018. AlexNet is
 * torchvision's variant (A. Krizhevsky, One weird trick for parallelizing convolutional neural
 * networks, 2014).
 *
 * @module
 */
import type { Exam } from "../data/exam.ts";
import * as tf from "../tf.ts";
import { filtersToHWIO, filtersToOIHW } from "./layout.ts";
import { maxOverSlices } from "./max_over_slices.ts";
import { MRNET_PARAMETERS, selectMRNet } from "./weights/mrnet.ts";
import { Predictor } from "./wasm/predictor.ts";
import type { StateDict } from "./weights/tensors.ts";

/** A convolution of AlexNet, followed by ReLU and, where it says so, by a maximum over 3×3. */
export interface Layer {
  name: string;
  stride: number;
  padding: number;
  pool: boolean;
}

/** AlexNet's convolutions, first to last. */
export const LAYERS: readonly Layer[] = [
  { name: "pretrained_model.features.0", stride: 4, padding: 2, pool: true },
  { name: "pretrained_model.features.3", stride: 1, padding: 2, pool: true },
  { name: "pretrained_model.features.6", stride: 1, padding: 1, pool: false },
  { name: "pretrained_model.features.8", stride: 1, padding: 1, pool: false },
  { name: "pretrained_model.features.10", stride: 1, padding: 1, pool: true },
];

/** What a model says about one exam. */
export interface Prediction {
  /** The two outputs before the sigmoid; the second is the finding's. */
  logits: [number, number];
  /** The sigmoid of the second logit, in 0–1. */
  probability: number;
}

/** A model on the current engine. Its memory is held until {@linkcode MRNet.dispose}. */
export class MRNet {
  /**
   * The twelve trainable parameters under PyTorch's names: filters as
   * `[height, width, in, out]`, the linear layer as `[2, 256]`.
   */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** Made by the first prediction on the WebAssembly engine. */
  #predictor: Promise<Predictor> | undefined;

  /**
   * Puts the parameters on the current engine.
   *
   * @param state the twelve parameters in PyTorch's names and layout
   * @throws {WeightsError} where one is missing, wrongly shaped or not finite
   */
  constructor(state: StateDict) {
    const parameters = new Map<string, tf.Variable>();
    for (const [name, { shape, data }] of selectMRNet(state, "given to MRNet")) {
      const [out, into, height, width] = shape;
      const tensor = shape.length === 4
        ? tf.tensor(filtersToHWIO(data, shape), [height, width, into, out])
        : tf.tensor(data, shape);
      // The name is left to TensorFlow.js, which wants each to be unique in the process.
      parameters.set(name, tf.variable(tensor));
      tensor.dispose();
    }
    this.parameters = parameters;
  }

  /**
   * AlexNet's convolutions.
   *
   * The reference repeats the one grey channel three times. The sum over three equal channels is
   * the channel times the sum of the filters, so the first convolution runs on one channel with
   * filters summed over their inputs: the same function, a third of its work. Each of the three
   * gets the same gradient, as it does in the reference.
   *
   * @param exam `[slices, height, width]`, values 0–255, at least 64×64
   * @returns `[slices, height', width', 256]`, for 256×256 7×7
   */
  features(exam: tf.Tensor3D): tf.Tensor4D {
    let x: tf.Tensor4D = tf.expandDims(exam, 3);
    LAYERS.forEach(({ name, stride: strides, padding: pad, pool }, index) => {
      const weight = this.#get(`${name}.weight`) as tf.Tensor4D;
      const filter: tf.Tensor4D = index === 0 ? tf.sum(weight, 2, true) : weight;
      const bias = this.#get(`${name}.bias`);
      x = tf.fused.conv2d({ x, filter, strides, pad, bias, activation: "relu" });
      if (pool) x = tf.maxPool(x, 3, 2, "valid");
    });
    return x;
  }

  /**
   * The two logits of an exam.
   *
   * @param exam `[slices, height, width]`, values 0–255
   * @returns `[1, 2]`
   */
  logits(exam: tf.Tensor3D): tf.Tensor2D {
    return tf.tidy(() => {
      const pooled: tf.Tensor2D = tf.mean(this.features(exam), [1, 2]);
      const weight = this.#get("classifer.weight") as tf.Tensor2D;
      const product = tf.matMul(maxOverSlices(pooled), weight, false, true);
      return tf.add(product, this.#get("classifer.bias"));
    });
  }

  /** Reads one exam; augmentation and normalisation are the caller's. */
  async predict(exam: Exam): Promise<Prediction> {
    const [absent, present] = await this.#logitsOf(exam);
    return { logits: [absent, present], probability: sigmoid(present) };
  }

  /** A copy of the parameters in PyTorch's names and layout. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const { name, shape } of MRNET_PARAMETERS) {
      const data = await this.#get(name).data() as Float32Array;
      // The copy matters: on some engines what is read is the tensor's own memory.
      const copy = shape.length === 4 ? filtersToOIHW(data, shape) : data.slice();
      state.set(name, { shape: [...shape], data: copy });
    }
    return state;
  }

  /**
   * Gives a parameter new values.
   *
   * @param name one of {@linkcode MRNet.parameters}
   * @param values as many as it has, in its layout
   */
  assign(name: string, values: Float32Array): void {
    const parameter = this.#get(name);
    const tensor = tf.tensor(values, parameter.shape);
    parameter.assign(tensor);
    tensor.dispose();
  }

  /** Frees the parameters; the model is of no use afterwards. */
  dispose(): void {
    for (const parameter of this.parameters.values()) parameter.dispose();
    this.#predictor = undefined;
  }

  async #logitsOf(exam: Exam): Promise<ArrayLike<number> & Iterable<number>> {
    if (tf.getBackend() === "wasm") {
      this.#predictor ??= Predictor.start();
      return await (await this.#predictor).logits(this.parameters, exam);
    }
    const logits = tf.tidy(() => this.logits(examTensor(exam)));
    const values = await logits.data();
    logits.dispose();
    return values;
  }

  #get(name: string): tf.Variable {
    return this.parameters.get(name)!;
  }
}

/** An exam as the network's input, `[slices, height, width]`; the caller disposes of it. */
export function examTensor({ voxels, slices, height, width }: Exam): tf.Tensor3D {
  const values = voxels instanceof Float32Array ? voxels : Float32Array.from(voxels);
  return tf.tensor3d(values, [slices, height, width]);
}

/** The logistic function, in double precision. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
