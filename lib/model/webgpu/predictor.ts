/** One exam at a time through a model that is on the WebGPU engine, without training. */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import type { Gpu } from "../../engine/webgpu/gpu.ts";
import type { Precision } from "../../engine/webgpu/precision.ts";
import type { NetworkState } from "../parameters.ts";
import { FORWARD_VALUES, NetworkPasses } from "./network_passes.ts";

/** The forward pass in kernels of our own, with memory of its own. */
export class WebGPUPredictor {
  readonly #model: NetworkState;
  readonly #network: NetworkPasses;
  /** The parameters' values that the network has: TensorFlow.js gives new values a new identity. */
  #known: object[] = [];
  /** Resolves when the calls so far are answered: they share the memory for one exam. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu, model: NetworkState, precision: Precision) {
    this.#model = model;
    this.#network = new NetworkPasses(gpu, model, { precision });
  }

  /**
   * The two logits of an exam, with the parameters as they are now.
   *
   * @throws {EngineError} if the device failed or has not the memory
   */
  logits(exam: Exam, affine: Affine): Promise<[number, number]> {
    const logits = this.#queue.then(() => this.#logits(exam, affine));
    this.#queue = logits.catch(() => {});
    return logits;
  }

  /** Frees the memory once the calls so far are answered. */
  dispose(): void {
    this.#queue.then(() => this.#network.dispose());
  }

  async #logits(exam: Exam, affine: Affine): Promise<[number, number]> {
    const values = [...this.#model.parameters.values()].map(({ dataId }) => dataId);
    if (values.some((value, index) => value !== this.#known[index])) {
      this.#known = [];
      await this.#network.load();
      this.#known = values;
    }
    await this.#network.prepare(exam, false);
    const { slot } = this.#network.run(exam, { ...FORWARD_VALUES, ...affine });
    const results = await this.#network.results();
    return [results[4 * slot + 1], results[4 * slot + 2]];
  }
}
