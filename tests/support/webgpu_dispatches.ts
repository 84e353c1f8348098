/**
 * The dispatches that a network gives to a GPU, as hashes: whatever changes a kernel's text, a buffer, a
 * number of workgroups or their order changes them. Run as a script it prints the hashes of today's code:
 *
 *     deno run -A tests/support/webgpu_dispatches.ts > tests/golden/webgpu_dispatches.json
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Exam } from "../../lib/data/exam.ts";
import { Gpu } from "../../lib/engine/webgpu/gpu.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { networkState } from "../../lib/model/parameters.ts";
import { FORWARD_VALUES } from "../../lib/engine/webgpu/step.ts";
import { type NetworkOptions, NetworkPasses } from "../../lib/model/webgpu/network_passes.ts";
import { fakeDevice } from "./adapters.ts";

/** An exam's size, and how a network computes it. */
interface Case extends Omit<NetworkOptions, "frozen"> {
  slices: number;
  height: number;
  width: number;
  /** Whether the voxels are float32 rather than uint8. */
  float?: boolean;
  frozen?: string[];
}

const SMALL = { slices: 5, height: 97, width: 128 };

const CASES: readonly Case[] = [
  ...(["registers", "shared"] as const).flatMap((tiles) =>
    [true, false].flatMap((winograd) => [
      { slices: 24, height: 256, width: 256, tiles, winograd },
      { slices: 7, height: 224, width: 240, tiles, winograd, float: true },
      { ...SMALL, tiles, winograd, precision: "half" as const },
    ])
  ),
  { ...SMALL, slicesAtOnce: 2 },
  { ...SMALL, frozen: ["pretrained_model.features.0.weight", "classifer.weight"] },
  {
    ...SMALL,
    frozen: [0, 3, 6, 8, 10].flatMap((index) =>
      ["weight", "bias"].map((what) => `pretrained_model.features.${index}.${what}`)
    ),
  },
];

/** The hashes of a pass over an exam, of two steps of training, and of how many dispatches they are. */
export async function dispatchHashes(): Promise<Record<string, Record<string, string>>> {
  using model = new MRNet(initialWeights(1));
  const hashes: Record<string, Record<string, string>> = {};
  for (const each of CASES) hashes[JSON.stringify(each)] = await _hashesOf(model, each);
  return hashes;
}

async function _hashesOf(model: MRNet, { frozen, float, slices, height, width, ...how }: Case) {
  const { device, dispatched } = recordingDevice();
  const gpu = new Gpu(device, { software: false, check: () => {} });
  const network = new NetworkPasses(gpu, networkState(model), { ...how, frozen: new Set(frozen) });
  await network.load();
  const count = slices * height * width;
  const voxels = float ? new Float32Array(count) : new Uint8Array(count);
  const exam: Exam = { id: "empty", slices, height, width, voxels };
  const values = {
    ...FORWARD_VALUES,
    ...{ label: 1, weights: [1, 2.5] as const, scale: 2, offset: -1 },
    ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
  };
  const hashes: Record<string, string> = {};
  const passes = [["evaluate", false], ["train", true], ["train again", true]] as const;
  for (const [name, training] of passes) {
    await network.prepare(exam, training);
    dispatched.length = 0;
    network.run(exam, values, { training });
    hashes[name] = `${dispatched.length} dispatches, ${_hash(dispatched.join("\n"))}`;
  }
  network.dispose();
  return hashes;
}

/** A device that computes nothing and lists what it was given: a line for each dispatch. */
function recordingDevice() {
  const dispatched: string[] = [];
  const { device } = fakeDevice();
  let [pipeline, group] = ["", ""];
  const pass = {
    setPipeline: ({ code }: { code: string }) => void (pipeline = code),
    setBindGroup: (_: number, { bound }: { bound: string }) => void (group = bound),
    dispatchWorkgroups: (...workgroups: unknown[]) =>
      void dispatched.push(`${pipeline} ${group} ${JSON.stringify(workgroups)}`),
    end: () => {},
  };
  Object.assign(device, {
    limits: { maxStorageBufferBindingSize: 2 ** 30 },
    queue: { writeBuffer: () => {}, submit: () => void dispatched.push("submit") },
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ label, size }: GPUBufferDescriptor) => ({ label, size, destroy: () => {} }),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    // Lines are broken and indented as is convenient; that changes nothing.
    createShaderModule: ({ label, code }: GPUShaderModuleDescriptor) => ({
      code: `${label}, ${_hash(code.replace(/\s+/g, " "))}`,
    }),
    createComputePipelineAsync: ({ compute }: { compute: { module: { code: string } } }) =>
      Promise.resolve({ code: compute.module.code, getBindGroupLayout: () => ({}) }),
    createBindGroup: ({ entries }: GPUBindGroupDescriptor) => ({
      bound: Array.from(entries, ({ binding, resource }) => {
        const { buffer, offset = 0, size } = resource as GPUBufferBinding;
        return `${binding}: ${buffer.label} ${buffer.size} ${offset} ${size}`;
      }).join("; "),
    }),
    createCommandEncoder: () => ({ beginComputePass: () => pass, finish: () => ({}) }),
  });
  return { device, dispatched };
}

function _hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

// deno-lint-ignore no-console
if (import.meta.main) console.log(JSON.stringify(await dispatchHashes(), null, 2));
