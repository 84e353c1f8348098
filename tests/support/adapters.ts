/**
 * A WebGPU adapter that has everything, and refuses what Deno refuses.
 */

/** Every feature of the WebGPU specification, of 2025. */
export const EVERY_FEATURE: readonly string[] = [
  "core-features-and-limits",
  "depth-clip-control",
  "depth32float-stencil8",
  "texture-compression-bc",
  "texture-compression-bc-sliced-3d",
  "texture-compression-etc2",
  "texture-compression-astc",
  "texture-compression-astc-sliced-3d",
  "timestamp-query",
  "indirect-first-instance",
  "shader-f16",
  "rg11b10ufloat-renderable",
  "bgra8unorm-storage",
  "float32-filterable",
  "float32-blendable",
  "clip-distances",
  "dual-source-blending",
  "subgroups",
  "texture-formats-tier1",
  "texture-formats-tier2",
  "primitive-index",
];

/** The limits of the specification whose values are 64 bits long; of the others they are 32. */
const LONG = [
  "maxUniformBufferBindingSize",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
];

const SHORT = [
  "maxTextureDimension1D",
  "maxTextureDimension2D",
  "maxTextureDimension3D",
  "maxTextureArrayLayers",
  "maxBindGroups",
  "maxBindGroupsPlusVertexBuffers",
  "maxBindingsPerBindGroup",
  "maxDynamicUniformBuffersPerPipelineLayout",
  "maxDynamicStorageBuffersPerPipelineLayout",
  "maxSampledTexturesPerShaderStage",
  "maxSamplersPerShaderStage",
  "maxStorageBuffersPerShaderStage",
  "maxStorageTexturesPerShaderStage",
  "maxUniformBuffersPerShaderStage",
  "minUniformBufferOffsetAlignment",
  "minStorageBufferOffsetAlignment",
  "maxVertexBuffers",
  "maxVertexAttributes",
  "maxVertexBufferArrayStride",
  "maxInterStageShaderVariables",
  "maxColorAttachments",
  "maxColorAttachmentBytesPerSample",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
];

/** The largest values there can be: what a driver says that has no limit of its own. */
export const MAX_LIMITS: Readonly<Record<string, number>> = Object.fromEntries([
  ...LONG.map((name) => [name, 2 ** 64]),
  ...SHORT.map((name) => [name, 2 ** 32 - 1]),
]);

/** An adapter with every feature and the largest limits, and what was asked of it. */
export interface Boundless {
  adapter: GPUAdapter;
  /** The descriptors of the devices that were asked for. */
  asked: GPUDeviceDescriptor[];
}

/**
 * Makes one; a device is asked of it as strictly as Deno does it: features are names that the adapter
 * has, limits are whole numbers below 2^53 and not above the adapter's.
 *
 * @param give makes the device once all is well
 */
export function boundless(
  info: Partial<GPUAdapterInfo>,
  give: () => GPUDevice | Promise<GPUDevice>,
): Boundless {
  const asked: GPUDeviceDescriptor[] = [];
  const adapter = {
    info,
    features: new Set(EVERY_FEATURE),
    limits: MAX_LIMITS,
    async requestDevice(descriptor: GPUDeviceDescriptor = {}) {
      asked.push(descriptor);
      for (const feature of descriptor.requiredFeatures ?? []) {
        if (typeof feature !== "string" || !EVERY_FEATURE.includes(feature)) {
          throw new TypeError(`'${feature}' is no feature`);
        }
      }
      for (const [name, value] of Object.entries(descriptor.requiredLimits ?? {})) {
        const most = MAX_LIMITS[name];
        const room = LONG.includes(name) ? 2 ** 53 - 1 : 2 ** 32 - 1;
        if (!Number.isInteger(value) || !(value! <= most) || value! > room) {
          throw new TypeError(`${value} is no ${name}`);
        }
      }
      return await give();
    },
  };
  return { adapter: adapter as unknown as GPUAdapter, asked };
}

/** Runs a body where the machine offers this adapter, or none, or fails to look for one. */
export async function withAdapter(
  offered: GPUAdapter | null | Error,
  body: () => Promise<void>,
): Promise<void> {
  const before = navigator.gpu.requestAdapter;
  navigator.gpu.requestAdapter = () =>
    offered instanceof Error ? Promise.reject(offered) : Promise.resolve(offered);
  try {
    await body();
  } finally {
    navigator.gpu.requestAdapter = before;
  }
}

/** A device that computes nothing, and fails when a test says so. */
export function fakeDevice() {
  const state = { destroyed: false };
  const lost = Promise.withResolvers<GPUDeviceLostInfo>();
  const device = Object.assign(new EventTarget(), {
    lost: lost.promise,
    features: new Set(),
    limits: {},
    queue: {},
    destroy() {
      state.destroyed = true;
      lost.resolve({ reason: "destroyed", message: "device was lost" } as GPUDeviceLostInfo);
    },
  }) as unknown as GPUDevice;
  return {
    device,
    state,
    async lose(reason: "unknown" | "destroyed", message: string) {
      lost.resolve({ reason, message } as GPUDeviceLostInfo);
      await lost.promise;
    },
    report(message: string): Event {
      // As in WebGPU, the error has a message but is no Error.
      const event = Object.assign(new Event("uncapturederror", { cancelable: true }), {
        error: { message },
      });
      device.dispatchEvent(event);
      return event;
    },
  };
}
