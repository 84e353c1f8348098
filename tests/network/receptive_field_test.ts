import assert from "node:assert/strict";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { network } from "../../lib/network/network.ts";
import { receptiveField } from "../../lib/network/receptive_field.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";

Deno.test("the features of both networks lie 32 pixels apart, AlexNet's begin at pixel 31", () => {
  assert.deepEqual(receptiveField(ALEXNET), { size: 195, stride: 32, start: 31 });
  assert.deepEqual(receptiveField(RESNET18), { size: 435, stride: 32, start: 0 });
});

Deno.test("outputs that lie on different pixels are not added", () => {
  const window = { kind: "convolution", outputs: 2, size: 1, stride: 1, padding: 0 } as const;
  const shifted = network({
    name: "shifted",
    title: "shifted",
    modules: { features: "", classifier: "fc." },
    inputs: 2,
    nodes: [
      { ...window, name: "first" },
      { ...window, name: "second", size: 3 },
      { kind: "add", shortcut: "first" },
      { kind: "mean" },
    ],
  });
  const message = "Cannot add outputs that lie on different pixels in 'shifted'";
  assert.throws(() => receptiveField(shifted), { message });
});
