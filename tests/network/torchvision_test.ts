/** The networks are torchvision's: its names, its shapes, its sizes and what its gradients reach. */
import assert from "node:assert/strict";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import type { Network } from "../../lib/network/network.ts";
import { parametersOf, statisticsOf } from "../../lib/network/parameters.ts";
import { receptiveField } from "../../lib/network/receptive_field.ts";
import { RESNET18, RESNET34 } from "../../lib/network/resnet.ts";
import { featureSize } from "../../lib/network/sizes.ts";
import { imageNetUrl } from "../../lib/model/weights/imagenet.ts";
import { testWithPython } from "../support/python.ts";

/**
 * Prints what torchvision says of the convolutions of a network. For the receptive field every parameter
 * is positive and the pools are means, so the gradient reaches each pixel that is seen.
 */
const PROGRAM = `
import json, sys, torch
from torch import nn
from torchvision import models

name, images, side = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
whole = getattr(models, name)(pretrained=False).eval()
if name == "alexnet":
    features, kept, published = whole.features, "features.", models.AlexNet_Weights
else:
    features, kept = nn.Sequential(*list(whole.children())[:-2]), ""
    published = {"resnet18": models.ResNet18_Weights, "resnet34": models.ResNet34_Weights}[name]
counted = lambda key: key.endswith("num_batches_tracked") or key.startswith("fc.")
held = {k: list(v.shape) for k, v in whole.state_dict().items() if k.startswith(kept) and not counted(k)}
trained = [k for k, _ in whole.named_parameters() if k in held]
sizes = [list(features(torch.zeros(1, 3, *image)).shape[2:]) for image in images]

def soften(module):
    for key, child in module.named_children():
        if isinstance(child, nn.MaxPool2d):
            setattr(module, key, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
        soften(child)

soften(features)
with torch.no_grad():
    for parameter in features.parameters():
        parameter.fill_(1e-3)
# What it sees along a row: the columns need not fit.
image = torch.ones(1, 3, 64, side, dtype=torch.float64, requires_grad=True)
out = features.double()(image)
middle = out.shape[3] // 2
out[0, 0, out.shape[2] // 2, middle].backward()
seen = torch.nonzero(image.grad[0, 0].sum(0)).flatten()
print(json.dumps({"held": held, "trained": trained, "sizes": sizes, "middle": middle,
                  "url": published.IMAGENET1K_V1.url, "first": seen.min().item(), "last": seen.max().item()}))
`;

const IMAGES = [[256, 256], [224, 240], [64, 96], [63, 127], [301, 200]];

for (const network of [ALEXNET, RESNET18, RESNET34]) {
  testWithPython(
    `${network.name} is torchvision's`,
    ["torch", "torchvision"],
    async (run) => {
      // A width that the receptive field fits into wherever its pixel lies.
      const side = receptiveField(network).size + 96;
      const told = await run(PROGRAM, network.name, JSON.stringify(IMAGES), String(side));
      const { held, trained, sizes, middle, url, first, last } = JSON.parse(told);
      assert.deepEqual(parametersOf(network).map(({ name }) => name), trained);
      assert.deepEqual(shapesOf(network), held);
      assert.equal(imageNetUrl(network), url);
      const ours = IMAGES.map(([height, width]) =>
        Object.values(featureSize(network, { height, width }))
      );
      assert.deepEqual(ours, sizes);
      const { size, stride, start } = receptiveField(network);
      assert.deepEqual({ size, centre: start + middle * stride }, {
        size: last - first + 1,
        centre: (first + last) / 2,
      });
    },
  );
}

/** All tensors that a network has: their shapes by their names. */
function shapesOf(network: Network): Record<string, readonly number[]> {
  const tensors = [...parametersOf(network), ...statisticsOf(network)];
  return Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
}
