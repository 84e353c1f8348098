/** One exam at a time through a model that is on the WebAssembly engine, without training. */
import type { Exam } from "../../data/exam.ts";
import type { Affine } from "../../data/intensity.ts";
import type { Features } from "../features.ts";
import type { NetworkState } from "../parameters.ts";
import type { NetworkPrograms } from "./network_programs.ts";
import { parameterValues, placeParameters } from "./parameters.ts";
import { PredictionMemory } from "./prediction_memory.ts";

/**
 * How many pixels are computed at once: three slices of 256×256, which the kernels multiply together
 * (`TILES_AT_ONCE`) and which take some 50 to 100 ms, with ResNet-18 twice as long.
 */
const PIXELS_AT_ONCE = 3 * 256 * 256;

/** An exam to predict, and how. */
export interface PredictionInput {
  exam: Exam;
  /** What is done to each voxel. */
  affine: Affine;
  /** Waited for between two chunks of the exam; what it throws ends the prediction. */
  between?: () => void | Promise<void>;
}

/**
 * The forward pass on the caller's own thread. With workers a script that never disposes of its model
 * would not end.
 *
 * An exam is computed in chunks of a few slices. Slices do not depend on each other before the maximum, so
 * the answer has the same bits as in one go. Memory is needed for one chunk only, and all models of this
 * process share it.
 */
export class WasmPredictor implements Disposable {
  readonly #model: NetworkState;

  private constructor(model: NetworkState) {
    this.#model = model;
  }

  /**
   * @param model read anew for each exam: its parameters may change
   * @throws {EngineError} if the kernels cannot be started
   */
  static async start(model: NetworkState): Promise<WasmPredictor> {
    await PredictionMemory.current(model.network);
    return new WasmPredictor(model);
  }

  /** Gives its memory back; the next exam takes some anew. */
  [Symbol.dispose](): void {
    PredictionMemory.forget(this, this.#model.network);
  }

  /** The two logits of an exam, its grey values prepared, with the parameters as they are now. */
  logits(input: PredictionInput): Promise<[number, number]> {
    return this.#read(input, () => {});
  }

  /** The same with the features that the logits were made of. */
  async logitsAndFeatures(
    input: PredictionInput,
  ): Promise<{ logits: [number, number]; features: Features }> {
    const { slices } = input.exam;
    let features: Features | undefined;
    const logits = await this.#read(input, (network, first, count) => {
      const chunk = network.features(count);
      const length = chunk.height * chunk.width * chunk.channels;
      features ??= { ...chunk, slices, values: new Float32Array(slices * length) };
      features.values.set(chunk.values, first * length);
    });
    return { logits, features: features! };
  }

  /** @param take called after each chunk with its first slice and how many it has */
  async #read(
    { exam, affine, between }: PredictionInput,
    take: (network: NetworkPrograms, first: number, count: number) => void,
  ): Promise<[number, number]> {
    const { parameters, statistics } = this.#model;
    const memory = await PredictionMemory.current(this.#model.network);
    const stepInput = { label: 0, weights: [1, 1] as const, affine };
    const atOnce = Math.max(1, Math.floor(PIXELS_AT_ONCE / (exam.height * exam.width)));
    const own = memory.networkOf(this);
    const { network } = own;
    const values = [...parameters.values()].map(({ dataId }) => dataId);
    if (values.some((value, index) => value !== own.known[index])) {
      own.known = [];
      const named = await parameterValues(parameters);
      // Nothing is awaited from here on: another model's exam could overwrite the memory meanwhile.
      placeParameters(network.layout, named, network.parameters);
      network.setStatistics(statistics);
      network.run("pack", _chunk(exam, 0, atOnce), stepInput);
      own.known = values;
    }
    const { channels } = network.layout;
    const largest = new Float32Array(channels).fill(-Infinity);
    try {
      for (let first = 0; first < exam.slices; first += atOnce) {
        if (first > 0 && between !== undefined) await between();
        const chunk = _chunk(exam, first, atOnce);
        network.run("evaluate", chunk, stepInput);
        network.means(chunk.slices).forEach((mean, at) => {
          largest[at % channels] = Math.max(largest[at % channels], mean);
        });
        take(network, first, chunk.slices);
      }
      return [_logit(network, largest, 0), _logit(network, largest, 1)];
    } finally {
      memory.giveBack();
    }
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
