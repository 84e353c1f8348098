/**
 * A model's network on the processor, in this toolkit's own WebAssembly kernels: what `TensorNetwork`
 * computes, faster (docs/performance.md).
 */
import { type Augmentation, photometricOf, type SourceMatrix, sourceOf } from "../data/augment.ts";
import type { LabelledExam } from "../data/dataset.ts";
import type { Exam } from "../data/exam.ts";
import { affineOf, preparedExam } from "../data/intensity.ts";
import { photometricValues } from "../data/photometric.ts";
import { Threads } from "../engine/wasm/threads.ts";
import { ADAM_DEFAULTS, type AdamOptions, type NetworkSettings } from "./adam.ts";
import type {
  EngineModel,
  EngineNetwork,
  ForwardOptions,
  ForwardResult,
  Snapshot,
  StepResult,
} from "./engine_network.ts";
import { type Features, joinFeatures } from "./features.ts";
import type { OutputWeights } from "./loss.ts";
import type { OptimizerState } from "./optimizer_state.ts";
import { type NetworkState, networkState, stateDictOf } from "./parameters.ts";
import { NetworkMemory } from "./wasm/network_memory.ts";
import { NetworkPrograms } from "./wasm/network_programs.ts";
import { listParameters, placeParameters } from "./wasm/parameters.ts";
import { PredictionMemory } from "./wasm/prediction_memory.ts";

/**
 * How many pixels a thread computes at once to predict: three slices of 256×256, which the kernels multiply
 * together (`lib/model/wasm/tiling.ts`) and which take some 50 to 100 ms, with ResNet-18 twice as long.
 */
export const PIXELS_AT_ONCE = 3 * 256 * 256;

/** Threads and programs of a network that has memory of its own. */
interface Own {
  threads: Threads;
  programs: NetworkPrograms;
}

/** What an exam is computed with, until it is disposed of. */
interface Ready extends Disposable {
  programs: NetworkPrograms;
  /** How many slices of a size are computed at once. */
  atOnce: (height: number, width: number) => number;
}

/**
 * Computes a model on threads of its own or, to predict, on those and in the memory that all models of the
 * process share.
 *
 * There an exam is computed in chunks of a few slices a thread. Slices do not depend on each other before
 * the maximum, so the answer has the same bits as in one go, and memory is needed for one chunk only.
 */
export class WasmNetwork implements EngineNetwork {
  readonly inFlight = 0;
  learningRate: number;
  readonly #model: EngineModel;
  readonly #state: NetworkState;
  readonly #own: Own | undefined;
  /** How many threads compute at most. */
  readonly #threads: number;
  readonly #adam: Omit<Required<AdamOptions>, "learningRate">;
  #steps = 0;

  private constructor(
    model: EngineModel,
    threads: number,
    own: Own | undefined,
    options: AdamOptions,
  ) {
    this.#model = model;
    this.#state = networkState(model);
    this.#own = own;
    this.#threads = threads;
    const { learningRate, ...adam } = { ...ADAM_DEFAULTS, ...options };
    this.#adam = adam;
    this.learningRate = learningRate;
  }

  /**
   * Takes up the parameters and starts the threads.
   *
   * @throws {EngineError} if they cannot be started
   */
  static async create(
    model: EngineModel,
    { frozen, use = "train", ...options }: NetworkSettings,
    count: number,
  ): Promise<WasmNetwork> {
    const state = networkState(model);
    if (use === "predict") return new WasmNetwork(model, count, undefined, options);
    const threads = await Threads.start({ threads: count });
    try {
      const memory = new NetworkMemory(threads, use === "train", state.network);
      const programs = new NetworkPrograms(threads, memory, frozen);
      await programs.follow(state);
      return new WasmNetwork(model, count, { threads, programs }, options);
    } catch (error) {
      threads.dispose();
      throw error;
    }
  }

