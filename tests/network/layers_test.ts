import assert from "node:assert/strict";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { layersOf } from "../../lib/network/layers.ts";
import { network, type NodeDescription } from "../../lib/network/network.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";

/** The layers in short: what each reads, adds and is followed by. */
function listed(layers: ReturnType<typeof layersOf>): string[] {
  return layers.map(({ convolution, source, shortcut, relu, pool }) => {
    const added = shortcut === undefined ? "" : ` + ${shortcut}`;
    return `${convolution.name}(${source})${added}${relu ? " relu" : ""}${pool ? " pool" : ""}`;
  });
}

Deno.test("AlexNet is five layers in a row, three of them with a pool", () => {
  assert.deepEqual(listed(layersOf(ALEXNET)), [
    "features.0(-1) relu pool",
    "features.3(0) relu pool",
    "features.6(1) relu",
    "features.8(2) relu",
    "features.10(3) relu pool",
  ]);
});

Deno.test("a shortcut of ResNet-18 is added in the last layer of its block", () => {
  assert.deepEqual(listed(layersOf(RESNET18)).slice(0, 10), [
    "conv1(-1) relu pool",
    "layer1.0.conv1(0) relu",
    "layer1.0.conv2(1) + 0 relu",
    "layer1.1.conv1(2) relu",
    "layer1.1.conv2(3) + 2 relu",
    "layer2.0.conv1(4) relu",
    "layer2.0.conv2(5)",
    "layer2.0.downsample.0(4) + 6 relu",
    "layer2.1.conv1(7) relu",
    "layer2.1.conv2(8) + 7 relu",
  ]);
  assert.equal(layersOf(RESNET18).length, 20);
});

Deno.test("a node that belongs to no layer is refused", () => {
  const convolution: NodeDescription = {
    ...{ kind: "convolution", name: "first", outputs: 4, size: 1, stride: 1, padding: 0 },
  };
  const pool: NodeDescription = { kind: "maxPool", size: 1, stride: 1, padding: 0 };
  const [relu, mean]: NodeDescription[] = [{ kind: "relu" }, { kind: "mean" }];
  const cases: [NodeDescription[], number][] = [
    [[relu, mean], 0],
    [[mean], 0],
    [[convolution, pool, relu, mean], 2],
    [[convolution, relu, relu, mean], 2],
    // What is within a layer is not held.
    [
      [convolution, { ...relu, name: "end" }, { ...convolution, name: "b", input: "first" }, mean],
      2,
    ],
    [
      [
        convolution,
        { ...convolution, name: "second" },
        { kind: "add", shortcut: "first", input: "first" },
        mean,
      ],
      2,
    ],
    [[convolution, { ...convolution, name: "unused" }, { ...mean, input: "first" }], 2],
  ];
  for (const [nodes, index] of cases) {
    const message = `Cannot compute node ${index} of 'odd' in a layer`;
    assert.throws(
      () =>
        layersOf(
          network({
            name: "odd",
            title: "odd",
            modules: { features: "", classifier: "fc." },
            inputs: 4,
            nodes,
          }),
        ),
      {
        message,
      },
    );
  }
});
