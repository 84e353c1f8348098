import assert from "node:assert/strict";
import golden from "../../golden/wasm_programs.json" with { type: "json" };
import { programHashes } from "../../support/wasm_programs.ts";

Deno.test("the programs of AlexNet are those that are recorded", () => {
  const hashes = programHashes();
  assert.deepEqual(Object.keys(hashes), Object.keys(golden));
  for (const [name, each] of Object.entries(golden)) assert.deepEqual(hashes[name], each, name);
});
