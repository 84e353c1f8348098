/**
 * A case of the network's reference numbers on whichever WebGPU this module is loaded beside: Deno's,
 * or a page's.
 */
import { currentGpu, startEngine } from "../../lib/engine/engine.ts";
import type { NetworkOptions } from "../../lib/model/webgpu/network_passes.ts";
import { WebGPUNetwork } from "../../lib/model/webgpu_network.ts";
import {
  compareNetwork,
  type Differences,
  NETWORK_CASES,
  runNetworkCase,
} from "./network_golden.ts";

/** Computes a gradient and a step of a case, and says on what and how far from PyTorch that is. */
export async function compareOnWebGPU(
  name: string,
  network: NetworkOptions,
): Promise<{ device: string; differences: Differences }> {
  const engine = await startEngine("webgpu");
  const reference = NETWORK_CASES.find((each) => each.name === name)!;
  const outcome = await runNetworkCase(
    reference,
    "first",
    (model, options) => WebGPUNetwork.create(currentGpu()!, model, { ...options, ...network }),
  );
  engine.check();
  return { device: engine.device, differences: compareNetwork(reference, outcome) };
}
