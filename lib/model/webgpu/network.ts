/**
 * A step on the GPU in kernels of our own: one upload, one list of dispatches, and no waiting.
 *
 * Loss and logits of each step stay in a ring on the GPU and are read several at a time while the next
 * steps compute, because a read takes at least ten milliseconds. Therefore the result of an exam comes
 * a few steps later: {@linkcode EngineNetwork.inFlight} says how many may be in flight.
 */
import {
  type Augmentation,
  photometricOf,
  type SourceMatrix,
  sourceOf,
} from "../../data/augment.ts";
import type { LabelledExam } from "../../data/dataset.ts";
import { affineOf, type Preparation, preparedExam } from "../../data/intensity.ts";
import { photometricValues } from "../../data/photometric.ts";
import { EngineError, messageOf } from "../../errors.ts";
import type { Dispatch, Gpu } from "../../engine/webgpu/gpu.ts";
import { type MRNet, networkState, sigmoid } from "../mrnet.ts";
import type { OptimizerState } from "../optimizer_state.ts";
import { EVALUATION_VALUES, NetworkPasses, RING } from "./network_passes.ts";
import type { KernelTime, NetworkOptions, PassValues } from "./network_passes.ts";
import { ADAM_DEFAULTS, type AdamOptions, type NetworkSettings } from "../adam.ts";
import type { OutputWeights } from "../loss.ts";
import type { EngineNetwork, ExamResult } from "../engine_network.ts";

/** A step that was given to the GPU and whose result was not read yet. */
interface Open {
  slot: number;
  resolve(result: ExamResult): void;
  reject(error: unknown): void;
}

/** Settings of the optimizer, and how the network is computed. */
export interface WebGPUNetworkSettings extends NetworkSettings, NetworkOptions {}

/** Runs a model in WGSL kernels. */
export class WebGPUNetwork implements EngineNetwork {
  readonly inFlight = 8;
  learningRate: number;
  readonly #gpu: Gpu;
  readonly #network: NetworkPasses;
  readonly #preparation: Preparation;
  readonly #optimizer: Required<AdamOptions>;
  /** The last call in the queue; steps are computed in the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve();
  #open: Open[] = [];
  #reading: Promise<void> | undefined;
  #steps = 0;
  #disposed = false;
  /** Whether the model's own parameters are older than the GPU's. */
  #moved = false;

