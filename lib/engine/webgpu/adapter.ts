/** What kind of WebGPU adapter this is, and which of its features and limits to ask for. */

/** What is looked at of a `GPUAdapter`; a test can stand in for it. */
export type AdapterLike = Pick<GPUAdapter, "info" | "features" | "limits" | "requestDevice">;

/** An adapter in words. */
export interface AdapterDescription {
  /** Its name, such as `NVIDIA H200` or `llvmpipe (LLVM 15.0.6, 256 bits)`. */
  name: string;
  /** Whether it computes on the processor: correct, but slower than WebAssembly. */
  software: boolean;
  /**
   * Whether it is reached through OpenGL. Deno falls back to it without a message if there is no driver
   * for Vulkan. It works, with smaller buffers.
   */
  openGL: boolean;
}

/** What an adapter's driver says of it, word for word. */
export type AdapterInfo = Pick<
  GPUAdapterInfo,
  "vendor" | "device" | "architecture" | "description"
>;

/** Names under which Vulkan, OpenGL and Direct3D offer the processor as an adapter. */
const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader|warp|basic render|software/i;

/**
 * WebGPU does not say which driver is behind an adapter. OpenGL has neither of these, which those for
 * Vulkan, Metal and Direct3D have.
 */
const NOT_OF_OPENGL: readonly GPUFeatureName[] = ["bgra8unorm-storage", "rg11b10ufloat-renderable"];

/** Says what an adapter is, from its `info` and its features. */
export function describeAdapter(
  { info, features }: Pick<AdapterLike, "info" | "features">,
): AdapterDescription {
  const words = [info.description, info.device, info.architecture, info.vendor];
  const name = words.find((word) => /[a-z]/i.test(word ?? "")) ?? "an adapter without a name";
  const software = info.isFallbackAdapter === true || SOFTWARE.test(words.join(" "));
  return { name, software, openGL: !NOT_OF_OPENGL.some((feature) => features.has(feature)) };
}

/** What a driver says of its adapter, as a plain object: an adapter's own `info` has only getters. */
export function adapterInfo({ info }: Pick<AdapterLike, "info">): AdapterInfo {
  const { vendor, device, architecture, description } = info;
  return { vendor, device, architecture, description };
}

/** An adapter in a few words, for the log. */
export function adapterWords({ name, software, openGL }: AdapterDescription): string {
  return [name, ...(openGL ? ["OpenGL"] : []), ...(software ? ["software"] : [])].join(", ");
}

/** The features that are used if the adapter has them. */
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
const MAX_LIMIT = 2 ** 32 - 4;

/**
 * The descriptor of the device to ask for.
 *
 * TensorFlow.js's own start-up asks for a list within the list of features, which fails on every
 * adapter that has `bgra8unorm-storage`; hence this one.
 */
export function deviceDescriptor(adapter: AdapterLike): GPUDeviceDescriptor {
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) {
    requiredLimits[limit] = Math.min(Number(adapter.limits[limit]), MAX_LIMIT);
  }
  return {
    label: "mrnet",
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
    requiredLimits,
  };
}
