import assert from "node:assert/strict";
import { recognize, type TensorInfo } from "../../../lib/model/weights/lineage.ts";
import { locateMRNet, selectMRNet } from "../../../lib/model/weights/mrnet.ts";
import type { NamedTensor, StateDict } from "../../../lib/model/weights/tensors.ts";
import { makeMRNet } from "./support.ts";

const MRNET = makeMRNet();

function zeros(...shape: number[]): NamedTensor {
  return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

/** The second output alone of a layer of two. */
function oneOutput({ shape, data }: NamedTensor): NamedTensor {
  return { shape: [1, ...shape.slice(1)], data: data.slice(data.length / 2) };
}

/** An MRNet of one output under the names of another class. */
function lineage(trunk: string, head: string): StateDict {
  return new Map(
    [...MRNET].map(([name, tensor]) =>
      name.startsWith("classifer.")
        ? [name.replace("classifer", head), oneOutput(tensor)]
        : [name.replace("pretrained_model.features", trunk), tensor]
    ),
  );
}

function infoOf(tensors: StateDict): Map<string, TensorInfo> {
  return new Map([...tensors].map(([name, { shape }]) => [name, { shape, type: "F32" }]));
}

function renamed(tensors: StateDict, rename: (name: string) => string): StateDict {
  return new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

function refuses(what: string, tensors: StateDict, found: string): void {
  Deno.test(`${what} is refused with its names`, () => {
    assert.throws(() => selectMRNet(tensors, "a.pth"), (error: Error) => {
      assert.equal(error.name, "WeightsError", error.message);
      assert.ok(error.message.includes(found), error.message);
      return true;
    });
  });
}

const STANFORD = lineage("model.features", "classifier");
const ALEXNETS_OWN = new Map(
  Object.entries({ "1": [4096, 9216], "4": [4096, 4096], "6": [1000, 4096] }),
);

/** What is expected of a file with one output: the second logit is its own, the first zero. */
const EXPECTED: StateDict = new Map([...MRNET].map(([name, tensor]) => {
  if (!name.startsWith("classifer.")) return [name, tensor];
  const data = tensor.data.slice();
  data.fill(0, 0, data.length / 2);
  return [name, { ...tensor, data }];
}));

for (
  const [trunk, head] of [
    ["model.features", "classifier"],
    ["pretrained_model.features", "classifer"],
    ["pretrained_model.features", "classifier"],
    ["alexnet", "fc"],
    ["alexnet.features", "fc"],
    ["features", "classifier"],
    ["features", "fc"],
    ["backbone", "fc"],
    ["model.features", "classifier.1"],
    ["pretrained_model.features", "pretrained_model.classifier"],
  ]
) {
  Deno.test(`one output under ${trunk}.N and ${head} becomes the second of two`, () => {
    const tensors = lineage(trunk, head);
    assert.deepEqual(selectMRNet(tensors, "a.pth"), EXPECTED);
    const wrapped = renamed(tensors, (name) => `net.${name}`);
    assert.deepEqual(selectMRNet(wrapped, "a.pth"), EXPECTED);
  });
}

Deno.test("wrappers' names are passed over anywhere in a key", () => {
  const renamings: ((name: string) => string)[] = [
    (name) => name.replace("pretrained_model.", "pretrained_model._orig_mod."),
    (name) => name.replace("features.", "features.module."),
    (name) => name.replace("classifer.", "classifer.module."),
    (name) => `module._orig_mod.${name}`,
    (name) => `_orig_mod.module.${name.replace("features.", "features._orig_mod.")}`,
    (name) => name.replace(/(features\.\d+)/, "$1.module"),
    (name) =>
      `_fsdp_wrapped_module.${name.replace("features.", "features._checkpoint_wrapped_module.")}`,
  ];
  for (const rename of renamings) {
    assert.deepEqual(selectMRNet(renamed(MRNET, rename), "a.pth"), MRNET, rename("classifer.bias"));
  }
});

Deno.test("tensors of the loss and counters stand outside the network", () => {
  const outside = {
    "criterion.pos_weight": zeros(1),
    "pos_weight": zeros(2),
    "loss_fn.weight": zeros(2),
    "model.criterion.bce.pos_weight": zeros(),
    "class_weights": zeros(2),
  };
  assert.deepEqual(
    selectMRNet(new Map([...MRNET, ...Object.entries(outside)]), "a.pth"),
    MRNET,
  );
  const lightning = renamed(STANFORD, (name) => `model.${name}`);
  const tensors = infoOf(new Map([...lightning, ["criterion.pos_weight", zeros(1)]]));
  tensors.set("n_averaged", { shape: [], type: "I64" });
  const { keys } = locateMRNet(tensors, "a.pth");
  assert.deepEqual([...keys.values()], [...lightning.keys()]);
});

Deno.test("AlexNet's own classifier is left aside in any form", () => {
  const whole = [...ALEXNETS_OWN].flatMap(([index, shape]): [string, number[]][] => [
    [`${index}.weight`, shape],
    [`${index}.bias`, shape.slice(0, 1)],
  ]);
  const forms: [string, number[]][][] = [
    whole,
    whole.slice(0, 4),
    whole.map(([name, shape]) => [`_orig_mod.${name}`, shape]),
    whole.map(([name, shape]) => [`module.${name}`, shape]),
    [["weight", [2, 9216]], ["bias", [2]]],
    [["0.weight", [512, 9216]], ["0.bias", [512]], ["fc.weight", [7, 512]]],
    [["6.weight_g", [1000, 1]], ["6.weight_v", [1000, 4096]]],
  ];
  for (const form of forms) {
    for (const [mrnet, parent] of [[MRNET, "pretrained_model"], [STANFORD, "model"]] as const) {
      const tensors = infoOf(mrnet);
      for (const [name, shape] of form) {
        tensors.set(`${parent}.classifier.${name}`, { shape, type: "F32" });
      }
      const { keys } = locateMRNet(tensors, "a.pth");
      assert.deepEqual([...keys.values()], [...mrnet.keys()], form[0][0]);
    }
  }
});

const beside = (extra: Record<string, NamedTensor>, to: StateDict = STANFORD): StateDict =>
  new Map([...to, ...Object.entries(extra)]);

refuses(
  "a linear layer of three outputs",
  beside({ "classifier.weight": zeros(3, 256), "classifier.bias": zeros(3) }),
  "wrong shape: 'classifier.weight' is [3, 256], not [1, 256], 'classifier.bias' is [3], not [1]",
);
for (const [trunk, head] of [["model.features", "classifier"], ["alexnet", "fc"]]) {
  refuses(
    `a layer of two outputs under ${trunk} and ${head}`,
    renamed(
      MRNET,
      (name) => name.replace("classifer", head).replace("pretrained_model.features", trunk),
    ),
    `'${head}.weight' has two outputs, and only in a file with the names of the reference's class ` +
      "is the second known to be the finding's",
  );
}
refuses(
  "a hidden layer",
  beside({ "fc.weight": zeros(128, 256), "fc.bias": zeros(128) }),
  "unexpected 'fc.weight', 'fc.bias'",
);
refuses(
  "a hidden layer in the place of AlexNet's classifier",
  beside({ "model.classifier.weight": zeros(256, 256) }),
  "unexpected 'model.classifier.weight'",
);
refuses(
  "a layer behind the linear layer in the place of AlexNet's classifier",
  beside(
    { "pretrained_model.classifier.1.weight": zeros(1) },
    lineage("pretrained_model.features", "pretrained_model.classifier.0"),
  ),
  "unexpected 'pretrained_model.classifier.1.weight'",
);
refuses(
  "a normalisation of the features",
  beside({ "batchnorm2d.weight": zeros(256), "batchnorm2d.running_mean": zeros(256) }),
  "unexpected 'batchnorm2d.weight', 'batchnorm2d.running_mean'",
);
refuses(
  "an attention",
  beside({ "attention.weight": zeros(1, 256) }),
  "unexpected 'attention.weight'",
);
refuses(
  "a second linear layer",
  beside({ "fc.weight": zeros(1, 256), "fc.bias": zeros(1) }, MRNET),
  "unexpected 'fc.weight', 'fc.bias'",
);
refuses(
  "a preparation of the input",
  beside({ "normalize.mean": zeros(3), "normalize.std": zeros(3) }),
  "unexpected 'normalize.mean', 'normalize.std'",
);
refuses(
  "a second network behind a wrapper's name",
  new Map([...MRNET, ...renamed(MRNET, (name) => `module.${name}`)]),
  "it holds 2 networks ('pretrained_model.features.0.weight', " +
    "'module.pretrained_model.features.0.weight')",
);
refuses(
  "MRNet without its linear layer",
  new Map([...MRNET].slice(0, 10)),
  "missing 'classifer.weight', 'classifer.bias'",
);

Deno.test("whole numbers in the place of layers are not passed over", () => {
  const tensors = infoOf(STANFORD);
  tensors.set("attention.weight", { shape: [1, 256], type: "I8" });
  assert.throws(() => locateMRNet(tensors, "a.pth"), /unexpected 'attention.weight'/);
});

Deno.test("what a file is, is decided by all it holds", () => {
  const alexnet = infoOf(renamed(
    new Map([...MRNET].slice(0, 10)),
    (name) => name.slice("pretrained_model.".length),
  ));
  const kind = (tensors: Map<string, TensorInfo>) => recognize(tensors, "a.pth").kind;
  assert.equal(kind(alexnet), "backbone");
  const complete = new Map(alexnet);
  for (const [index, shape] of ALEXNETS_OWN) {
    complete.set(`classifier.${index}.weight`, { shape, type: "F32" });
  }
  assert.equal(kind(complete), "backbone");
  assert.equal(
    kind(new Map([...alexnet, ["fc.weight", { shape: [3, 256], type: "F32" }]])),
    "other",
  );
  assert.equal(kind(new Map([...alexnet].slice(1))), "other");
  assert.equal(kind(infoOf(new Map([...MRNET].slice(0, 10)))), "other");
  for (
    const mrnet of [MRNET, STANFORD, lineage("features", "classifier"), lineage("alexnet", "fc")]
  ) {
    assert.equal(kind(infoOf(mrnet)), "mrnet");
  }
});
