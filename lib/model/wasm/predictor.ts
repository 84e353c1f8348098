/**
 * One exam at a time through a model that is on the WebAssembly engine, without training.
 *
 * @module
 */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import { Threads } from "../../engine/wasm/threads.ts";
import type * as tf from "../../tf.ts";
import type { Features } from "../features.ts";
import { MRNetThreads } from "./mrnet_threads.ts";
import { readParameters } from "./parameters.ts";

/**
 * The forward pass on the caller's own thread: workers would keep a script from ending that never
 * disposes of its model.
 */
export class Predictor {
  readonly #network: MRNetThreads;
  /** The parameters' values that the network has: TensorFlow.js gives new values a new identity. */
  #known: object[] = [];

  private constructor(threads: Threads) {
    this.#network = new MRNetThreads(threads);
  }

  /** @throws {EngineError} where the kernels cannot be started */
  static async start(): Promise<Predictor> {
    return new Predictor(await Threads.start({ threads: 1 }));
  }

  /** The two logits of an exam, its grey values prepared, with the parameters as they are now. */
  logits(
    parameters: ReadonlyMap<string, tf.Variable>,
    exam: Exam,
    affine: Affine,
  ): Promise<[number, number]> {
    return this.#read(parameters, { exam, affine }, (logits) => logits);
  }

  /** The same with the features that the logits were made of. */
  logitsAndFeatures(
    parameters: ReadonlyMap<string, tf.Variable>,
    exam: Exam,
    affine: Affine,
  ): Promise<{ logits: [number, number]; features: Features }> {
    return this.#read(parameters, { exam, affine }, (logits) => {
      return { logits, features: this.#network.features(exam.slices) };
    });
  }

  /** @param take what is wanted of the memory, before another exam may come */
  async #read<T>(
    parameters: ReadonlyMap<string, tf.Variable>,
    { exam, affine }: { exam: Exam; affine: Affine },
    take: (logits: [number, number]) => T,
  ): Promise<T> {
    const question = { label: 0, weights: [1, 1] as const, affine };
    const values = [...parameters.values()].map(({ dataId }) => dataId);
    if (values.some((value, index) => value !== this.#known[index])) {
      this.#known = [];
      await readParameters(parameters, this.#network.parameters);
      this.#network.run("pack", exam, question);
      this.#known = values;
    }
    const [, absent, present] = this.#network.run("judge", exam, question);
    return take([absent, present]);
  }
}
