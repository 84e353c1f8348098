/**
 * How long each of the processor's kernels takes in a step, and which share of the processor's peak it
 * reaches: `deno task bench:cpu --kernels`.
 */
import { makeExam } from "./cpu_process.ts";
import { KERNEL_PARAMETERS } from "../lib/engine/wasm/kernel_parameters.ts";
import { findCapabilities } from "../lib/engine/wasm/capabilities.ts";
import { loadKernels } from "../lib/engine/wasm/kernels.js";
import { CONTROL_WORDS, execute, instantiate, type Thread } from "../lib/engine/wasm/thread.js";
import { FIRST_FREE, type Threads } from "../lib/engine/wasm/threads.ts";
import { startEngine } from "../lib/engine/engine.ts";
import { initialWeights } from "../lib/model/initialise.ts";
import { MRNet } from "../lib/model/mrnet.ts";
import { networkState } from "../lib/model/parameters.ts";
import { NetworkMemory } from "../lib/model/wasm/network_memory.ts";
import { NetworkPrograms } from "../lib/model/wasm/network_programs.ts";
import type { Network } from "../lib/network/network.ts";

/** What a kernel's calls come to. */
export interface KernelTime {
  calls: number;
  /** Of all threads together. */
  seconds: number;
  /** Multiplications that a sum is formed with; 0 of kernels that only move and transform. */
  multiplyAdds: number;
}

/** Kernels by their names. */
export type KernelTimes = Map<string, KernelTime>;

type Arguments = Readonly<Record<string, number>>;

/** The kernels that multiply and add, and how often: by their arguments and what lies in memory. */
const MULTIPLY_ADDS: Readonly<Record<string, (a: Arguments, words: Int32Array) => number>> = {
  addFilterGradient6: (a) => 36 * (6 * a.sixes + 4 * a.fours) * 8 * a.panels * a.tiles,
  addFilterGradient8: (a) => 64 * (6 * a.sixes + 4 * a.fours) * 8 * a.panels * a.tiles,
  addNarrowProduct: (a) => 4 * a.tiles * 8 * a.panels * a.lines * a.length,
  addProduct: (a) => 6 * a.tiles * 8 * a.panels * a.lines * a.length,
  convolve: (a) => 6 * a.tiles * 8 * a.panels * a.rows * a.run,
  multiplyTransformed: (a) => a.products * a.tiles * 8 * a.panels * a.inputs,
  sparseFilter: (a, words) => _listed(a, words) * a.rows * a.chunks * 32,
  sparseFilterNarrow: (a, words) => _listed(a, words) * a.rows * 12,
  sparseInput: (a, words) => words[a.starts / 4 + a.height * a.width] * a.rows * a.chunks * 32,
};

/** How many entries the lists of a sparse gradient have. */
function _listed({ counts, channels }: Arguments, words: Int32Array): number {
  return words.subarray(counts / 4, counts / 4 + channels).reduce((sum, count) => sum + count, 0);
}

/** A thread's kernels, each of which adds its time to `times`. */
function _timed(kernels: Thread["kernels"], memory: WebAssembly.Memory, times: KernelTimes) {
  return Object.entries(KERNEL_PARAMETERS).sort(([a], [b]) => a < b ? -1 : 1).map(
    ([name, parameters], index) => {
      const time = { calls: 0, seconds: 0, multiplyAdds: 0 };
      times.set(name, time);
      const count = MULTIPLY_ADDS[name];
      return (...args: number[]) => {
        const start = performance.now();
        kernels[index](...args);
        time.seconds += (performance.now() - start) / 1000;
        time.calls++;
        if (count === undefined) return;
        const named = Object.fromEntries(parameters.map((parameter, at) => [parameter, args[at]]));
        time.multiplyAdds += count(named, new Int32Array(memory.buffer));
      };
    },
  );
}

/** What a worker is given before programs. */
interface Setup extends Omit<Thread, "kernels"> {
  module: WebAssembly.Module;
}

