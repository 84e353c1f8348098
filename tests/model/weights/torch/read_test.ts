import assert from "node:assert/strict";
import { concat } from "../../../../lib/bytes.ts";
import { encodePytorch } from "../../../../lib/model/weights/torch/write.ts";
import type { StateDict } from "../../../../lib/model/weights/tensors.ts";
import { encodeZip } from "../../../../lib/zip.ts";
import { writeWhole } from "../../../../lib/files.ts";
import {
  assemble,
  assertRefused,
  expectedTensors,
  fixture,
  type Piece,
  text,
  withFolder,
} from "../support.ts";
import { decodePytorch, readPytorch } from "../../../support/weights.ts";

const EXPECTED = expectedTensors();

for (const [name, expected] of EXPECTED) {
  Deno.test(`PyTorch's ${name} is read with the values PyTorch finds in it`, () => {
    const { tensors } = decodePytorch(fixture(name), name);
    assert.deepEqual([...tensors.keys()], [...expected.keys()]);
    for (const [key, tensor] of expected) assert.deepEqual(tensors.get(key), tensor, key);
  });
}

Deno.test("the fixtures hold every form", () => {
  const names = [...EXPECTED.keys()];
  for (
    const word of ["_legacy", "_protocol5", "module_model", "module_data_parallel", "types"]
  ) assert.ok(names.some((name) => name.includes(word)), word);
  assert.ok(names.length >= 20);
});

Deno.test("tensors that are not floating point are named, not read", () => {
  const { skipped } = decodePytorch(fixture("types.pth"), "types.pth");
  assert.deepEqual(skipped, new Map([["steps", "I64"], ["mask", "BOOL"]]));
});

Deno.test("windows onto one storage have memory of their own", () => {
  const { tensors } = decodePytorch(fixture("windows.pth"), "windows.pth");
  const buffers = [...tensors.values()].map(({ data }) => data.buffer);
  assert.equal(new Set(buffers).size, buffers.length);
});

