import assert from "node:assert/strict";
import { startEngine } from "../../../lib/engine/engine.ts";
import golden from "../../golden/webgpu_dispatches.json" with { type: "json" };
import { dispatchHashes } from "../../support/webgpu_dispatches.ts";

Deno.test("the dispatches of AlexNet are what they were before they followed from its list of nodes", async () => {
  await startEngine("cpu");
  const hashes = await dispatchHashes();
  assert.deepEqual(Object.keys(hashes), Object.keys(golden));
  for (const [name, each] of Object.entries(golden)) assert.deepEqual(hashes[name], each, name);
});