/** Stands in for the engine's threads: these time each kernel. */
class TimedThreads implements Pick<Threads, "count" | "buffer" | "reserve" | "run" | "dispose"> {
  readonly count: number;
  readonly #memory: WebAssembly.Memory;
  readonly #own: Thread;
  readonly #times: KernelTimes = new Map();
  readonly #workers: Worker[] = [];

  private constructor({ module, ...shared }: Setup) {
    this.count = shared.threads;
    this.#memory = shared.memory;
    const kernels = instantiate(module, shared.memory);
    this.#own = { ...shared, kernels: _timed(kernels, shared.memory, this.#times) };
  }

  static async start(count: number): Promise<TimedThreads> {
    const module = await loadKernels(findCapabilities());
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true });
    const control = FIRST_FREE - 4 * CONTROL_WORDS;
    const setup = { module, memory, control, threads: count, patience: 60_000 };
    const threads = new TimedThreads(setup);
    for (let thread = 1; thread < count; thread++) {
      const worker = new Worker(import.meta.url, { type: "module", name: WORKER });
      threads.#workers.push(worker);
      await _answer(worker, setup);
    }
    return threads;
  }

  get buffer(): ArrayBufferLike {
    return this.#memory.buffer;
  }

  reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.#memory.buffer.byteLength) / 65536);
    if (missing > 0) this.#memory.grow(missing);
  }

  run(programs: readonly number[]): void {
    this.#workers.forEach((worker, index) => worker.postMessage(programs[index + 1]));
    execute(this.#own, programs[0]);
  }

  /** What all threads took since the last call. */
  async times(): Promise<KernelTimes> {
    const all = new Map<string, KernelTime>();
    const others = await Promise.all(
      this.#workers.map((worker) => _answer(worker, "times") as Promise<KernelTimes>),
    );
    for (const times of [_taken(this.#times), ...others]) {
      for (const [name, { calls, seconds, multiplyAdds }] of times) {
        const sum = all.get(name) ?? { calls: 0, seconds: 0, multiplyAdds: 0 };
        sum.calls += calls;
        sum.seconds += seconds;
        sum.multiplyAdds += multiplyAdds;
        all.set(name, sum);
      }
    }
    return all;
  }

  dispose(): void {
    for (const worker of this.#workers) worker.terminate();
  }
}

/** A copy of the times, which begin at zero again. */
function _taken(times: KernelTimes): KernelTimes {
  const copy = new Map([...times].map(([name, time]) => [name, { ...time }]));
  for (const time of times.values()) Object.assign(time, { calls: 0, seconds: 0, multiplyAdds: 0 });
  return copy;
}

function _answer(worker: Worker, message: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
    worker.postMessage(message);
  });
}

/**
 * The time of each kernel in a step on an exam of noise, the least of several steps.
 *
 * @returns also the seconds of a step by the clock
 */
export async function timeKernels(
  network: Network,
  slices: number,
  count: number,
  repeats: number,
): Promise<{ times: KernelTimes; seconds: number }> {
  await startEngine("wasm", { threads: 1 });
  const threads = await TimedThreads.start(count);
  try {
    const like = threads as unknown as Threads;
    const programs = new NetworkPrograms(like, new NetworkMemory(like, true, network));
    const model = new MRNet(initialWeights(1, network));
    await programs.follow(networkState(model));
    // β₁, 1 − β₁, β₂, 1 − β₂, ε, weight decay, and two of step 1.
    programs.setAdam([0.9, 0.1, 0.999, 0.001, 1e-8, 0.1, Math.sqrt(0.001), 1e-4]);
    const input = { label: 1, weights: [1, 3], affine: { scale: 1, offset: 0 } } as const;
    const exam = makeExam(slices);
    programs.run("train", exam, input);
    await threads.times();
    const best: KernelTimes = new Map();
    let seconds = Infinity;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const start = performance.now();
      programs.run("train", exam, input);
      seconds = Math.min(seconds, (performance.now() - start) / 1000);
      const times = await threads.times();
      for (const [name, time] of times) {
        if (time.seconds < (best.get(name)?.seconds ?? Infinity)) best.set(name, time);
      }
    }
    return { times: best, seconds };
  } finally {
    threads.dispose();
  }
}

