import type { BackendWasm } from "npm:@tensorflow/tfjs-backend-wasm@4.22.0";
import type { Capabilities } from "./capabilities.ts";

/** Emscripten's module, as far as starting the backend needs it. */
export type WasmModule = ConstructorParameters<typeof BackendWasm>[0] & {
  /** Makes a JavaScript function of one of the module's C functions. */
  cwrap(name: string, returns: "number" | null, takes: "number"[]): (...args: number[]) => number;
};

/** Compiles the module: without threads, with SIMD if the runtime has it. */
export function loadBinary(has: Pick<Capabilities, "simd">): Promise<WebAssembly.Module>;

/** Emscripten's start-up; what is taken of it first runs its module. */
export function loadEmscripten(): Promise<{
  /** Runs a module. If that is instantiated at once, `settings` have become Emscripten's module on return. */
  default(settings: EmscriptenSettings): Promise<WasmModule>;
}>;

/** How a module is run. */
export interface EmscriptenSettings {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): Record<never, never>;
}
