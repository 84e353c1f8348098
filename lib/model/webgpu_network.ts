/**
 * A model's network on the GPU, in kernels of our own: one upload, one list of dispatches, and no
 * waiting.
 *
 * Loss and logits of each exam stay in a ring on the GPU and are read several at a time while the next
 * ones compute, because a read takes at least ten milliseconds. Therefore the result of an exam comes a
 * few exams later: {@linkcode EngineNetwork.inFlight} says how many may be in flight.
 */
import { type Augmentation, photometricOf, type SourceMatrix, sourceOf } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import { type Affine, affineOf, preparedExam } from "../data/intensity.ts";
import { photometricValues } from "../data/photometric.ts";
import { EngineError, messageOf } from "../errors.ts";
import type { Dispatch, Gpu } from "../engine/webgpu/gpu.ts";
import { FORWARD_VALUES } from "../engine/webgpu/step.ts";
import { ADAM_DEFAULTS, type AdamOptions, type NetworkSettings } from "./adam.ts";
import type {
  EngineModel,
  EngineNetwork,
  ForwardOptions,
  ForwardResult,
  Snapshot,
  StepResult,
} from "./engine_network.ts";
import type { Features } from "./features.ts";
import type { OutputWeights } from "./loss.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import { networkState, ParameterWatch } from "./parameters.ts";
import { NetworkPasses, RING } from "./webgpu/network_passes.ts";
import type {
  KernelTime,
  NetworkOptions,
  PassOptions,
  PassValues,
} from "./webgpu/network_passes.ts";

/** An exam that was given to the GPU and whose result was not read yet. */
interface Open {
  slot: number;
  resolve(result: StepResult): void;
  reject(error: unknown): void;
}

/** Settings of the optimizer, and how the network is computed. */
export interface WebGPUNetworkSettings extends NetworkSettings, NetworkOptions {}

/** Computes a model in WGSL kernels. */
export class WebGPUNetwork implements EngineNetwork {
  readonly inFlight = 8;
  learningRate: number;
  readonly #gpu: Gpu;
  readonly #passes: NetworkPasses;
  readonly #model: EngineModel;
  readonly #watch = new ParameterWatch();
  readonly #optimizer: Required<AdamOptions>;
  /** The last call in the queue; exams are computed in the order of the calls. */
  #turn: Promise<unknown> = Promise.resolve();
  #open: Open[] = [];
  #reading: Promise<void> | undefined;
  #steps = 0;
  #disposed = false;

  private constructor(gpu: Gpu, model: EngineModel, settings: WebGPUNetworkSettings) {
    const { tiles, winograd, precision, slicesAtOnce, frozen, use: _, ...adam } = settings;
    const options = { tiles, winograd, precision, slicesAtOnce, frozen };
    this.#gpu = gpu;
    this.#model = model;
    this.#passes = new NetworkPasses(gpu, networkState(model), options);
    this.#optimizer = { ...ADAM_DEFAULTS, ...adam };
    this.learningRate = this.#optimizer.learningRate;
  }

  /** Makes a network that has the model's parameters. */
  static async create(
    gpu: Gpu,
    model: EngineModel,
    settings: WebGPUNetworkSettings = {},
  ): Promise<WebGPUNetwork> {
    const network = new WebGPUNetwork(gpu, model, settings);
    await network.#follow();
    return network;
  }