/** A number as WebAssembly writes it in few bytes. */
function _leb(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ..._leb(Math.floor(value / 128))];
}

/**
 * The most multiply-adds that a thread can do in a second: those of a loop of independent ones, as many as
 * a register tile has, on vectors that are never loaded.
 */
export function peakOfThread(): number {
  const [sums, unrolled] = [12, 8];
  const get = (local: number) => [0x20, ..._leb(local)];
  const [x, y, first] = [1, 2, 3];
  const multiplyAdds = Array.from({ length: sums * unrolled }, (_, index) => {
    const sum = first + index % sums;
    return [...get(x), ...get(y), ...get(sum), 0xfd, 0x85, 0x02, 0x21, ..._leb(sum)];
  }).flat();
  // Of each sum a lane is in the result, so that none can be left out.
  const lanes = Array.from({ length: sums }, (_, index) => [...get(first + index), 0xfd, 0x1b, 0]);
  const body = [
    ...[1, ..._leb(sums + 2), 0x7b, 0x03, 0x40, ...multiplyAdds],
    // `if (--count) continue`.
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
    ...lanes.flatMap((lane, index) => index === 0 ? lane : [...lane, 0x73]),
    0x0b,
  ];
  const section = (id: number, bytes: number[]) => [id, ..._leb(bytes.length), ...bytes];
  const module = new WebAssembly.Module(Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x70, 0, 0]),
    ...section(10, [1, ..._leb(body.length), ...body]),
  ]));
  const loop = new WebAssembly.Instance(module).exports.p as (count: number) => number;
  const rounds = 2 ** 20;
  let best = Infinity;
  for (let repeat = 0; repeat < 8; repeat++) {
    const start = performance.now();
    loop(rounds);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return 4 * sums * unrolled * rounds / best;
}

/** The lines of a table of kernels, the longest first. */
export function kernelTable(times: KernelTimes, peak: number): string[] {
  const rows = [...times].filter(([, { calls }]) => calls > 0)
    .sort(([, a], [, b]) => b.seconds - a.seconds);
  const all = rows.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  const giga = (value: number) => (value / 1e9).toFixed(2).padStart(8);
  const line = ([name, { calls, seconds, multiplyAdds }]: [string, KernelTime]) => {
    const cells = [
      name.padEnd(20),
      calls.toFixed(0).padStart(6),
      seconds.toFixed(4).padStart(8),
      `${(100 * seconds / all).toFixed(1)} %`.padStart(7),
    ];
    if (multiplyAdds > 0) {
      const rate = multiplyAdds / seconds;
      cells.push(giga(multiplyAdds), giga(rate), `${(100 * rate / peak).toFixed(0)} %`.padStart(7));
    }
    return cells.join(" ");
  };
  return [
    "kernel                calls  seconds   share     G ma   G ma/s    peak",
    ...rows.map(line),
    `${"all".padEnd(20)} ${"".padStart(6)} ${all.toFixed(4).padStart(8)}`,
  ];
}

/** The name of the workers that this file starts of itself. */
const WORKER = "mrnet-timed-kernels";

/** As much of a worker's scope as is used. */
interface WorkerScope {
  name?: string;
  onmessage(event: { data: number | "times" | Setup }): void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
if (scope.name === WORKER) {
  const times: KernelTimes = new Map();
  let thread: Thread | undefined;
  scope.onmessage = ({ data }) => {
    if (typeof data === "number") execute(thread!, data);
    else if (data === "times") scope.postMessage(_taken(times));
    else {
      const { module, ...shared } = data;
      const kernels = instantiate(module, shared.memory);
      thread = { ...shared, kernels: _timed(kernels, shared.memory, times) };
      scope.postMessage("ready");
    }
  };
}
