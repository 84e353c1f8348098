/**
 * Where tensors are computed: chosen once, then the same for the whole process.
 *
 * The model is written in ordinary TensorFlow.js operations and runs on each of the three engines.
 */
import { EngineError, messageOf, OptionError } from "../errors.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import * as tf from "../tf.ts";
import { type AdapterInfo, adapterInfo, adapterWords, describeAdapter } from "./webgpu/adapter.ts";
import type { Gpu } from "./webgpu/gpu.ts";
import { type Precision, PRECISIONS } from "./webgpu/precision.ts";
import { findAdapter, registerWebGPU } from "./webgpu/start.ts";
import {
  describeProcessor,
  findCapabilities,
  MAX_THREADS,
  threadsToUse,
} from "./wasm/capabilities.ts";
import { loadWasmBackend } from "./wasm/start.ts";

/** The engines, by the names TensorFlow.js gives them. */
export const ENGINES = ["webgpu", "wasm", "cpu"] as const;
/** WebGPU, WebAssembly, or plain JavaScript, the slow reference that the others are held against. */
export type EngineName = (typeof ENGINES)[number];

/** What can be asked for. */
export const ENGINE_CHOICES: readonly EngineChoice[] = ["auto", ...ENGINES];
/** An engine by name, or `auto`: WebGPU on a real GPU, WebAssembly otherwise. */
export type EngineChoice = "auto" | EngineName;

/** A started engine. */
export interface Engine {
  /** Which of the three it is. */
  readonly name: EngineName;
  /** What computes, such as the GPU's name. */
  readonly device: string;
  /** The GPU as its driver names it, if the engine is `webgpu`. */
  readonly adapter?: AdapterInfo;
  /** Why it was chosen. */
  readonly reason: string;
  /** How many threads of the processor train and evaluate; 1 on every engine but WebAssembly. */
  readonly threads: number;
  /** How the network's activations are stored; `half` on WebGPU only. */
  readonly precision: Precision;
  /** Throws an {@linkcode EngineError} once the device has failed; to be called after each step. */
  check(): void;
}

/** How an engine is started. */
export interface EngineOptions {
  /**
   * How many threads of the processor the WebAssembly engine trains and evaluates on, 1 to 64. The same
   * number gives the same bits, another number the same results to about seven digits.
   * @default the processor's cores, at most 16: an exam has some 17 to 61 slices to share out, and each
   * thread holds memory and waits for the others in every step; 1 without shared memory or workers
   */
  threads?: number;
  /**
   * How the network's activations are stored on WebGPU: `half` takes two bytes a number instead of four,
   * and results agree to about three digits. Sums, gradients, parameters and the optimizer's moments are
   * in single precision in any case.
   * @default "float32"
   */
  precision?: Precision;
}

/** Where something is computed. */
export interface ComputeOptions extends Pick<EngineOptions, "threads"> {
  /**
   * The engine to compute on.
   * @default "auto"
   */
  engine?: EngineChoice;
}

/** What starting can be given. */
const OPTION_NAMES: OptionNames<EngineOptions> = {
  threads: true,
  precision: true,
};

const running = new Map<EngineName, Engine>();
/** The engine that becomes TensorFlow.js's current one as soon as that runs. */
let waiting: EngineName | undefined;
/** Registers the WebAssembly backend once; nothing before it is loaded. */
let registerWasm: (() => void) | undefined;
/** The start before. One at a time: TensorFlow.js cannot register a backend that is starting. */
let starting: Promise<unknown> = Promise.resolve();

/** The device of the `webgpu` engine, once that was started. */
let gpu: Gpu | undefined;