  private constructor(gpu: Gpu, model: MRNet, options: WebGPUNetworkSettings) {
    const { tiles, winograd, precision, slicesAtOnce, frozen, ...adam } = options;
    this.#gpu = gpu;
    this.#network = new NetworkPasses(gpu, networkState(model), {
      tiles,
      winograd,
      precision,
      slicesAtOnce,
      frozen,
    });
    this.#preparation = { intensity: model.intensity, landmarks: model.landmarks };
    this.#optimizer = { ...ADAM_DEFAULTS, ...adam };
    this.learningRate = this.#optimizer.learningRate;
  }

  /** Makes a network that starts from the model's parameters. */
  static async create(
    gpu: Gpu,
    model: MRNet,
    options: WebGPUNetworkSettings = {},
  ): Promise<WebGPUNetwork> {
    const network = new WebGPUNetwork(gpu, model, options);
    await network.#network.load();
    return network;
  }

  train(
    given: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation | SourceMatrix,
  ): Promise<ExamResult> {
    // Taken now: the rate may have changed when the queue reaches this call.
    const { learningRate } = this;
    return this.#inTurn(async () => {
      const labelled = this.#prepared(given);
      const { exam } = labelled;
      const change = photometricOf(augmentation);
      const affine = affineOf(exam, this.#preparation.intensity);
      const photometric = change && photometricValues(exam, change, affine);
      await this.#roomFor(labelled, true, photometric !== undefined);
      this.#steps++;
      const { beta1, beta2 } = this.#optimizer;
      const result = this.#start(labelled, {
        weights,
        source: augmentation && sourceOf(augmentation, [exam.height, exam.width]),
        ...photometric?.before ?? affine,
        photometric,
        stepSize: learningRate / (1 - beta1 ** this.#steps),
        correction: Math.sqrt(1 - beta2 ** this.#steps),
      }, true);
      this.#moved = true;
      return result;
    });
  }

  evaluate(given: LabelledExam, weights: OutputWeights): Promise<ExamResult> {
    return this.#inTurn(async () => {
      const labelled = this.#prepared(given);
      await this.#roomFor(labelled, false);
      const affine = affineOf(labelled.exam, this.#preparation.intensity);
      return this.#start(labelled, { weights, ...affine }, false);
    });
  }

  sync(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#moved) await this.#network.parameters.store();
      this.#moved = false;
      return { done: Promise.resolve() };
    });
  }

  optimizerState(): Promise<OptimizerState | undefined> {
    return this.#inTurn(async () => {
      const steps = this.#steps;
      const moments = steps === 0 ? undefined : await this.#network.parameters.moments();
      return { done: Promise.resolve(moments && { steps, ...moments }) };
    });
  }

  restore(state: OptimizerState): Promise<void> {
    return this.#inTurn(() => {
      this.#steps = state.steps;
      this.#network.parameters.restore(state);
      return Promise.resolve({ done: Promise.resolve() });
    });
  }

  /** Measures the kernels of a step: see {@linkcode NetworkPasses.profile}. */
  profile(
    slices: number,
    between?: readonly Dispatch[],
  ): Promise<{ kernels: KernelTime[]; between: number[] } | undefined> {
    return this.#network.profile(slices, between);
  }

  /** Frees the buffers after the present call; the calls behind it fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#turn = this.#turn.then(async () => {
      // Results that nobody awaits are read all the same, so the buffers are freed after them.
      await this.#reading;
      this.#network.dispose();
    });
  }

  /**
   * Runs calls one after the other. The next call begins once the one before was given to the GPU; the
   * results, `done`, come later.
   */
  #inTurn<T>(call: () => Promise<{ done: Promise<T> }>): Promise<T> {
    const given = this.#turn.then(() => {
      if (this.#disposed) {
        throw new EngineError("Cannot compute with a network that was disposed of");
      }
      return call();
    });
    this.#turn = given.catch(() => {});
    const done = given.then(({ done }) => done, (error) => {
      throw this.#failure(error);
    });
    // The caller gets the failure. Calls behind a failed one may have no caller left, so it is handled.
    done.catch(() => {});
    return done;
  }

  #prepared({ exam, label }: LabelledExam): LabelledExam {
    return { exam: preparedExam(exam, this.#preparation), label };
  }

  /** Waits until a pass over an exam can be given to the GPU. */
  async #roomFor(
    { exam }: LabelledExam,
    training: boolean,
    photometric: boolean = false,
  ): Promise<void> {
    // A caller that does not await results waits here, before the ring overflows.
    while (this.#open.length >= RING) await this.#reading;
    await this.#network.prepare(exam, training, photometric);
  }

  /** Gives a pass over an exam to the GPU and says when its result is there. */
  #start(
    { exam, label }: LabelledExam,
    values: Partial<PassValues> & Pick<PassValues, "weights" | "scale" | "offset">,
    training: boolean,
  ): { done: Promise<ExamResult> } {
    const { learningRate: _, ...constants } = this.#optimizer;
    const slot = this.#network.run(exam, {
      ...constants,
      label,
      ...EVALUATION_VALUES,
      ...values,
      source: values.source ?? EVALUATION_VALUES.source,
    }, training);
    const { promise: done, resolve, reject } = Promise.withResolvers<ExamResult>();
    this.#open.push({ slot, resolve, reject });
    this.#reading ??= this.#read();
    return { done };
  }

  /** Reads the results of all open steps, until none is open. */
  async #read(): Promise<void> {
    while (this.#open.length > 0) {
      const open = this.#open;
      this.#open = [];
      try {
        const results = await this.#network.results();
        for (const { slot, resolve } of open) {
          const [loss, absent, present] = results.subarray(4 * slot, 4 * slot + 3);
          resolve({ loss, logits: [absent, present], probability: sigmoid(present) });
        }
      } catch (error) {
        for (const { reject } of open) reject(this.#failure(error));
      }
    }
    this.#reading = undefined;
  }

  /** Why a call or a read failed: what the device reported, if it did. */
  #failure(error: unknown): unknown {
    try {
      this.#gpu.check();
    } catch (reported) {
      return reported;
    }
    // A lost device may refuse a call without a reason.
    if (!(error instanceof DOMException)) return error;
    return new EngineError(
      `Cannot compute on the GPU any more: ${messageOf(error)}: ` +
        "run again, or with --backend wasm if it happens again",
    );
  }
}
