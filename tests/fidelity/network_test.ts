/**
 * Logits, losses, gradients and ten steps of Adam, held against PyTorch on each engine.
 */
import assert from "node:assert/strict";
import type { EngineName } from "../../lib/engine/engine.ts";
import { TensorNetwork } from "../../lib/model/tensor_network.ts";
import { onEachEngine } from "../support/engines.ts";
import {
  casesOf,
  compareNetwork,
  GOLDEN_NETWORKS,
  type MakeNetwork,
  NETWORK_CASES,
  type NetworkCase,
  type NetworkOutcome,
  runNetworkCase,
} from "../support/network_golden.ts";
import { assertWithinBounds, boundsOf, DEMANDED, HALF_TOLERANCES } from "../support/tolerances.ts";
import { compareOnWebGPU } from "../support/webgpu_case.ts";

/**
 * How much of each case runs on which engine: all of it, or a gradient and a step. What is left out
 * costs minutes on a processor; `deno run -A --lock=deno.dev.lock tools/fidelity.ts` runs all of it.
 */
const EXTENT: Record<string, Partial<Record<EngineName, "first" | "all">>> = {
  "2x64x64": { webgpu: "all", wasm: "all" },
  "1x256x256": { wasm: "all" },
  "7x224x240": { webgpu: "first", wasm: "first" },
  "32x80x72": { webgpu: "first", wasm: "all" },
};

function assertClose(reference: NetworkCase, ours: NetworkOutcome): void {
  assertWithinBounds(reference, compareNetwork(reference, ours));
}

for (const reference of NETWORK_CASES) {
  const extent = EXTENT[reference.name];
  onEachEngine(`an exam of ${reference.name} gives PyTorch's numbers`, async ({ engine }) => {
    assertClose(reference, await runNetworkCase(reference, extent[engine]!));
  }, { engines: Object.keys(extent) as EngineName[] });
}

// Tiles in shared memory and direct sums, as on a GPU, whatever the adapter here is.
onEachEngine("in shared tiles an exam gives PyTorch's numbers", async () => {
  const [reference] = NETWORK_CASES;
  const { differences } = await compareOnWebGPU(reference.name, { tiles: "shared" });
  assertWithinBounds(reference, differences);
}, { engines: ["webgpu"] });

// The plain engine computes its steps so in any case.
onEachEngine("TensorFlow.js's own operations give PyTorch's numbers", async () => {
  const make: MakeNetwork = (model, options) => Promise.resolve(new TensorNetwork(model, options));
  assertClose(NETWORK_CASES[0], await runNetworkCase(NETWORK_CASES[0], "first", make));
}, { engines: ["webgpu", "wasm"] });

onEachEngine("with activations in half precision PyTorch's numbers are near", async () => {
  const options = { tiles: "shared", precision: "half" } as const;
  const { differences } = await compareOnWebGPU(NETWORK_CASES[0].name, options);
  assert(differences.logits > 1e-5, "nothing was rounded to half precision");
  assert(differences.logits <= HALF_TOLERANCES.logits, `logits: ${differences.logits}`);
  assert(differences.losses <= HALF_TOLERANCES.logits, `losses: ${differences.losses}`);
  assert(differences.gradients <= HALF_TOLERANCES.gradients, `gradients: ${differences.gradients}`);
}, { engines: ["webgpu"] });

Deno.test("no bound is wider than what is demanded", () => {
  for (const bounds of GOLDEN_NETWORKS.flatMap(casesOf).map(boundsOf)) {
    for (const what of ["logits", "gradients", "parameters_10"] as const) {
      assert(bounds[what]! <= DEMANDED[what]);
    }
  }
});