/**
 * Starts an engine and makes it TensorFlow.js's current one. Starting the same one again is cheap. Only a
 * GPU that has failed is started anew; models that were on it have to be loaded again.
 *
 * On WebAssembly our own kernels compute, and TensorFlow.js need not run. It does if the script has
 * imported it, and otherwise when a model's parameters or tensors are asked for: then the engine becomes its
 * current one.
 *
 * A software adapter (llvmpipe, SwiftShader, WARP) is used only if `webgpu` is asked for by name:
 * WebAssembly is faster than WebGPU computed by the processor.
 *
 * @param choice an engine by name, or `auto`
 * @throws {OptionError} if an option does not exist, `threads` is no whole number of 1 to 64, or `precision` is unknown or
 * not to be had on the engine
 * @throws {EngineError} if the engine asked for cannot be had; the message says why
 *
 * @example
 * ```ts
 * import { startEngine } from "./engine.ts";
 * const engine = await startEngine("wasm");
 * console.assert(engine.name === "wasm");
 * ```
 */
export function startEngine(
  choice: EngineChoice = "auto",
  options: EngineOptions = {},
): Promise<Engine> {
  const { threads = _coresToUse(), precision = "float32" } = options;
  const started = starting.then(async () => {
    checkOptionNames("start an engine", options, OPTION_NAMES);
    await tf.loadTensorFlow();
    return await _startChosen(choice, { threads, precision });
  });
  starting = started.catch(() => {});
  return started;
}

async function _startChosen(
  choice: EngineChoice,
  options: Required<EngineOptions>,
): Promise<Engine> {
  const { threads, precision } = options;
  if (!PRECISIONS.includes(precision)) {
    throw new OptionError(
      `Cannot start an engine with precision '${precision}': choose from ${PRECISIONS.join(", ")}`,
    );
  }
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    throw new OptionError(
      `Cannot start an engine with threads ${threads}: ` +
        `give a whole number of 1 to ${MAX_THREADS}`,
    );
  }
  switch (choice) {
    case "auto":
      return await _startBest(options);
    case "webgpu": {
      const adapter = await findAdapter();
      if (adapter === undefined) {
        throw new EngineError(
          "Cannot start the WebGPU engine: this machine offers no adapter: " +
            "install a Vulkan, Metal or Direct3D 12 driver, or use --backend wasm",
        );
      }
      return await _startWebGPU(adapter, "asked for by name", options);
    }
    case "wasm":
    case "cpu":
      return await _start(choice, "asked for by name", options);
    default:
      choice satisfies never;
      throw new OptionError(
        `Cannot start engine '${choice}': choose from ${ENGINE_CHOICES.join(", ")}`,
      );
  }
}

/** The engine's name as TensorFlow.js gives it; empty if there is none. */
export function currentBackend(): string {
  // The script may have imported TensorFlow.js meanwhile.
  if (waiting !== undefined && tf.isTensorFlowInUse()) tf.runTensorFlow();
  return waiting ?? tf.getBackend();
}

/**
 * The engine that TensorFlow.js computes on now.
 *
 * @throws {EngineError} if none was started with {@linkcode startEngine}
 */
export function currentEngine(): Engine {
  const engine = running.get(currentBackend() as EngineName);
  if (engine !== undefined) return engine;
  throw new EngineError("Cannot compute before an engine runs: await startEngine() first");
}

/** The device that our own kernels run on, if the current engine is `webgpu`. */
export function currentGpu(): Gpu | undefined {
  return currentBackend() === "webgpu" ? gpu : undefined;
}

/** Whether this toolkit's own WebAssembly kernels compute: the engine is `wasm`, and SIMD is there. */
export function usesWasmKernels(): boolean {
  return currentBackend() === "wasm" && findCapabilities().simd;
}

/** The engine that runs, started as `auto` would be if there is none. */
export async function ensureEngine(): Promise<Engine> {
  return running.get(currentBackend() as EngineName) ?? await startEngine();
}

/** The number of threads if none is asked for. */
function _coresToUse(): number {
  return Math.min(navigator.hardwareConcurrency, 16);
}

async function _startBest(options: Required<EngineOptions>): Promise<Engine> {
  const adapter = await findAdapter();
  if (adapter === undefined) return await _start("wasm", "no WebGPU adapter", options);
  const { name, software } = describeAdapter(adapter);
  if (software) {
    return await _start("wasm", `the only WebGPU adapter is software, ${name}`, options);
  }
  try {
    return await _startWebGPU(adapter, "a GPU is there", options);
  } catch (error) {
    const reason = `the GPU '${name}' did not start: ${messageOf(error)}`;
    return await _start("wasm", reason, options);
  }
}