  async forward(
    given: Exam,
    { features: wanted = false, between }: ForwardOptions = {},
  ): Promise<ForwardResult> {
    const exam = preparedExam(given, this.#model);
    const affine = affineOf(exam, this.#model.intensity);
    // Whoever lets others run in between may be a service: without descriptors Deno cannot make a worker, and
    // ends the process.
    using ready = await this.#ready(between ? 1 : this.#threads);
    const { programs } = ready;
    const { slices, height, width } = exam;
    const atOnce = ready.atOnce(height, width);
    const { channels } = programs.layout;
    const largest = new Float32Array(channels).fill(-Infinity);
    const chunks: Features[] = [];
    for (let first = 0; first < slices; first += atOnce) {
      if (first > 0) await between?.();
      const chunk = _chunk(exam, first, atOnce);
      programs.run("evaluate", chunk, { affine });
      programs.means(chunk.slices).forEach((mean, at) => {
        largest[at % channels] = Math.max(largest[at % channels], mean);
      });
      if (wanted) chunks.push(programs.features(chunk.slices));
    }
    const features = wanted ? joinFeatures(chunks) : undefined;
    return { logits: [_logit(programs, largest, 0), _logit(programs, largest, 1)], features };
  }

  async step(
    { exam: given, label }: LabelledExam,
    weights: OutputWeights,
    source?: Augmentation | SourceMatrix,
  ): Promise<StepResult> {
    const exam = preparedExam(given, this.#model);
    const affine = affineOf(exam, this.#model.intensity);
    const matrix = source && sourceOf(source, [exam.height, exam.width]);
    const change = photometricOf(source);
    const photometric = change && photometricValues(exam, change, affine);
    using ready = await this.#ready();
    const { programs } = ready;
    programs.setAdam(this.#settingsOf(++this.#steps));
    const input = { label, weights, matrix, affine, photometric };
    const [loss, absent, present] = programs.run("train", exam, input);
    return { loss, logits: [absent, present] };
  }

  async snapshot(optimizer = true): Promise<Snapshot> {
    using ready = await this.#ready();
    const { layout, parameters, moments } = ready.programs;
    const steps = this.#steps;
    return {
      parameters: stateDictOf(this.#state, listParameters(layout, parameters)),
      optimizer: steps === 0 || !optimizer ? undefined : {
        steps,
        first: listParameters(layout, moments.first),
        second: listParameters(layout, moments.second),
      },
    };
  }

  async restore({ steps, first, second }: OptimizerState): Promise<void> {
    using ready = await this.#ready();
    const { layout, moments } = ready.programs;
    this.#steps = steps;
    placeParameters(layout, first, moments.first);
    placeParameters(layout, second, moments.second);
  }

  dispose(): void {
    if (this.#own) this.#own.threads.dispose();
    else PredictionMemory.forget(this, this.#state.network);
  }

  /**
   * Programs with the model's parameters as they are now, on threads that can compute.
   *
   * @param threads how many may predict at most
   */
  async #ready(threads: number = this.#threads): Promise<Ready> {
    using stack = new DisposableStack();
    let programs: NetworkPrograms;
    let atOnce: Ready["atOnce"] = () => Infinity;
    if (this.#own) {
      programs = this.#own.programs;
      await this.#own.threads.ready();
    } else {
      const memory = await PredictionMemory.current(this.#state.network, threads);
      stack.use(await memory.begin());
      programs = memory.programsOf(this);
      atOnce = (height, width) =>
        memory.threads * Math.max(1, Math.floor(PIXELS_AT_ONCE / (height * width)));
    }
    await programs.follow(this.#state);
    const held = stack.move();
    return { programs, atOnce, [Symbol.dispose]: () => held.dispose() };
  }

  /** The settings of a step, as the kernel `adam` takes them. */
  #settingsOf(step: number): number[] {
    const { beta1, beta2, epsilon, weightDecay } = this.#adam;
    const correction = Math.sqrt(1 - beta2 ** step);
    const rate = this.learningRate / (1 - beta1 ** step);
    return [beta1, 1 - beta1, beta2, 1 - beta2, epsilon, weightDecay, correction, rate];
  }
}

/** A logit from the maxima: summed in double precision, then rounded, as in the kernel `head`. */
function _logit(
  { parameters, layout: { linear, channels } }: NetworkPrograms,
  largest: Float32Array,
  output: number,
): number {
  const row = parameters.subarray(linear.weight + output * channels);
  const bias = parameters[linear.bias + output];
  return Math.fround(largest.reduce((sum, mean, channel) => sum + mean * row[channel], bias));
}

/** Some slices of an exam, at most `count`. */
function _chunk({ height, width, voxels, ...exam }: Exam, first: number, count: number): Exam {
  const slices = Math.min(count, exam.slices - first);
  const pixels = height * width;
  const chunk = voxels.subarray(first * pixels, (first + slices) * pixels);
  return { ...exam, slices, height, width, voxels: chunk };
}
