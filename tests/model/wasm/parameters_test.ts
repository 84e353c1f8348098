import assert from "node:assert/strict";
import { mrnetParameters } from "../../../lib/model/names.ts";
import {
  layOutNetwork,
  listParameters,
  placeParameters,
} from "../../../lib/model/wasm/parameters.ts";
import { elementCount } from "../../../lib/model/weights/tensors.ts";
import { ALEXNET } from "../../../lib/network/alexnet.ts";
import { type Network, network, type NodeDescription } from "../../../lib/network/network.ts";
import { RESNET18 } from "../../../lib/network/resnet.ts";
import { RESIDUAL } from "../../support/residual.ts";

for (const network of [ALEXNET, RESIDUAL]) {
  Deno.test(`every parameter of ${network.name} has a place of its own in the kernels' memory`, () => {
    _places(network);
  });
}

function _places(network: Network): void {
  const layout = layOutNetwork(network);
  let next = 1;
  const named = new Map(
    mrnetParameters(network).map(({ name, shape }) => {
      return [name, Float32Array.from({ length: elementCount(shape)! }, () => next++)];
    }),
  );
  const flat = new Float32Array(layout.floats);
  placeParameters(layout, named, flat);
  assert.deepEqual(listParameters(layout, flat), named);
  assert.equal(flat.filter((value) => value !== 0).length, next - 1);
}

/** AlexNet, but for what is changed of one node. */
function changed(index: number, changes: Partial<NodeDescription>): Network {
  const nodes = ALEXNET.nodes.map((node, at) => {
    const { sources: _, inputs: __, ...described } = node;
    // Of all nodes but convolutions the number of channels follows.
    const { outputs, ...rest } = described;
    const own = node.kind === "convolution" ? { ...rest, outputs } : rest;
    return (at === index ? { ...own, ...changes } : own) as NodeDescription;
  });
  return network({
    name: "changed",
    title: "changed",
    modules: { features: "", classifier: "fc." },
    inputs: 3,
    nodes,
  });
}

Deno.test("a network is refused if the processor has no kernels for it", () => {
  const cases: [Network, string][] = [
    [changed(0, { outputs: 66 }), "'features.0' of 'changed'"],
    [changed(0, { size: 13 }), "'features.0' of 'changed'"],
    [changed(2, { size: 2 }), "'features.0' of 'changed'"],
    [changed(2, { padding: 1 }), "'features.0' of 'changed'"],
    [changed(3, { batchNorm: "norm" }), "'features.3' of 'changed'"],
    [changed(3, { stride: 2 }), "'features.3' of 'changed'"],
    [changed(3, { padding: 1 }), "'features.3' of 'changed'"],
    [changed(6, { outputs: 204 }), "'features.6' of 'changed'"],
    [changed(6, { padding: 3 }), "'features.6' of 'changed'"],
    [changed(8, { size: 5, padding: 2 }), "'features.10' of 'changed'"],
  ];
  for (const network of [changed(0, {}), changed(6, { size: 7, padding: 3 }), RESNET18]) {
    assert.doesNotThrow(() => layOutNetwork(network));
  }
  for (const [network, which] of cases) {
    assert.throws(() => layOutNetwork(network), { message: `There are no kernels for ${which}` });
  }
});
