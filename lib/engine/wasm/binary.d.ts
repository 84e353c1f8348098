import type { BackendWasm } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";

/** Emscripten's module, as far as starting the backend needs it. */
export type WasmModule = ConstructorParameters<typeof BackendWasm>[0] & {
  /** Makes a JavaScript function of one of the module's C functions. */
  cwrap(name: string, returns: "number" | null, takes: "number"[]): (...args: number[]) => number;
};

/** The compiled module: WebAssembly with SIMD, without threads. */
export const binary: WebAssembly.Module;

/** Runs a module through Emscripten's start-up. */
export function instantiate(settings: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): Record<never, never>;
}): Promise<WasmModule>;
