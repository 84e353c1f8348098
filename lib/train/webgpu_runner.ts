/**
 * A step on the GPU in kernels of our own: one upload, one list of dispatches, and no waiting.
 *
 * Loss and logits of each step stay in a ring on the GPU and are read several at a time while the next
 * steps compute, because a read takes at least ten milliseconds. Therefore the result of an exam comes
 * a few steps after the step: {@linkcode Runner.inFlight} says how many may be under way.
 *
 * @module
 */
import { type Augmentation, sourceOf } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import { affineOf, type Intensity } from "../data/intensity.ts";
import { EngineError, messageOf } from "../errors.ts";
import type { Dispatch, Gpu } from "../engine/webgpu/gpu.ts";
import { type MRNet, sigmoid } from "../model/mrnet.ts";
import type { OptimizerState } from "../model/optimizer_state.ts";
import {
  JUDGING,
  type KernelTime,
  type NetworkOptions,
  type PassValues,
  RING,
  WebGPUNetwork,
} from "../model/webgpu/network.ts";
import { ADAM_DEFAULTS, type AdamOptions } from "./adam.ts";
import type { OutputWeights } from "./loss.ts";
import type { ExamResult, Runner } from "./runner.ts";

/** A step that was given to the GPU and whose result was not read yet. */
interface Open {
  slot: number;
  resolve(result: ExamResult): void;
  reject(error: unknown): void;
}

/** Settings of the optimizer, and how the network is computed. */
export interface WebGPURunnerOptions extends AdamOptions, NetworkOptions {}

/** Runs a model in WGSL kernels. */
export class WebGPURunner implements Runner {
  readonly inFlight = 8;
  learningRate: number;
  readonly #gpu: Gpu;
  readonly #network: WebGPUNetwork;
  readonly #intensity: Intensity;
  readonly #optimizer: Required<AdamOptions>;
  /** The end of the queue of calls: steps are computed in the order they were asked for. */
  #turn: Promise<unknown> = Promise.resolve();
  #open: Open[] = [];
  #reading: Promise<void> | undefined;
  #steps = 0;
  #disposed = false;
  /** Whether the model's own parameters are older than the GPU's. */
  #moved = false;

  private constructor(gpu: Gpu, model: MRNet, options: WebGPURunnerOptions) {
    const { tiles, winograd, precision, slicesAtOnce, ...adam } = options;
    this.#gpu = gpu;
    this.#network = new WebGPUNetwork(gpu, model.parameters, {
      tiles,
      winograd,
      precision,
      slicesAtOnce,
    });
    this.#intensity = model.intensity;
    this.#optimizer = { ...ADAM_DEFAULTS, ...adam };
    this.learningRate = this.#optimizer.learningRate;
  }

  /** Makes a runner that starts from the model's parameters. */
  static async create(
    gpu: Gpu,
    model: MRNet,
    options: WebGPURunnerOptions = {},
  ): Promise<WebGPURunner> {
    const runner = new WebGPURunner(gpu, model, options);
    await runner.#network.load();
    return runner;
  }

  train(
    labelled: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation,
  ): Promise<ExamResult> {
    // The rate is that of the call, whenever its turn comes.
    const { learningRate } = this;
    return this.#inTurn(async () => {
      const { exam } = labelled;
      await this.#roomFor(labelled, true);
      this.#steps++;
      const { beta1, beta2 } = this.#optimizer;
      const result = this.#start(labelled, {
        weights,
        source: augmentation && sourceOf(augmentation, [exam.height, exam.width]),
        stepSize: learningRate / (1 - beta1 ** this.#steps),
        correction: Math.sqrt(1 - beta2 ** this.#steps),
      }, true);
      this.#moved = true;
      return result;
    });
  }

  evaluate(labelled: LabelledExam, weights: OutputWeights): Promise<ExamResult> {
    return this.#inTurn(async () => {
      await this.#roomFor(labelled, false);
      return this.#start(labelled, { weights }, false);
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

  /** Measures the kernels of a step: see {@linkcode WebGPUNetwork.profile}. */
  profile(
    slices: number,
    between?: readonly Dispatch[],
  ): Promise<{ kernels: KernelTime[]; between: number[] } | undefined> {
    return this.#network.profile(slices, between);
  }

  /** Frees the buffers once the call that has its turn is through; those behind it fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#turn = this.#turn.then(async () => {
      // Steps that nobody waits for any more are read all the same, from a buffer that is still there.
      await this.#reading;
      this.#network.dispose();
    });
  }

  /**
   * Runs calls one after the other. A call has had its turn once it was given to the GPU; its `done`
   * comes later.
   */
  #inTurn<T>(call: () => Promise<{ done: Promise<T> }>): Promise<T> {
    const given = this.#turn.then(() => {
      if (this.#disposed) {
        throw new EngineError("Cannot compute with a runner that was disposed of");
      }
      return call();
    });
    this.#turn = given.catch(() => {});
    const done = given.then(({ done }) => done, (error) => {
      throw this.#failure(error);
    });
    // Whoever asked hears of a failure; steps behind a failed one may have nobody left to listen.
    done.catch(() => {});
    return done;
  }

  /** Waits until a pass over an exam can be given to the GPU. */
  async #roomFor({ exam }: LabelledExam, training: boolean): Promise<void> {
    // Whoever does not wait for results is held up here, before the ring overflows.
    while (this.#open.length >= RING) await this.#reading;
    await this.#network.prepare(exam, training);
  }

  /** Gives a pass over an exam to the GPU and says when its result is there. */
  #start(
    { exam, label }: LabelledExam,
    values: Partial<PassValues> & { weights: OutputWeights },
    training: boolean,
  ): { done: Promise<ExamResult> } {
    const { learningRate: _, ...constants } = this.#optimizer;
    const slot = this.#network.run(exam, {
      ...constants,
      label,
      ...affineOf(exam, this.#intensity),
      ...JUDGING,
      ...values,
      source: values.source ?? JUDGING.source,
    }, training);
    const { promise: done, resolve, reject } = Promise.withResolvers<ExamResult>();
    this.#open.push({ slot, resolve, reject });
    this.#reading ??= this.#read();
    return { done };
  }

  /** Reads the results of all open steps, again and again until none is open. */
  async #read(): Promise<void> {
    while (this.#open.length > 0) {
      const open = this.#open;
      this.#open = [];
      try {
        const results = await this.#network.figures();
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
    // A device that is gone may refuse a call and not say why.
    if (!(error instanceof DOMException)) return error;
    return new EngineError(
      `Cannot compute on the GPU any more: ${messageOf(error)}: ` +
        "run again, or with --backend wasm if it happens again",
    );
  }
}
