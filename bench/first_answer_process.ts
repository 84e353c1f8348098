/**
 * The phases of a first answer, one after the other, in a process of its own.
 *
 * ```sh
 * deno run -A bench/first_answer_process.ts MODEL SIDE SLICES
 * ```
 *
 * Prints one JSON object: seconds of each phase, by its name. The code is that of `loadMRNet` and
 * `MRNet.predict`, which load theirs when they need it.
 */
const [file, ...sizes] = Deno.args;
const [side, slices] = sizes.map(Number);
const phases: Record<string, number> = {};
let before = 0;

/** Ends a phase, which began where the last one ended. */
function done(name: string): void {
  const now = performance.now();
  phases[name] = (phases[name] ?? 0) + (now - before) / 1000;
  before = now;
}

const { startEngine } = await import("../mod.ts");
before = performance.now();
const { threads: cores } = await startEngine("wasm");
done("engine; TensorFlow.js is loaded, but does not run");
const { readMRNet } = await import("../lib/model/weights/read.ts");
done("code that reads weights");
const { tensors } = await readMRNet(file);
const { handOver } = await import("../lib/model/weights/mrnet.ts");
const { MRNet } = await import("../lib/model/mrnet.ts");
const model = new MRNet(handOver(tensors));
done("weights read and checked");
const { PIXELS_AT_ONCE } = await import("../lib/model/wasm_network.ts");
const { Threads } = await import("../lib/engine/wasm/threads.ts");
const { MAX_THREADS } = await import("../lib/model/wasm/prediction_memory.ts");
const { NetworkMemory } = await import("../lib/model/wasm/network_memory.ts");
const { NetworkPrograms } = await import("../lib/model/wasm/network_programs.ts");
const { networkState } = await import("../lib/model/parameters.ts");
done("code of the network");
const threads = await Threads.start({ threads: Math.min(cores, MAX_THREADS) });
done("kernels loaded and instantiated, workers begun");
const state = networkState(model);
const memory = new NetworkMemory(threads, false, state.network);
const programs = new NetworkPrograms(threads, memory);
done("memory taken");
await threads.ready();
done("workers waited for");
await programs.follow(state);
done("weights placed");
const run = threads.run.bind(threads);
let runs = 0;
threads.run = (addresses) => {
  done("memory and programs for an exam");
  run(addresses);
  done(["filters transformed", "first slices"][runs++] ?? "other slices");
};
const atOnce = threads.count * Math.max(1, Math.floor(PIXELS_AT_ONCE / side ** 2));
for (let first = 0; first < slices; first += atOnce) {
  const count = Math.min(atOnce, slices - first);
  const exam = { id: "first", slices: count, height: side, width: side };
  const voxels = new Uint8Array(count * side ** 2).fill(9);
  programs.run("evaluate", { ...exam, voxels }, { affine: { scale: 1, offset: 0 } });
}
// What this answer does not need: others use the parameters, or the engine `auto`.
const { findAdapter } = await import("../lib/engine/webgpu/start.ts");
before = performance.now();
model.parameters.get("classifer.bias");
done("TensorFlow.js run, its variables made");
await findAdapter();
done("a GPU looked for");
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(phases)));
Deno.exit(0);
