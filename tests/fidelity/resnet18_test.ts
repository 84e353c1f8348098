/**
 * ResNet-18 held against PyTorch on each engine: logits, losses, the gradient of every parameter, those of
 * batch normalisations included, and ten steps of Adam.
 */
import type { EngineName } from "../../lib/engine/engine.ts";
import { onEachEngine } from "../support/engines.ts";
import { casesOf, compareNetwork, runNetworkCase } from "../support/network_golden.ts";
import { assertWithinBounds } from "../support/tolerances.ts";

/**
 * How much of which case runs on which engine: all of it, or a gradient and a step. What is left out
 * costs minutes on a processor; `deno run -A --lock=deno.dev.lock tools/fidelity.ts` runs all of it.
 */
const EXTENT: Record<string, Partial<Record<EngineName, "first" | "all">>> = {
  "2x64x64": { wasm: "all", webgpu: "first" },
  "1x256x256": { wasm: "first" },
  "1x224x240": { wasm: "first" },
  "7x256x256": { wasm: "first" },
};

for (const reference of casesOf("resnet18")) {
  const extent = EXTENT[reference.name] ?? {};
  onEachEngine(`ResNet-18 gives PyTorch's numbers of ${reference.name}`, async ({ engine }) => {
    const ours = await runNetworkCase(reference, extent[engine]!);
    assertWithinBounds(reference, compareNetwork(reference, ours));
  }, { engines: Object.keys(extent) as EngineName[] });
}
