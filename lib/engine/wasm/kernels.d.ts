import type { Capabilities } from "./capabilities.ts";

/** The compiled kernels that suit a runtime, which has SIMD at least. */
export function loadKernels(
  has: Pick<Capabilities, "relaxedSimd" | "sharedMemory" | "multiMemory">,
): Promise<WebAssembly.Module>;
