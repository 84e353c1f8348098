import assert from "node:assert/strict";
import {
  type AdapterLike,
  adapterWords,
  describeAdapter,
  deviceDescriptor,
} from "../../lib/engine/webgpu/adapter.ts";
import { EVERY_FEATURE } from "../support/adapters.ts";

/** What an adapter may say of itself, as Deno and browsers fill it in. */
type Info = Partial<Pick<GPUAdapterInfo, "vendor" | "architecture" | "device" | "description">> & {
  isFallbackAdapter?: boolean;
};

function describe(info: Info) {
  const words = { vendor: "", architecture: "", device: "", description: "", ...info };
  const { name, software } = describeAdapter(adapter(EVERY_FEATURE, 1024, words as GPUAdapterInfo));
  return { name, software };
}

Deno.test("a GPU is told from a processor that poses as one, and named", () => {
  const cases: [info: Info, name: string, software: boolean][] = [
    // Deno gives numbers for vendor and device, and the driver's name as description.
    [{ vendor: "4318", device: "9009", description: "NVIDIA H200" }, "NVIDIA H200", false],
    [
      { vendor: "4318", description: "NVIDIA GeForce RTX 4090" },
      "NVIDIA GeForce RTX 4090",
      false,
    ],
    [
      { vendor: "4098", device: "29772", description: "AMD Radeon RX 7900 XTX (RADV NAVI31)" },
      "AMD Radeon RX 7900 XTX (RADV NAVI31)",
      false,
    ],
    [
      { vendor: "32902", description: "Intel(R) Iris(R) Xe Graphics (TGL GT2)" },
      "Intel(R) Iris(R) Xe Graphics (TGL GT2)",
      false,
    ],
    [
      { vendor: "32902", description: "Intel(R) UHD Graphics 620" },
      "Intel(R) UHD Graphics 620",
      false,
    ],
    [{ description: "Apple M2 Max" }, "Apple M2 Max", false],
    [{ vendor: "20803", description: "Qualcomm Adreno 740" }, "Qualcomm Adreno 740", false],
    [{ description: "Virtio-GPU Venus (NVIDIA A10)" }, "Virtio-GPU Venus (NVIDIA A10)", false],
    [
      { vendor: "65541", device: "0", description: "llvmpipe (LLVM 15.0.6, 256 bits)" },
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      true,
    ],
    [
      { vendor: "0", description: "llvmpipe (LLVM 17.0.6, 256 bits)", isFallbackAdapter: false },
      "llvmpipe (LLVM 17.0.6, 256 bits)",
      true,
    ],
    [{ description: "softpipe" }, "softpipe", true],
    [
      { vendor: "6880", description: "SwiftShader Device (Subzero)" },
      "SwiftShader Device (Subzero)",
      true,
    ],
    [
      { vendor: "5140", device: "140", description: "Microsoft Basic Render Driver" },
      "Microsoft Basic Render Driver",
      true,
    ],
    [
      { description: "Windows Advanced Rasterization Platform (WARP)" },
      "Windows Advanced " +
      "Rasterization Platform (WARP)",
      true,
    ],
    [{ description: "A new processor", isFallbackAdapter: true }, "A new processor", true],
    // Browsers give words for vendor and architecture instead.
    [{ vendor: "nvidia", architecture: "ampere" }, "ampere", false],
    [{ vendor: "apple", architecture: "common-3" }, "common-3", false],
    [{ vendor: "google", architecture: "swiftshader" }, "swiftshader", true],
    [{ vendor: "intel" }, "intel", false],
    [{ vendor: "4318", device: "9009" }, "an adapter without a name", false],
    [{}, "an adapter without a name", false],
  ];
  for (const [info, name, software] of cases) {
    assert.deepEqual(describe(info), { name, software }, JSON.stringify(info));
  }
});

Deno.test("an adapter that says nothing at all is described all the same", () => {
  assert.deepEqual(describeAdapter(adapter(EVERY_FEATURE, 1024)), {
    name: "an adapter without a name",
    software: false,
    openGL: false,
  });
});

Deno.test("an adapter behind OpenGL is called so, whatever computes", () => {
  // What Deno lists of one processor, without and with its Vulkan driver.
  const openGL = ["depth-clip-control", "texture-compression-etc2", "timestamp-query"];
  const cases: [description: string, features: readonly string[], words: string][] = [
    [
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      openGL,
      "llvmpipe (LLVM 15.0.6, 256 bits), OpenGL, software",
    ],
    [
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      [...openGL, "rg11b10ufloat-renderable", "bgra8unorm-storage"],
      "llvmpipe (LLVM 15.0.6, 256 bits), software",
    ],
    ["Mesa Intel(R) UHD Graphics 620", openGL, "Mesa Intel(R) UHD Graphics 620, OpenGL"],
    ["NVIDIA H200", EVERY_FEATURE, "NVIDIA H200"],
  ];
  for (const [description, features, words] of cases) {
    const one = adapter(features, 1024, { description } as GPUAdapterInfo);
    assert.equal(adapterWords(describeAdapter(one)), words);
  }
});

/** An adapter with these features and every limit at this value. */
function adapter(
  features: readonly string[],
  limit: number,
  info = {} as GPUAdapterInfo,
): AdapterLike {
  return {
    info,
    features: new Set(features) as unknown as GPUSupportedFeatures,
    limits: new Proxy({}, { get: () => limit }) as GPUSupportedLimits,
    requestDevice: () => Promise.reject(new Error("not in this test")),
  };
}

Deno.test("of an adapter with every feature only what is used is asked for, in a flat list", () => {
  const { requiredFeatures } = deviceDescriptor(adapter(EVERY_FEATURE, 1024));
  assert.deepEqual(requiredFeatures, ["timestamp-query"]);
  assert.deepEqual(deviceDescriptor(adapter([], 1024)).requiredFeatures, []);
});

Deno.test("limits are as high as the adapter goes, but never beyond what Deno takes", () => {
  const limits = (limit: number) =>
    Object.values(deviceDescriptor(adapter([], limit)).requiredLimits ?? {});
  assert.ok(limits(1024).length >= 7);
  assert.ok(limits(1024).every((limit) => limit === 1024));
  for (const huge of [2 ** 32, 2 ** 53, 2 ** 63, Number.MAX_VALUE]) {
    assert.ok(limits(huge).every((limit) => limit === 2 ** 32 - 4));
  }
});
