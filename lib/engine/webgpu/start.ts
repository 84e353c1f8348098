/** Starts TensorFlow.js on a WebGPU device of our own, and watches that device. */
import { EngineError, messageOf } from "../../errors.ts";
import * as tf from "../../tf.ts";
import { type AdapterLike, describeAdapter, deviceDescriptor } from "./adapter.ts";
import { Gpu } from "./gpu.ts";

/** Finds the adapter that WebGPU thinks fastest; `undefined` if there is none. */
export async function findAdapter(): Promise<GPUAdapter | undefined> {
  using _quiet = _quietDriver();
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" })
    .catch(() => null);
  return adapter ?? undefined;
}

/** What a desktop's session sets, and a server, a container or `su` does not. */
const RUNTIME_FOLDER = "XDG_RUNTIME_DIR";

/**
 * Mesa's driver looks for a desktop, and writes two lines to standard error if this variable is not set.
 * So it is set meanwhile, if this process has the permission. Nothing is written to the folder.
 */
function _quietDriver(): Disposable {
  const nothing = { [Symbol.dispose]() {} };
  const mayAsk = { name: "env", variable: RUNTIME_FOLDER } as const;
  // The engine runs in a browser too.
  if (typeof Deno === "undefined" || Deno.build.os !== "linux") return nothing;
  if (Deno.permissions.querySync(mayAsk).state !== "granted") return nothing;
  if (Deno.env.has(RUNTIME_FOLDER)) return nothing;
  Deno.env.set(RUNTIME_FOLDER, "/tmp");
  return { [Symbol.dispose]: () => Deno.env.delete(RUNTIME_FOLDER) };
}

/** A device under watch. */
export interface WatchedDevice {
  /** Throws an {@linkcode EngineError} once the device was lost or has reported an error. */
  check(): void;
}

/**
 * Watches a device: an error that nobody caught, or its loss, is kept and thrown by `check`.
 *
 * Without this a shader that fails is silent: the dispatch is skipped and the results are zeros.
 *
 * @param device the device, already in use
 * @param name the adapter's name, for the message
 */
export function watchDevice(device: GPUDevice, name: string): WatchedDevice {
  let failure: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    // A GPUError has a message but is no Error.
    failure ??= `reported an error: ${(event as GPUUncapturedErrorEvent).error.message}`;
  });
  device.lost.then(({ reason, message }) => {
    if (reason !== "destroyed") failure ??= `was lost: ${message || "it gives no reason"}`;
  });
  return {
    check() {
      if (failure === undefined) return;
      throw new EngineError(
        `The GPU '${name}' ${failure.replace(/\s+/g, " ")}: ` +
          "run again, or with --backend wasm if it happens again",
      );
    },
  };
}

/** Registers the `webgpu` backend on a device of this adapter, which our own kernels share. */
export async function registerWebGPU(adapter: AdapterLike): Promise<Gpu> {
  const { name, software } = describeAdapter(adapter);
  const { WebGPUBackend } = await tf.loadWebGPU();
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice(deviceDescriptor(adapter));
  } catch (error) {
    throw new EngineError(`Cannot get a device of the GPU '${name}': ${messageOf(error)}`);
  }
  const watched = watchDevice(device, name);
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device, adapter.info), 3);
  return new Gpu(device, { software, check: () => watched.check() });
}
