/**
 * Whether what a process holds stays the same over many steps.
 */
import type { Dataset } from "../../lib/data/dataset.ts";
import { currentGpu, type EngineName, startEngine } from "../../lib/engine/engine.ts";
import { createMRNet } from "../../lib/model/create.ts";
import { createRandom } from "../../lib/random.ts";
import * as tf from "./tf.ts";
import type { Label } from "../../lib/terms.ts";
import { train } from "../../lib/train/train.ts";

/** What is held at a moment. */
export interface Held {
  /** Steps of training so far. */
  steps: number;
  /** Seconds since the beginning. */
  seconds: number;
  /** The process's resident size, in bytes. */
  resident: number;
  /** TensorFlow.js's tensors. */
  tensors: number;
  /** Bytes in buffers of our own on the GPU. */
  gpu: number;
}

/** How the samples of a run compare. */
export interface Steadiness {
  samples: number;
  steps: number;
  seconds: number;
  /** The medians of the resident size in the second and in the last tenth of the samples, in bytes. */
  before: number;
  after: number;
  /** The largest growth of the tensors' number, and of the bytes on the GPU, after the first sample. */
  moreTensors: number;
  moreGpu: number;
}

/** Trains for some seconds on small exams, of one to four slices, and samples after each epoch. */
export async function sampleTraining(
  { engine, seconds, onSample }: {
    engine: EngineName;
    seconds: number;
    onSample?: (held: Held) => void;
  },
): Promise<Steadiness> {
  await startEngine(engine);
  const model = await createMRNet({ weights: "none", seed: 1 });
  const samples: Held[] = [];
  const stop = new AbortController();
  const begin = performance.now();
  let steps = 0;
  await train(model, { train: _exams(24, 1), valid: _exams(6, 2) }, {
    ...{ epochs: 1e9, patience: 1e9, seed: 1, signal: stop.signal },
    onExam: ({ phase }) => {
      if (phase === "train") steps++;
    },
    onEpoch() {
      const now = (performance.now() - begin) / 1000;
      samples.push({
        ...{ steps, seconds: now, resident: Deno.memoryUsage().rss },
        ...{ tensors: tf.memory().numTensors, gpu: currentGpu()?.counts.heldBytes ?? 0 },
      });
      onSample?.(samples.at(-1)!);
      if (now >= seconds) stop.abort();
    },
  });
  model.dispose();
  return _steadiness(samples);
}

function _steadiness(samples: readonly Held[]): Steadiness {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const median = (range: readonly Held[]) =>
    range.map(({ resident }) => resident).sort((a, b) => a - b)[Math.floor(range.length / 2)];
  const most = (name: "tensors" | "gpu") =>
    Math.max(...samples.map((held) => held[name])) - samples[0][name];
  const { steps, seconds } = samples.at(-1)!;
  return {
    ...{ samples: samples.length, steps, seconds },
    before: median(samples.slice(tenth, 2 * tenth + 1)),
    after: median(samples.slice(-tenth)),
    ...{ moreTensors: most("tensors"), moreGpu: most("gpu") },
  };
}

/** Exams that are made when they are read, as files would be. */
function _exams(count: number, seed: number): Dataset {
  const labels = Array.from({ length: count }, (_, index) => {
    return { id: String(index).padStart(4, "0"), label: (index % 2) as Label };
  });
  return {
    labels,
    read(index) {
      const { id } = labels[index];
      const random = createRandom(seed, id);
      const slices = 1 + random.integer(4);
      const voxels = Uint8Array.from({ length: slices * 64 * 64 }, () => random.bits() & 0xff);
      return Promise.resolve({ id, slices, height: 64, width: 64, voxels });
    },
  };
}
