import assert from "node:assert/strict";
import { featureParameters } from "../../../lib/model/names.ts";
import { ALEXNET } from "../../../lib/network/alexnet.ts";
import {
  locateMRNet,
  MRNET_PARAMETERS,
  selectFeatures,
  selectMRNet,
} from "../../../lib/model/weights/mrnet.ts";
import type { StateDict } from "../../../lib/model/weights/tensors.ts";
import { makeMRNet } from "./support.ts";

const MRNET = makeMRNet();

function renamed(tensors: StateDict, rename: (name: string) => string): StateDict {
  return new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

function refuses(tensors: StateDict, found: string, hint = "give a file of that network"): void {
  assert.throws(() => selectMRNet(tensors, "a.pth"), {
    name: "WeightsError",
    message: `Cannot read weights 'a.pth': ${found}: ${hint}`,
  });
}

const scalar = { shape: [1], data: new Float32Array(1) };

Deno.test("MRNet has twelve parameters, 2470210 numbers in all", () => {
  const counts = MRNET_PARAMETERS.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  assert.equal(MRNET_PARAMETERS.length, 12);
  assert.equal(counts.reduce((a, b) => a + b, 0), 2_470_210);
  assert.deepEqual(MRNET_PARAMETERS[2], {
    name: "pretrained_model.features.3.weight",
    shape: [192, 64, 5, 5],
  });
  assert.deepEqual(MRNET_PARAMETERS[11], { name: "classifer.bias", shape: [2] });
});

Deno.test("an MRNet is picked under its own names and in order", () => {
  const shuffled = new Map([...MRNET].reverse());
  const picked = selectMRNet(shuffled, "a.pth");
  assert.deepEqual([...picked.keys()], MRNET_PARAMETERS.map(({ name }) => name));
  for (const [name, tensor] of picked) assert.equal(tensor, MRNET.get(name));
});

for (const prefix of ["module.", "model.", "net.module.", "_orig_mod."]) {
  Deno.test(`names with the prefix '${prefix}' are understood`, () => {
    const picked = selectMRNet(renamed(MRNET, (name) => prefix + name), "a.pth");
    assert.deepEqual([...picked.keys()], MRNET_PARAMETERS.map(({ name }) => name));
  });
}

Deno.test("the corrected spelling of the classifier is understood", () => {
  const picked = selectMRNet(
    renamed(MRNET, (name) => name.replace("classifer", "classifier")),
    "a.pth",
  );
  assert.equal(picked.get("classifer.bias"), MRNET.get("classifer.bias"));
});

Deno.test("AlexNet's own classifier is left aside, and need not be read", () => {
  const names = ["1.weight", "1.bias", "4.weight", "4.bias", "6.weight", "6.bias"]
    .map((name) => `pretrained_model.classifier.${name}`);
  const full = new Map([...MRNET, ...names.map((name) => [name, scalar] as const)]);
  assert.equal(selectMRNet(full, "a.pth").size, 12);
  const info = new Map([...full].map(([name, { shape }]) => [name, { shape, type: "F32" }]));
  assert.deepEqual(
    [...locateMRNet(info, "a.pth").keys],
    MRNET_PARAMETERS.map(({ name }) => [name, name]),
  );
});

Deno.test("everything that is missing, unexpected or wrongly shaped is in one line", () => {
  const tensors = new Map(MRNET);
  tensors.delete("classifer.bias");
  tensors.delete("pretrained_model.features.3.weight");
  tensors.set("pretrained_model.features.12.weight", scalar);
  tensors.set("classifer.weight", { shape: [1, 256], data: new Float32Array(256) });
  refuses(
    tensors,
    "it does not hold an MRNet: missing 'pretrained_model.features.3.weight', 'classifer.bias'; " +
      "unexpected 'pretrained_model.features.12.weight'; " +
      "wrong shape: 'classifer.weight' is [1, 256], not [2, 256]",
  );
});

Deno.test("both spellings of the classifier at once are one too many", () => {
  const tensors = new Map([...MRNET, ["classifier.weight", scalar] as const]);
  refuses(tensors, "it does not hold an MRNet: unexpected 'classifier.weight'");
});

Deno.test("long lists are cut short", () => {
  refuses(
    new Map(Array.from({ length: 9 }, (_, index) => [`layer.${index}`, scalar])),
    "it does not hold an MRNet: missing 'pretrained_model.features.0.weight', " +
      "'pretrained_model.features.0.bias', 'pretrained_model.features.3.weight', " +
      "'pretrained_model.features.3.bias' and 8 more; " +
      "unexpected 'layer.0', 'layer.1', 'layer.2', 'layer.3' and 5 more",
  );
});

Deno.test("AlexNet in the place of an MRNet is recognised", () => {
  const alexnet = renamed(selectFeatures(MRNET, "a.pth"), (name) => name.slice(17));
  assert.throws(
    () => selectMRNet(alexnet, "a.pth"),
    /it looks like AlexNet, which a training starts from, not like a trained MRNet$/,
  );
});

Deno.test("a file with several MRNets is refused", () => {
  const tensors = new Map([
    ...renamed(MRNET, (name) => `axial.${name}`),
    ...renamed(MRNET, (name) => `coronal.${name}`),
  ]);
  refuses(
    tensors,
    "it holds 2 networks ('axial.pretrained_model.features.0.weight', " +
      "'coronal.pretrained_model.features.0.weight')",
    "save the one network you want in a file of its own",
  );
});

Deno.test("values that are not finite are counted and refused", () => {
  const data = new Float32Array(512);
  data[3] = NaN;
  data[5] = -Infinity;
  refuses(
    new Map([...MRNET, ["classifer.weight", { shape: [2, 256], data }] as const]),
    "'classifer.weight' holds 2 of 512 values that are not finite",
    "the training that made it diverged, give another file",
  );
});

Deno.test("a shape that fits with values that do not is refused", () => {
  const data = new Float32Array(1);
  assert.throws(() =>
    selectMRNet(new Map([...MRNET, ["classifer.bias", { shape: [2], data }] as const]), "a")
  );
});

for (
  const [what, rename] of [
    ["torchvision's AlexNet", (name) => name.slice("pretrained_model.".length)],
    ["an MRNet", (name) => name],
    ["an MRNet under DataParallel", (name) => `module.${name}`],
  ] as [string, (name: string) => string][]
) {
  Deno.test(`the features are picked out of ${what}`, () => {
    const features = new Map([...MRNET].slice(0, 10));
    const tensors = new Map([...renamed(features, rename), ["other", scalar] as const]);
    const picked = selectFeatures(tensors, "a.pth");
    assert.deepEqual(picked, features);
    assert.deepEqual([...picked.keys()], featureParameters(ALEXNET).map(({ name }) => name));
  });
}

Deno.test("the features of another network are refused with their shapes", () => {
  const shape = [64, 3, 3, 3];
  const vgg: StateDict = new Map([["features.0.weight", { shape, data: new Float32Array(1728) }]]);
  assert.throws(
    () => selectFeatures(vgg, "vgg.pth"),
    /^WeightsError: Cannot read weights 'vgg.pth': it does not hold AlexNet's features: missing .*; wrong shape: 'features.0.weight' is \[64, 3, 3, 3\], not \[64, 3, 11, 11\]: /,
  );
});