  forward(given: Exam, { features = false }: ForwardOptions = {}): Promise<ForwardResult> {
    return this.#inTurn(async () => {
      const exam = await this.#prepared(given, false);
      const affine = affineOf(exam, this.#model.intensity);
      const started = this.#start(exam, affine, { features });
      const done = Promise.all([started.done, started.features]);
      return { done: done.then(([{ logits }, features]) => ({ logits, features })) };
    });
  }

  step(
    { exam: given, label }: LabelledExam,
    weights: OutputWeights,
    augmentation?: Augmentation | SourceMatrix,
  ): Promise<StepResult> {
    // Taken now: the rate may have changed when the queue reaches this call.
    const { learningRate } = this;
    return this.#inTurn(async () => {
      const change = photometricOf(augmentation);
      const exam = await this.#prepared(given, true, change !== undefined);
      const affine = affineOf(exam, this.#model.intensity);
      const photometric = change && photometricValues(exam, change, affine);
      const { learningRate: _, ...constants } = this.#optimizer;
      const { beta1, beta2 } = constants;
      const source = augmentation && sourceOf(augmentation, [exam.height, exam.width]);
      const step = ++this.#steps;
      const stepSize = learningRate / (1 - beta1 ** step);
      const correction = Math.sqrt(1 - beta2 ** step);
      const grey = { ...photometric?.before ?? affine, photometric };
      const numbers = { ...constants, ...grey, label, weights, stepSize, correction };
      return this.#start(exam, { ...numbers, ...source && { source } }, { training: true });
    });
  }

  snapshot(optimizer = true): Promise<Snapshot> {
    return this.#inTurn(async () => {
      await this.#follow();
      return { done: this.#passes.parameters.snapshot(optimizer ? this.#steps : 0) };
    });
  }

  restore(state: OptimizerState): Promise<void> {
    return this.#inTurn(() => {
      this.#steps = state.steps;
      this.#passes.parameters.restore(state);
      return Promise.resolve({ done: Promise.resolve() });
    });
  }

  /** Measures the kernels of a step: see {@linkcode NetworkPasses.profile}. */
  profile(
    slices: number,
    between?: readonly Dispatch[],
  ): Promise<{ kernels: KernelTime[]; between: number[] } | undefined> {
    return this.#passes.profile(slices, between);
  }

  /** Frees the buffers after the present call; the calls behind it fail. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#turn = this.#turn.then(async () => {
      // Results that nobody awaits are read all the same, so the buffers are freed after them.
      await this.#reading;
      this.#passes.dispose();
    });
  }

  /**
   * Runs calls one after the other. The next call begins once the one before was given to the GPU; the
   * results, `done`, come later.
   */
  #inTurn<T>(call: () => Promise<{ done: Promise<T> }>): Promise<T> {
    const given = this.#turn.then(() => {
      if (this.#disposed) {
        throw new EngineError("Cannot compute with a model that was disposed of meanwhile");
      }
      return call();
    });
    this.#turn = given.catch(() => {});
    const done = given.then(({ done }) => done).catch((error) => {
      throw this.#failure(error);
    });
    // The caller gets the failure. Calls behind a failed one may have no caller left, so it is handled.
    done.catch(() => {});
    return done;
  }

  #follow(): Promise<void> {
    return this.#watch.update(this.#model.parameters, () => this.#passes.load());
  }

  /** An exam as the engine gets it, once a pass over it can be given to the GPU. */
  async #prepared(given: Exam, training: boolean, photometric: boolean = false): Promise<Exam> {
    const exam = preparedExam(given, this.#model);
    await this.#follow();
    // A caller that does not await results waits here, before the ring overflows.
    while (this.#open.length >= RING) await this.#reading;
    await this.#passes.prepare(exam, training, photometric);
    return exam;
  }

  /** Gives a pass over an exam to the GPU and says when its results are there. */
  #start(
    exam: Exam,
    numbers: Partial<PassValues> & Affine,
    how: PassOptions,
  ): { done: Promise<StepResult>; features: Promise<Features> | undefined } {
    const { slot, features } = this.#passes.run(exam, { ...FORWARD_VALUES, ...numbers }, how);
    const { promise: done, resolve, reject } = Promise.withResolvers<StepResult>();
    this.#open.push({ slot, resolve, reject });
    this.#reading ??= this.#read();
    return { done, features };
  }

  /** Reads the results of all open passes, until none is open. */
  async #read(): Promise<void> {
    while (this.#open.length > 0) {
      const open = this.#open;
      this.#open = [];
      try {
        const results = await this.#passes.results();
        for (const { slot, resolve } of open) {
          const [loss, absent, present] = results.subarray(4 * slot, 4 * slot + 3);
          resolve({ loss, logits: [absent, present] });
        }
      } catch (error) {
        for (const { reject } of open) reject(error);
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
