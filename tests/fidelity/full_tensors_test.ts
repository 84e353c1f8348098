/**
 * Every value of every gradient and parameter, held against PyTorch where Python has it.
 */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { MRNET_PARAMETERS } from "../../lib/model/weights/mrnet.ts";
import type { StateDict } from "../../lib/model/weights/tensors.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { NETWORK_CASES, runNetworkCase, worst } from "../support/network_golden.ts";
import { testWithPython } from "../support/python.ts";
import { NETWORK_TOLERANCES } from "../support/tolerances.ts";
import { readWeights } from "../support/weights.ts";

const reference = NETWORK_CASES.find(({ name }) => name === "2x64x64")!;
const bounds = NETWORK_TOLERANCES[reference.name];

/** The relative L2 norm of the difference of each tensor. */
function differences(ours: StateDict, theirs: StateDict): Map<string, number> {
  return new Map(MRNET_PARAMETERS.map(({ name }) => {
    const [a, b] = [ours, theirs].map((state) => state.get(name)!.data);
    const difference = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
    return [name, Math.sqrt(difference / b.reduce((sum, value) => sum + value ** 2, 0))];
  }));
}

testWithPython(
  "gradients and parameters are PyTorch's, value by value",
  ["torch", "numpy"],
  async (run) => {
    await using folder = await TemporaryFolder.make();
    const file = folder.at("tensors.safetensors");
    await run(
      new URL("../../tools/make_golden.py", import.meta.url),
      ...["--tensors", reference.name, file],
    );
    const { tensors } = await readWeights(file);
    await startEngine("wasm");
    const ours = await runNetworkCase(reference, "all");
    for (const group of ["gradient_present", "parameters_1", "parameters_10"] as const) {
      const theirs: StateDict = new Map(
        MRNET_PARAMETERS.map(({ name }) => [name, tensors.get(`${group}/${name}`)!]),
      );
      const bound = group === "gradient_present" ? bounds.gradients : bounds[group];
      const difference = worst(differences(ours[group]!, theirs));
      assert(difference <= bound, `${group}: ${difference} is above ${bound}`);
    }
  },
);
