/**
 * One exam at a time through a model that is on the WebGPU engine, without training.
 *
 * @module
 */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import type { Gpu } from "../../engine/webgpu/gpu.ts";
import type { Precision } from "../../engine/webgpu/precision.ts";
import type { Parameters } from "../parameters.ts";
import { JUDGING, WebGPUNetwork } from "./network.ts";

/** The forward pass in kernels of our own, with memory of its own. */
export class WebGPUPredictor {
  readonly #parameters: Parameters;
  readonly #network: WebGPUNetwork;
  /** The parameters' values that the network has: TensorFlow.js gives new values a new identity. */
  #known: object[] = [];
  /** The end of the queue of calls: they share the memory for one exam. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu, parameters: Parameters, precision: Precision) {
    this.#parameters = parameters;
    this.#network = new WebGPUNetwork(gpu, parameters, { precision });
  }

  /**
   * The two logits of an exam, with the parameters as they are now.
   *
   * @throws {EngineError} where the device failed or has not the memory
   */
  logits(exam: Exam, affine: Affine): Promise<[number, number]> {
    const logits = this.#turn.then(() => this.#logits(exam, affine));
    this.#turn = logits.catch(() => {});
    return logits;
  }

  /** Frees the memory once the calls so far are answered. */
  dispose(): void {
    this.#turn.then(() => this.#network.dispose());
  }

  async #logits(exam: Exam, affine: Affine): Promise<[number, number]> {
    const values = [...this.#parameters.values()].map(({ dataId }) => dataId);
    if (values.some((value, index) => value !== this.#known[index])) {
      this.#known = [];
      await this.#network.load();
      this.#known = values;
    }
    await this.#network.prepare(exam, false);
    const slot = this.#network.run(exam, { ...JUDGED, ...affine }, false);
    const figures = await this.#network.figures();
    return [figures[4 * slot + 1], figures[4 * slot + 2]];
  }
}

/** A pass of which only the logits count. */
const JUDGED = {
  label: 0,
  weights: [1, 1],
  ...JUDGING,
  beta1: 0,
  beta2: 0,
  epsilon: 1,
  weightDecay: 0,
} as const;
