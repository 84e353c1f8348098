import type { BackendWasm } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
import type { Capabilities } from "./capabilities.ts";

/** Emscripten's module, as far as starting the backend needs it. */
export type WasmModule = ConstructorParameters<typeof BackendWasm>[0] & {
  /** Makes a JavaScript function of one of the module's C functions. */
  cwrap(name: string, returns: "number" | null, takes: "number"[]): (...args: number[]) => number;
};

/** Compiles the module: without threads, with SIMD if the runtime has it. */
export function loadBinary(has: Pick<Capabilities, "simd">): Promise<WebAssembly.Module>;

/** Runs a module through Emscripten's start-up. */
export function instantiate(settings: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): Record<never, never>;
}): Promise<WasmModule>;
