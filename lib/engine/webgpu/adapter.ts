/**
 * What kind of WebGPU adapter this is, and which of its features and limits to ask for.
 *
 * @module
 */

/** The part of a `GPUAdapter` that is looked at; a test can stand in for it. */
export type AdapterLike = Pick<GPUAdapter, "info" | "features" | "limits" | "requestDevice">;

/** An adapter in words. */
export interface AdapterDescription {
  /** Its name, such as `NVIDIA H200` or `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  name: string;
  /** Whether it computes on the processor: correct, but slower than WebAssembly. */
  software: boolean;
}

/** Names under which Vulkan, OpenGL and Direct3D offer the processor as an adapter. */
const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader|warp|basic render|software/i;

/** Says what an adapter is, from its `info`. */
export function describeAdapter({ info }: Pick<AdapterLike, "info">): AdapterDescription {
  const words = [info.description, info.device, info.architecture, info.vendor];
  const name = words.find((word) => /[a-z]/i.test(word ?? "")) ?? "an adapter without a name";
  return { name, software: info.isFallbackAdapter === true || SOFTWARE.test(words.join(" ")) };
}

/** The features that are used where the adapter has them. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["timestamp-query"];

/** The limits that are raised from WebGPU's defaults, as far as the adapter goes. */
const WANTED_LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
] as const;

/** Beyond this Deno refuses a limit, whatever the adapter says. */
const LARGEST_LIMIT = 2 ** 32 - 4;

/**
 * The descriptor of the device to ask for.
 *
 * TensorFlow.js's own start-up asks for a list within the list of features, which fails on every
 * adapter that has `bgra8unorm-storage`; hence this one.
 */
export function deviceDescriptor(adapter: AdapterLike): GPUDeviceDescriptor {
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) {
    requiredLimits[limit] = Math.min(Number(adapter.limits[limit]), LARGEST_LIMIT);
  }
  return {
    label: "mrnet",
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits,
  };
}
