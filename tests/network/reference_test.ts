/** Features, and gradients of every parameter, are torchvision's in double precision. */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { filtersToHWIO, filtersToOIHW } from "../../lib/model/layout.ts";
import { ALEXNET } from "../../lib/network/alexnet.ts";
import { parametersOf, statisticsOf } from "../../lib/network/parameters.ts";
import { featuresOf } from "../../lib/network/reference.ts";
import { RESNET18, RESNET34 } from "../../lib/network/resnet.ts";
import * as tf from "../support/tf.ts";
import { testWithPython } from "../support/python.ts";

/** Random weights and statistics, an image, the means of its features, and the gradients of half their squares. */
const PROGRAM = `
import sys, torch
from torchvision import models

name, path = sys.argv[1:]
torch.manual_seed(5)
whole = getattr(models, name)(pretrained=False).eval()
for key, buffer in whole.named_buffers():
    if key.endswith("running_mean"): buffer.normal_(0, 0.2)
    if key.endswith("running_var"): buffer.uniform_(0.5, 2)
with torch.no_grad():
    for key, parameter in whole.named_parameters():
        if parameter.dim() == 1: parameter.add_(torch.randn_like(parameter) * 0.1)
features = whole.features if name == "alexnet" else torch.nn.Sequential(*list(whole.children())[:-2])
image = torch.randn(2, 1, 75, 68)
state = {key: value.float().clone() for key, value in whole.state_dict().items()}
means = features.double()(image.double().expand(-1, 3, -1, -1)).mean((2, 3))
(means ** 2).sum().div(2).backward()
gradients = {"gradient " + k: p.grad.float() for k, p in whole.named_parameters() if p.grad is not None}
torch.save({**state, **gradients, "image": image, "means": means.detach().float()}, path)
`;
import { readWeights } from "../support/weights.ts";

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
}

for (const network of [ALEXNET, RESNET18, RESNET34]) {
  testWithPython(
    `the reference of ${network.name} gives torchvision's features and gradients`,
    ["torch", "torchvision"],
    async (run) => {
      const folder = await Deno.makeTempDir();
      try {
        await run(PROGRAM, network.name, `${folder}/all.pth`);
        const { tensors } = await readWeights(`${folder}/all.pth`);
        await startEngine("wasm");
        const before = tf.memory().numTensors;
        const names = [...parametersOf(network), ...statisticsOf(network)].map(({ name }) => name);
        const held = new Map(names.map((name) => {
          const { shape, data } = tensors.get(name)!;
          const [out, into, height, width] = shape;
          return [
            name,
            shape.length === 4
              ? tf.tensor(filtersToHWIO(data, shape), [height, width, into, out])
              : tf.tensor(data),
          ];
        }));
        const { data, shape: [slices, , height, width] } = tensors.get("image")!;
        const image = tf.tensor4d(data, [slices, height, width, 1]);
        const parameters = parametersOf(network);
        const means = (given: tf.Tensor[]) => {
          const of = new Map(held);
          parameters.forEach(({ name }, index) => of.set(name, given[index]));
          return tf.mean(featuresOf(network, image, (name) => of.get(name)!), [1, 2]);
        };
        const given = parameters.map(({ name }) => held.get(name)!);
        const found = tf.tidy(() => means(given));
        const near = (name: string, found: Float32Array, bound: number) => {
          const { data } = tensors.get(name)!;
          assert.equal(found.length, data.length);
          const off = norm(found.map((value, at) => value - data[at])) / norm(data);
          assert.ok(off <= bound, `${name}: ${off}`);
        };
        near("means", await found.data() as Float32Array, 1e-5);
        const half = (...given: tf.Tensor[]) => tf.div(tf.sum(tf.square(means(given))), 2);
        const gradients = tf.grads(half)(given);
        for (const [index, { name, shape }] of parameters.entries()) {
          const values = await gradients[index].data() as Float32Array;
          near(
            `gradient ${name}`,
            shape.length === 4 ? filtersToOIHW(values, shape) : values,
            1e-3,
          );
        }
        tf.dispose([image, found, ...gradients, ...held.values()]);
        assert.equal(tf.memory().numTensors, before);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
}

Deno.test("features are the only tensor that is left of their computation", async () => {
  await startEngine("cpu");
  const tensors = new Map(
    [...parametersOf(ALEXNET)].map(({ name, shape: [out, into, height, width] }) => {
      return [name, into === undefined ? tf.zeros([out]) : tf.zeros([height, width, into, out])];
    }),
  );
  const image = tf.zeros<tf.Rank.R4>([1, 63, 63, 1]);
  const before = tf.memory().numTensors;
  const features = featuresOf(ALEXNET, image, (name) => tensors.get(name)!);
  assert.deepEqual(features.shape, [1, 1, 1, 256]);
  assert.equal(tf.memory().numTensors, before + 1);
  tf.dispose([features, image, ...tensors.values()]);
});