Deno.test("only the wanted tensors are read", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.pth`;
    await Deno.writeFile(path, fixture("state_dict.pth"));
    const { tensors } = await readPytorch(path, { want: (name) => name === "scale" });
    assert.deepEqual(tensors, new Map([["scale", EXPECTED.get("state_dict.pth")!.get("scale")!]]));
  });
});

Deno.test("what is written is read back, and the bytes depend on the content alone", async () => {
  const tensors: StateDict = new Map([
    ["a.weight", { shape: [2, 1, 3], data: new Float32Array([1, 2, 3, 4, 5, NaN]) }],
    ["größe", { shape: [], data: new Float32Array([-0]) }],
    ["empty", { shape: [0, 2], data: new Float32Array(0) }],
  ]);
  const bytes = concat(encodePytorch(tensors));
  assert.deepEqual(decodePytorch(bytes, "a.pth").tensors, tensors);
  assert.deepEqual(concat(encodePytorch(tensors)), bytes);
  await withFolder(async (folder) => {
    await writeWhole(`${folder}/a.pth`, encodePytorch(tensors));
    assert.deepEqual((await readPytorch(`${folder}/a.pth`)).tensors, tensors);
  });
  const wrong: StateDict = new Map([["x", { shape: [3], data: new Float32Array(2) }]]);
  assert.throws(() => encodePytorch(wrong), RangeError);
});

/** A file with one tensor, whose pickle says something about it in the last argument. */
function withMetadata(tensor: StateDict, ...metadata: Piece[]): Uint8Array {
  const [, pickle] = encodePytorch(tensor);
  // The tuple of arguments ends with the hooks, an empty dictionary; what follows them is new.
  const end = new TextDecoder("latin1").decode(pickle).lastIndexOf(")RtR") + 2;
  const bytes = concat([pickle.slice(0, end), assemble(...metadata), pickle.slice(end)]);
  const values = [...tensor.values()].map(({ data }) => new Uint8Array(data.buffer));
  return concat(encodeZip(new Map([["a/data.pkl", bytes], ["a/data/0", values[0]]])));
}

const WITH_SIGN: StateDict = new Map([
  ["a.weight", { shape: [2, 2], data: new Float32Array([1, -2, 0.5, 3]) }],
]);

Deno.test("a tensor's negative bit is applied, and only then", () => {
  const negated = new Map([
    ["a.weight", { shape: [2, 2], data: new Float32Array([-1, 2, -0.5, -3]) }],
  ]);
  const neg = [...text("neg"), 0x88, "s"];
  for (
    const [metadata, expected] of [
      [["}", ...neg], negated],
      [["ccollections\nOrderedDict\n)R", ...neg], negated],
      [["}"], WITH_SIGN],
      [["N"], WITH_SIGN],
    ] as [Piece[], StateDict][]
  ) {
    const bytes = withMetadata(WITH_SIGN, ...metadata);
    assert.deepEqual(decodePytorch(bytes, "a.pth").tensors, expected);
  }
});

for (
  const [metadata, found] of [
    [["}", ...text("conj"), 0x88, "s"], "the metadata 'conj', which is not understood"],
    [["}", ...text("neg"), 0x89, "s"], "the metadata 'neg', which is not understood"],
    [["}", ...text("neg"), "K", 1, "s"], "the metadata 'neg', which is not understood"],
    [["}", ...text("scale"), "K", 2, "s"], "the metadata 'scale', which is not understood"],
    [["}K", 1, 0x88, "s"], "metadata, which is not understood"],
    [["]"], "metadata that is no dictionary, which is not understood"],
    [[0x88], "metadata that is no dictionary, which is not understood"],
  ] as [Piece[], string][]
) {
  Deno.test(`a tensor is refused that has ${found} (${metadata.length})`, () => {
    assertRefused(() => decodePytorch(withMetadata(WITH_SIGN, ...metadata), "a.pth"), found);
  });
}

/** Shapes of tensors by name, one level deep. */
type Content = Record<string, Record<string, number[]> | number[]>;

/** A file whose dictionary holds dictionaries of tensors; all share one storage. */
function checkpoint(content: Content): Uint8Array {
  const tensor = (shape: number[]): Piece[] => [
    "ctorch._utils\n_rebuild_tensor_v2\n((",
    ...text("storage"),
    "ctorch\nFloatStorage\n",
    ...text("0"),
    ...text("cpu"),
    ["K".charCodeAt(0), 8],
    "tQK",
    0,
    "(",
    ...shape.flatMap((size) => ["K", size]),
    "t(",
    ...shape.flatMap(() => ["K", 1]),
    "t",
    0x89,
    "}tR",
  ];
  const pieces = Object.entries(content).flatMap(([name, value]) => [
    ...text(name),
    ...Array.isArray(value) ? tensor(value) : [
      "}",
      ...Object.entries(value).flatMap(([key, shape]) => [...text(key), ...tensor(shape), "s"]),
    ],
    "s",
  ]);
  const pickle = assemble(0x80, 2, "}", ...pieces, ".");
  return concat(encodeZip(new Map([["a/data.pkl", pickle], ["a/data/0", new Uint8Array(32)]])));
}

Deno.test("what stands beside a network in a checkpoint, and is no layer, is passed over", () => {
  const network = { "a.weight": [2], "a.bias": [1] };
  for (
    const beside of [
      { criterion: { pos_weight: [1] } },
      { loss_fn: { weight: [2] } },
      { pos_weight: [1] },
      { best_loss: [1], ema: network },
      { ema: { "module.a.weight": [2], "module.a.bias": [1] } },
    ] as Content[]
  ) {
    for (const key of ["model", "mrnet"]) {
      if ("ema" in beside && key === "mrnet") continue;
      const bytes = checkpoint({ ...beside, [key]: network });
      const { tensors } = decodePytorch(bytes, "a.pth");
      assert.deepEqual([...tensors.keys()], Object.keys(network), JSON.stringify(beside));
    }
  }
});

for (
  const [what, content, found] of [
    [
      "the linear layer beside its convolutions",
      { model: { "0.weight": [2] }, fc: { weight: [2], bias: [1] } },
      "it holds a network, and other layers beside it ('fc/weight', 'fc/bias')",
    ],
    [
      "a layer beside its convolutions",
      { state_dict: { "0.weight": [2] }, "fc.weight": [2] },
      "it holds a network, and other layers beside it ('fc.weight')",
    ],
    [
      "convolutions beside its layers",
      { "fc.weight": [2], features: { "0.weight": [2] } },
      "it holds a network, and other layers beside it ('features/0.weight')",
    ],
  ] as [string, Content, string][]
) {
  Deno.test(`a file that keeps ${what} is refused`, () => {
    assertRefused(() => decodePytorch(checkpoint(content), "a.pth"), found);
  });
}

/** A file of the legacy form that says it comes from a big-endian machine. */
function bigEndian(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const key = new TextDecoder("ascii").decode(bytes).indexOf("little_endian");
  // The pickle's operation for True, which follows the key, becomes the one for False.
  copy[copy.indexOf(0x88, key)] = 0x89;
  return copy;
}

const tar = new Uint8Array(512);
tar.set(new TextEncoder().encode("ustar"), 257);
const legacy = fixture("state_dict_legacy.pth");
const bigArchive = encodeZip(
  new Map([
    ["a/data.pkl", new Uint8Array(1)],
    ["a/byteorder", new TextEncoder().encode("big")],
  ]),
);

for (
  const [what, bytes, found] of [
    ["that is empty", new Uint8Array(0), "it is empty: give a file that torch.save wrote"],
    ["of text", new TextEncoder().encode("hello"), "it is no file of PyTorch"],
    ["in tar form", tar, "it has the tar form that PyTorch gave up in 2017"],
    ["that is a plain pickle", Uint8Array.of(0x80, 2, 0x4b, 7, 0x2e), "none that torch.save wrote"],
    ["of TorchScript", fixture("torchscript.pt"), "it is a TorchScript program, not a file of"],
    ["with one tensor", fixture("one_tensor.pth"), "there is no state dict and no module in it"],
    ["without tensors", fixture("checkpoint_none.pth"), "there is no state dict and no module"],
    [
      "with several networks",
      fixture("checkpoint_several.pth"),
      "it holds several networks ('axial', 'coronal') and none is under 'state_dict'",
    ],
    ["of a big-endian machine", concat(bigArchive), "it was written on a big-endian machine"],
    ["of a zip without a pickle", concat(encodeZip(new Map())), "a zip archive with 0 'data.pkl'"],
    [
      "of the legacy form of a big-endian machine",
      bigEndian(legacy),
      "it was written on a big-endian machine",
    ],
    ["that ends within its values", legacy.slice(0, -1), "copy or download it again"],
    ["that ends within a length", legacy.slice(0, -30), "copy or download it again"],
    ["that ends within its pickle", legacy.slice(0, 300), "its pickle breaks off"],
    ["that asks for os.system", fixture("system.pth"), "it asks for 'posix.system', which is not"],
    ["that asks for os.system, legacy", fixture("system_legacy.pth"), "it asks for 'posix.system'"],
    ["that is a pickle of os.system", fixture("system.pkl"), "it asks for 'posix.system'"],
    ["that asks for eval", fixture("eval_protocol4.pth"), "it asks for 'builtins.eval'"],
    ["of an unknown class", fixture("module_unlisted.pth"), "it asks for 'elsewhere.Unlisted'"],
    [
      "of sparse tensors",
      fixture("sparse.pth"),
      "it asks for 'torch._utils._rebuild_sparse_tensor'",
    ],
    [
      "of quantized tensors",
      fixture("quantized.pth"),
      "it asks for 'torch._utils._rebuild_qtensor'",
    ],
  ] as const
) {
  Deno.test(`a file ${what} is refused`, () => {
    assertRefused(() => decodePytorch(bytes, "a.pth"), found);
  });
}

Deno.test("the message about a forbidden name is whole and says that nothing was run", () => {
  assert.throws(() => decodePytorch(fixture("system.pth"), "a.pth"), {
    name: "WeightsError",
    message:
      "Cannot read weights 'a.pth': it asks for 'posix.system', which is not on the list of " +
      "what a weights file may contain: nothing was run; save model.state_dict() alone, if you " +
      "trust where it comes from",
  });
});