async function _startWebGPU(
  adapter: GPUAdapter,
  reason: string,
  options: Required<EngineOptions>,
): Promise<Engine> {
  const device = adapterWords(describeAdapter(adapter));
  return await _start("webgpu", reason, { ...options, device, adapter });
}

async function _start(
  name: EngineName,
  reason: string,
  { threads: wanted, precision, device, adapter }:
    & Required<EngineOptions>
    & Partial<Pick<Engine, "device">>
    & { adapter?: GPUAdapter },
): Promise<Engine> {
  if (precision === "half" && name !== "webgpu") {
    throw new OptionError(
      `Cannot compute in half precision on ${TITLES[name]} (${reason}): only WebGPU does: ` +
        "use --backend webgpu, or leave --precision out",
    );
  }
  const has = findCapabilities();
  const threads = name === "wasm" ? threadsToUse(wanted, has) : 1;
  device ??= name === "wasm" ? describeProcessor(wanted, has) : "the processor, one thread";
  const before = running.get(name);
  let check = before !== undefined && _works(before) ? before.check : undefined;
  if (check === undefined) {
    if (adapter !== undefined) {
      tf.runTensorFlow();
      const failed = gpu;
      gpu = await registerWebGPU(adapter);
      // Its memory is of no use any more.
      failed?.device.destroy();
    }
    check = adapter === undefined ? () => {} : gpu!.check;
  }
  // Reason, precision and threads are new each time; the device and its watch stay.
  const info = adapter && adapterInfo(adapter);
  const engine: Engine = {
    ...{ name, device, reason, threads, precision, check },
    ...(info && { adapter: info }),
  };
  try {
    if (name === "wasm") await _loadWasm();
    if (name === "wasm" && has.simd && !tf.isTensorFlowInUse()) _makeCurrentLater();
    else await _makeCurrent(name);
  } catch (error) {
    throw new EngineError(`Cannot start the ${name} engine: ${messageOf(error)}`);
  }
  running.set(name, engine);
  return engine;
}

/** Loads the WebAssembly backend, which can then be registered at any time. */
async function _loadWasm(): Promise<void> {
  if (registerWasm !== undefined) return;
  const register = await loadWasmBackend();
  let done = false;
  registerWasm = () => {
    if (!done) register();
    done = true;
  };
}

/** Makes an engine TensorFlow.js's current one, which therefore runs from now on. */
async function _makeCurrent(name: EngineName): Promise<void> {
  tf.runTensorFlow();
  if (name === "wasm") registerWasm!();
  if (!await tf.setBackend(name)) throw new Error("TensorFlow.js could not initialise it");
  if (name === "cpu") _silenceAdvice();
}

/** Leaves this to whatever needs TensorFlow.js first: our own kernels do not. */
function _makeCurrentLater(): void {
  waiting = "wasm";
  tf.onceTensorFlowRuns(() => {
    waiting = undefined;
    registerWasm!();
    // Done on return: the backend is made without waiting.
    void tf.setBackend("wasm");
    if (tf.getBackend() !== "wasm") throw new EngineError("Cannot start the wasm engine");
  });
}

function _works({ check }: Engine): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** The plain backend greets its first tensor with an advertisement for a native add-on. */
function _silenceAdvice(): void {
  (tf.backend() as tf.KernelBackend & { firstUse?: boolean }).firstUse = false;
}

const TITLES = { webgpu: "WebGPU", wasm: "WebAssembly", cpu: "plain JavaScript" };

/** One line for the log: which engine, on what, and why. */
export function describeEngine({ name, device, reason, precision }: Engine): string {
  const stored = precision === "half" ? ", activations in half precision" : "";
  return `${TITLES[name]} on ${device}${stored} (${reason})`;
}
