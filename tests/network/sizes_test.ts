import assert from "node:assert/strict";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";
import { featureSize, leastSide, sizesOf } from "../../lib/network/sizes.ts";

Deno.test("the features of a slice of 256×256 are 7×7 in AlexNet and 8×8 in ResNet-18", () => {
  const image = { height: 256, width: 256 };
  assert.deepEqual(featureSize(ALEXNET, image), { height: 7, width: 7 });
  assert.deepEqual(featureSize(RESNET18, image), { height: 8, width: 8 });
});

Deno.test("height and width are told apart", () => {
  assert.deepEqual(featureSize(ALEXNET, { height: 224, width: 240 }), { height: 6, width: 6 });
  assert.deepEqual(featureSize(RESNET18, { height: 224, width: 240 }), { height: 7, width: 8 });
});

Deno.test("AlexNet needs slices of 63 pixels, ResNet-18 has an output for every size", () => {
  assert.equal(leastSide(ALEXNET), 63);
  assert.equal(leastSide(RESNET18), 1);
});

Deno.test("all that is added in ResNet-18 has the same size, for every size of slice", () => {
  for (let side = 1; side <= 300; side++) {
    const sizes = sizesOf(RESNET18, { height: side, width: 301 - side });
    for (const { kind, sources } of RESNET18.nodes) {
      if (kind === "add") assert.deepEqual(sizes[sources[0]], sizes[sources[1]]);
    }
  }
});
