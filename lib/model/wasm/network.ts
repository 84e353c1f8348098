/**
 * A step on the processor with this toolkit's own WebAssembly kernels, on several threads: what
 * `TensorNetwork` computes, faster (docs/performance.md).
 */
import {
  type Augmentation,
  photometricOf,
  type SourceMatrix,
  sourceOf,
} from "../../data/augment.ts";
import type { LabelledExam } from "../../data/dataset.ts";
import { affineOf, preparedExam } from "../../data/intensity.ts";
import { photometricValues } from "../../data/photometric.ts";
import { Threads } from "../../engine/wasm/threads.ts";
import { type MRNet, networkState, sigmoid } from "../mrnet.ts";
import type { OptimizerState } from "../optimizer_state.ts";
import { ADAM_DEFAULTS, type AdamOptions, type NetworkSettings } from "../adam.ts";
import type { OutputWeights } from "../loss.ts";
import type { EngineNetwork, ExamResult } from "../engine_network.ts";
import { NetworkPrograms } from "./network_programs.ts";
import { NetworkMemory } from "./network_memory.ts";
import { listParameters, parameterValues, placeParameters } from "./parameters.ts";

/** Runs a model that is on the `wasm` engine. */
export class WasmNetwork implements EngineNetwork {
  readonly inFlight = 0;
  learningRate: number;
  readonly #model: MRNet;
  readonly #threads: Threads;
  readonly #network: NetworkPrograms;
  readonly #adam: Omit<Required<AdamOptions>, "learningRate">;
  #steps = 0;
  /** Whether the weights in the products' order are those of the parameters. */
  #packed = false;
  /** Whether the model's own parameters are behind. */
  #ahead = false;

  private constructor(
    model: MRNet,
    options: AdamOptions,
    threads: Threads,
    network: NetworkPrograms,
  ) {
    this.#model = model;
    this.#threads = threads;
    this.#network = network;
    const { learningRate, ...adam } = { ...ADAM_DEFAULTS, ...options };
    this.#adam = adam;
    this.learningRate = learningRate;
  }

  /**
   * Copies the parameters into the kernels' memory and starts the threads.
   *
   * @throws {EngineError} if they cannot be started
   */
  static async create(
    model: MRNet,
    { frozen, ...options }: NetworkSettings,
    threads: number,
  ): Promise<WasmNetwork> {
    const running = await Threads.start({ threads });
    try {
      const state = networkState(model);
      const memory = new NetworkMemory(running, true, state.network);
      const network = new NetworkPrograms(running, memory, frozen);
      placeParameters(
        network.layout,
        await parameterValues(state.parameters),
        network.parameters,
      );
      network.setStatistics(state.statistics);
      return new WasmNetwork(model, options, running, network);
    } catch (error) {
      running.dispose();
      throw error;
    }
  }

  async train(
    { exam: given, label }: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation | SourceMatrix,
  ): Promise<ExamResult> {
    await this.#threads.ready();
    const exam = preparedExam(given, this.#model);
    const size = [exam.height, exam.width] as const;
    const matrix = augmentation === undefined ? undefined : sourceOf(augmentation, size);
    const affine = affineOf(exam, this.#model.intensity);
    const change = photometricOf(augmentation);
    const photometric = change && photometricValues(exam, change, affine);
    this.#setAdam(++this.#steps);
    this.#packed = false;
    this.#ahead = true;
    const input = { label, weights, matrix, affine, photometric };
    return _result(this.#network.run("train", exam, input));
  }

  async evaluate(
    { exam: given, label }: LabelledExam,
    weights: OutputWeights,
  ): Promise<ExamResult> {
    await this.#threads.ready();
    const exam = preparedExam(given, this.#model);
    const input = { label, weights, affine: affineOf(exam, this.#model.intensity) };
    if (!this.#packed) this.#network.run("pack", exam, input);
    this.#packed = true;
    return _result(this.#network.run("evaluate", exam, input));
  }

  sync(): Promise<void> {
    if (this.#ahead) {
      const { layout, parameters } = this.#network;
      for (const [name, values] of listParameters(layout, parameters)) {
        this.#model.assign(name, values);
      }
      this.#ahead = false;
    }
    return Promise.resolve();
  }

  optimizerState(): Promise<OptimizerState | undefined> {
    if (this.#steps === 0) return Promise.resolve(undefined);
    const { layout, moments: { first, second } } = this.#network;
    return Promise.resolve({
      steps: this.#steps,
      first: listParameters(layout, first),
      second: listParameters(layout, second),
    });
  }

  restore({ steps, first, second }: OptimizerState): Promise<void> {
    this.#steps = steps;
    const { layout, moments } = this.#network;
    placeParameters(layout, first, moments.first);
    placeParameters(layout, second, moments.second);
    return Promise.resolve();
  }

  dispose(): void {
    this.#threads.dispose();
  }

  #setAdam(step: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#adam;
    const correction = Math.sqrt(1 - beta2 ** step);
    const rate = this.learningRate / (1 - beta1 ** step);
    const decays = [beta1, 1 - beta1, beta2, 1 - beta2];
    this.#network.setAdam([...decays, epsilon, weightDecay, correction, rate]);
  }
}

function _result([loss, absent, present]: number[]): ExamResult {
  return { loss, logits: [absent, present], probability: sigmoid(present) };
}
