/**
 * Where tensors are computed: chosen once, then the same for the whole process.
 *
 * The model is written in ordinary TensorFlow.js operations and runs on each of the three engines.
 *
 * @module
 */
import { EngineError, messageOf, OptionError } from "../errors.ts";
import * as tf from "../tf.ts";
import { describeAdapter } from "./webgpu/adapter.ts";
import type { Gpu } from "./webgpu/gpu.ts";
import { findAdapter, registerWebGPU } from "./webgpu/start.ts";
import { registerWasm } from "./wasm/start.ts";

/** The engines, by the names TensorFlow.js gives them. */
export const ENGINES = ["webgpu", "wasm", "cpu"] as const;
/** WebGPU, WebAssembly, or plain JavaScript, the slow reference that the others are held against. */
export type EngineName = (typeof ENGINES)[number];

/** What can be asked for. */
export const ENGINE_CHOICES = ["auto", ...ENGINES] as const;
/** An engine by name, or `auto`: WebGPU on a real GPU, WebAssembly otherwise. */
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** A started engine. */
export interface Engine {
  /** Which of the three it is. */
  readonly name: EngineName;
  /** What computes, such as the GPU's name. */
  readonly device: string;
  /** Why it was chosen. */
  readonly reason: string;
  /** Throws an {@linkcode EngineError} once the device has failed; to be called after each step. */
  check(): void;
}

const running = new Map<EngineName, Engine>();

/** The device of the `webgpu` engine, once that was started. */
let gpu: Gpu | undefined;

/**
 * Starts an engine and makes it TensorFlow.js's current one. Starting the same one again is cheap.
 *
 * A software adapter (llvmpipe, SwiftShader, WARP) counts as a GPU only where `webgpu` is asked for
 * by name: WebAssembly is faster than WebGPU computed by the processor.
 *
 * @param choice an engine by name, or `auto`
 * @throws {EngineError} where the engine asked for cannot be had; the message says why
 *
 * @example
 * ```ts
 * import { startEngine } from "./engine.ts";
 * const engine = await startEngine("wasm");
 * console.assert(engine.name === "wasm");
 * ```
 */
export async function startEngine(choice: EngineChoice = "auto"): Promise<Engine> {
  switch (choice) {
    case "auto":
      return await _startBest();
    case "webgpu": {
      const adapter = await findAdapter();
      if (adapter === undefined) {
        throw new EngineError(
          "Cannot start the WebGPU engine: this machine offers no adapter: " +
            "install a Vulkan, Metal or Direct3D 12 driver, or use --backend wasm",
        );
      }
      return await _startWebGPU(adapter, "asked for by name");
    }
    case "wasm":
    case "cpu":
      return await _start(choice, "asked for by name");
    default:
      choice satisfies never;
      throw new OptionError(
        `Cannot start engine '${choice}': choose from ${ENGINE_CHOICES.join(", ")}`,
      );
  }
}

/**
 * The engine that TensorFlow.js computes on now.
 *
 * @throws {EngineError} where none was started with {@linkcode startEngine}
 */
export function currentEngine(): Engine {
  const engine = running.get(tf.getBackend() as EngineName);
  if (engine !== undefined) return engine;
  throw new EngineError("Cannot compute before an engine runs: await startEngine() first");
}

/** The device that our own kernels run on, where the current engine is `webgpu`. */
export function currentGpu(): Gpu | undefined {
  return tf.getBackend() === "webgpu" ? gpu : undefined;
}

/** The engine that runs, started as `auto` would be where there is none. */
export async function ensureEngine(): Promise<Engine> {
  return running.get(tf.getBackend() as EngineName) ?? await startEngine();
}

async function _startBest(): Promise<Engine> {
  const adapter = await findAdapter();
  if (adapter === undefined) return await _start("wasm", "no WebGPU adapter");
  const { name, software } = describeAdapter(adapter);
  if (software) return await _start("wasm", `the only WebGPU adapter is software, ${name}`);
  try {
    return await _startWebGPU(adapter, "a GPU is there");
  } catch (error) {
    return await _start("wasm", `the GPU '${name}' did not start: ${messageOf(error)}`);
  }
}

async function _startWebGPU(adapter: GPUAdapter, reason: string): Promise<Engine> {
  const { name, software } = describeAdapter(adapter);
  return await _start("webgpu", reason, software ? `${name}, software` : name, adapter);
}

async function _start(
  name: EngineName,
  reason: string,
  device = "the processor, one thread",
  adapter?: GPUAdapter,
): Promise<Engine> {
  let engine = running.get(name);
  if (engine === undefined) {
    if (name === "wasm") await registerWasm();
    if (adapter !== undefined) gpu = await registerWebGPU(adapter);
    const check = adapter === undefined ? () => {} : () => gpu!.check();
    engine = { name, device, reason, check };
  }
  try {
    if (!await tf.setBackend(name)) throw new Error("TensorFlow.js could not initialise it");
  } catch (error) {
    throw new EngineError(`Cannot start the ${name} engine: ${messageOf(error)}`);
  }
  if (name === "cpu") _silenceAdvice();
  running.set(name, engine);
  return engine;
}

/** The plain backend greets its first tensor with an advertisement for a native add-on. */
function _silenceAdvice(): void {
  (tf.backend() as tf.KernelBackend & { firstUse?: boolean }).firstUse = false;
}

/** One line for the log: which engine, on what, and why. */
export function describeEngine({ name, device, reason }: Engine): string {
  const title = { webgpu: "WebGPU", wasm: "WebAssembly", cpu: "plain JavaScript" }[name];
  return `${title} on ${device} (${reason})`;
}
