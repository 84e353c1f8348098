/**
 * What `bench/cpu.ts` measures in processes of their own, so that each has its own peak of memory.
 *
 * ```sh
 * deno run -A bench/cpu_process.ts kernels NETWORK SLICES THREADS REPEATS      # or operations
 * deno run -A bench/cpu_process.ts epochs NETWORK SLICES THREADS REPEATS
 * ```
 *
 * Prints one JSON value.
 */
import { cpuUsage } from "node:process";
import { bestOf } from "./best_of.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import type { Exam } from "../lib/data/exam.ts";
import { startEngine } from "../lib/engine/engine.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { type NetworkName, networkOf } from "../lib/network/networks.ts";
import { createRandom } from "../lib/random.ts";
import { createNetwork } from "../lib/model/create_network.ts";
import { TensorNetwork } from "../lib/model/tensor_network.ts";
import { train } from "../lib/train/train.ts";
import { evaluateExam } from "../lib/train/exam_result.ts";

/** Height and width of a slice. */
export const SIDE = 256;

/** What a process found. */
export interface Timings {
  /** Seconds. */
  step: number;
  /** Seconds. */
  forward: number;
  /** What all threads together computed for a step, in processor seconds. */
  work: number;
  /** The most memory the process had, in megabytes; NaN where the system does not say. */
  peak: number;
}

/** The memory of a training run, in megabytes. */
export interface EpochMemory {
  /** The peak after the first exam, which is the largest. */
  first: number;
  /** The peak after each epoch. */
  epochs: number[];
  /** The resident size after each epoch and a garbage collection. */
  held: number[];
}

/** Who computes: our kernels, or TensorFlow.js's operations. */
export type Kind = "kernels" | "operations";

if (import.meta.main) {
  const [kind, name, ...counts] = Deno.args;
  const [slices, threads, repeats] = counts.map(Number);
  await startEngine("wasm", { threads });
  const model = new MRNet(initialWeights(1, networkOf(name as NetworkName)));
  const found = kind === "epochs"
    ? await trainEpochs(model, slices, repeats)
    : await measure(model, kind as Kind, slices, repeats);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(found)));
  Deno.exit(0);
}

async function measure(
  model: MRNet,
  kind: Kind,
  slices: number,
  repeats: number,
): Promise<Timings> {
  const network = kind === "kernels" ? await createNetwork(model) : new TensorNetwork(model);
  const labelled = { exam: makeExam(slices), label: 1 } as const;
  let work = Infinity;
  const step = await bestOf(repeats, async () => {
    const before = processorSeconds();
    await network.step(labelled, [1, 3]);
    work = Math.min(work, processorSeconds() - before);
  });
  const forward = await bestOf(repeats, () => evaluateExam(network, labelled, [1, 3]));
  return { step, forward, work, peak: peakMemory() };
}

/** Trains epochs of exams of up to so many slices, the largest first, and validates on two more. */
async function trainEpochs(model: MRNet, most: number, epochs: number): Promise<EpochMemory> {
  const dataset = (sizes: number[]): Dataset => ({
    labels: sizes.map((_, index) => ({ id: `${index}`, label: index % 2 as 0 | 1 })),
    // Made anew each time, as if read from a file.
    read: (index) => Promise.resolve(makeExam(sizes[index])),
  });
  const small = Math.ceil(most / 3);
  const memory: EpochMemory = { first: NaN, epochs: [], held: [] };
  const datasets = {
    train: dataset([most, small, most, Math.ceil(most / 2), small, most]),
    valid: dataset([small, most]),
  };
  await train(model, datasets, {
    epochs,
    shuffle: false,
    seed: 1,
    onExam: ({ epoch, phase, done }) => {
      if (epoch === 1 && phase === "train" && done === 1) memory.first = peakMemory();
    },
    onEpoch: () => {
      memory.epochs.push(peakMemory());
      // The peak holds what V8 has not collected yet; what stays is looked at without that.
      (globalThis as { gc?: () => void }).gc?.();
      memory.held.push(Deno.memoryUsage().rss / 1e6);
    },
  });
  return memory;
}

/** An exam of noise: no two slices are alike, so more of them win a channel than of real ones. */
export function makeExam(slices: number): Exam {
  const random = createRandom(1, "bench");
  const voxels = new Uint8Array(slices * SIDE * SIDE);
  for (let index = 0; index < voxels.length; index++) voxels[index] = random.integer(256);
  return { id: "bench", slices, height: SIDE, width: SIDE, voxels };
}

function processorSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}

function peakMemory(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
  } catch {
    return NaN;
  }
}
