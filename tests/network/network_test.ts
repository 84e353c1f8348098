import assert from "node:assert/strict";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { network, type NodeDescription } from "../../lib/network/network.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";

const FIRST: NodeDescription = {
  ...{ kind: "convolution", name: "first", outputs: 4, size: 3, stride: 1, padding: 1 },
};
const MEAN: NodeDescription = { kind: "mean" };

Deno.test("a node reads the node ahead of it, or the one that it names", () => {
  const { nodes, channels } = network({
    name: "two",
    title: "two",
    modules: { features: "", classifier: "fc." },
    inputs: 3,
    nodes: [
      FIRST,
      { kind: "relu", name: "positive" },
      { ...FIRST, name: "second" },
      { kind: "add", shortcut: "positive" },
      { ...FIRST, name: "third", input: "first", outputs: 5 },
      MEAN,
    ],
  });
  assert.deepEqual(nodes.map(({ sources }) => sources), [[-1], [0], [1], [2, 1], [0], [4]]);
  assert.deepEqual(nodes.map(({ inputs }) => inputs), [3, 4, 4, 4, 4, 5]);
  assert.deepEqual(nodes.map(({ outputs }) => outputs), [4, 4, 4, 4, 5, 5]);
  assert.equal(channels, 5);
});

Deno.test("the head of AlexNet has 256 inputs, that of ResNet-18 512", () => {
  assert.deepEqual([ALEXNET.channels, RESNET18.channels], [256, 512]);
});

Deno.test("a network that makes no sense is refused, and the message says which node is wrong", () => {
  const cases: [NodeDescription[], string][] = [
    [[], "node 0: there is none"],
    [[FIRST], "node 0: the mean has to be the last node and no other"],
    [[MEAN, MEAN], "node 0: the mean has to be the last node and no other"],
    [[FIRST, FIRST, MEAN], "node 1: the name 'first' is there twice"],
    [
      [FIRST, { kind: "relu", input: "later" }, { ...MEAN, name: "later" }],
      "node 1: no node ahead has the name 'later'",
    ],
    [
      [FIRST, { ...FIRST, name: "second", outputs: 5 }, { kind: "add", shortcut: "first" }, MEAN],
      "node 2: 5 channels are added to 4",
    ],
  ];
  for (const [nodes, found] of cases) {
    const message = `Cannot describe the network 'odd': ${found}`;
    assert.throws(
      () =>
        network({
          name: "odd",
          title: "odd",
          modules: { features: "", classifier: "fc." },
          inputs: 3,
          nodes,
        }),
      { message },
    );
  }
});
