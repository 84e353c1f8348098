import assert from "node:assert/strict";
import { readPickle } from "../../lib/pickle/read.ts";
import { PickleGlobal, PickleObject, type PickleValue } from "../../lib/pickle/values.ts";
import { bytesSource } from "../../lib/model/weights/source.ts";
import { makeTorchRules } from "../../lib/model/weights/torch/rules.ts";
import {
  assemble,
  assertRefused,
  type Piece,
  testWithPython,
  text,
} from "../model/weights/support.ts";

function read(...pieces: Piece[]): PickleValue {
  const bytes = assemble(...pieces);
  const source = bytesSource(bytes, "a.pth");
  return readPickle(source, { start: 0, end: bytes.length }, makeTorchRules()).value;
}

for (
  const [what, pieces, value] of [
    ["nothing", ["N."], null],
    ["true", [0x88, "."], true],
    ["false", [0x89, "."], false],
    ["a number of a byte", ["K", 200, "."], 200],
    ["a number of two bytes", ["M", [1, 2], "."], 513],
    ["a number of four bytes", ["J", [0xfe, 0xff, 0xff, 0xff], "."], -2],
    ["an empty long", [0x8a, 0, "."], 0],
    ["a negative long", [0x8a, 1, 0xff, "."], -1],
    ["a long that needs its sign byte", [0x8a, 2, 0xff, 0, "."], 255],
    ["a negative long of three bytes", [0x8a, 3, 0, 0, 0x80, "."], -8388608],
    ["a long of ten bytes", [0x8a, 10, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "."], 2n ** 72n],
    ["a negative long of nine bytes", [0x8a, 9, [0, 0, 0, 0, 0, 0, 0, 0, 0xff], "."], -(2n ** 64n)],
    ["a long with a long length", [0x8b, [1, 0, 0, 0], 0x80, "."], -128],
    ["a double", ["G", [0xbf, 0xf8, 0, 0, 0, 0, 0, 0], "."], -1.5],
    ["text", ["X", [2, 0, 0, 0], [0xc3, 0xa9], "."], "é"],
    ["short text", [0x8c, 1, "a."], "a"],
    ["text with a long length", [0x8d, [1, 0, 0, 0, 0, 0, 0, 0], "a."], "a"],
    ["text of Python 2", ["U", 1, "aT", [1, 0, 0, 0], "b", 0x86, "."], ["a", "b"]],
    ["bytes", ["C", 2, [0, 255], "."], new Uint8Array([0, 255])],
    ["bytes with a length", ["B", [1, 0, 0, 0], 7, "."], new Uint8Array([7])],
    ["bytes with a long length", [0x8e, [1, 0, 0, 0, 0, 0, 0, 0], 7, "."], new Uint8Array([7])],
    ["a byte array", [0x96, [1, 0, 0, 0, 0, 0, 0, 0], 7, "."], new Uint8Array([7])],
    ["tuples", [")N", 0x85, "NN", 0x86, "NNN", 0x87, "(", 0x87, "."], undefined],
    ["a tuple to the mark", ["(K", 1, "K", 2, "t."], [1, 2]],
    ["a list", ["](K", 1, "eK", 2, "a(N", "l", "a."], [1, 2, [null]]],
    ["a dictionary", ["}(K", 1, "NuK", 2, "Ns."], new Map([[1, null], [2, null]])],
    ["a dictionary to the mark", ["(K", 1, "Nd."], new Map([[1, null]])],
    ["sets", [0x8f, "(K", 1, 0x90, "(K", 2, 0x91, 0x86, "."], [new Set([1]), new Set([2])]],
    ["a value from the memo", ["K", 5, "q", 9, "0h", 9, "."], 5],
    ["a value from the long memo", ["K", 5, "r", [0, 1, 7, 0], "0j", [0, 1, 7, 0], "."], 5],
    ["a value from the implicit memo", ["K", 5, 0x94, "0h", 0, "."], 5],
    ["a value twice", ["K", 5, "2", 0x86, "."], [5, 5]],
    ["what is left after a mark", ["K", 5, "(NN1."], 5],
    ["a framed pickle", [0x80, 4, 0x95, [2, 0, 0, 0, 0, 0, 0, 0], "N."], null],
    ["an ordered dictionary", ["ccollections\nOrderedDict\n)R(K", 1, "Nu."], new Map([[1, null]])],
    [
      "an ordered dictionary from pairs",
      ["ccollections\nOrderedDict\n](](K", 1, "Ne", "e", 0x85, "R."],
      new Map([[1, null]]),
    ],
    ["a set by name", ["c__builtin__\nset\n](K", 1, "e", 0x85, "R."], new Set([1])],
    [
      "bytes as protocol 2 writes them",
      ["c_codecs\nencode\n", "X", [2, 0, 0, 0], [0xc3, 0xbf], ...text("latin1"), 0x86, "R."],
      new Uint8Array([255]),
    ],
  ] as [string, Piece[], PickleValue | undefined][]
) {
  Deno.test(`the machine reads ${what}`, () => {
    if (value === undefined) assertRefused(() => read(...pieces), "its pickle");
    else assert.deepEqual(read(...pieces), value);
  });
}

Deno.test("an object of a listed class becomes a record of its attributes", () => {
  const made = ["cmodel\nMRNet\n)", 0x81];
  const object = read(...made, "}", ...text("a"), "K", 1, "sb.");
  assert.ok(object instanceof PickleObject);
  assert.equal(object.className, "model.MRNet");
  assert.deepEqual(object.state, new Map([["a", 1]]));
  // With slots, the state is a pair.
  const slots = read("cmodel\nMRNet\n)}", 0x92, "N}", ...text("b"), "K", 2, "s", 0x86, "b.");
  assert.ok(slots instanceof PickleObject);
  assert.deepEqual(slots.state, new Map([["b", 2]]));
});

Deno.test("a name is a name until it is called", () => {
  const name = read("ctorch\nfloat32\n.");
  assert.ok(name instanceof PickleGlobal && name.name === "torch.float32");
  assertRefused(() => read("ctorch\nfloat32\n)R."), "calls 'torch.float32', which is only a name");
  const stacked = read(...text("torch"), ...text("float32"), 0x93, ".");
  assert.ok(stacked instanceof PickleGlobal && stacked.name === "torch.float32");
});

for (
  const [module, name] of [
    ["os", "system"],
    ["posix", "system"],
    ["subprocess", "Popen"],
    ["builtins", "eval"],
    ["__builtin__", "getattr"],
    ["builtins", "__import__"],
    ["torch", "load"],
    ["torch.storage", "_load_from_bytes"],
    ["torch.nn.modules.module", "register_module_forward_hook"],
    ["torch.nn.modules.container", "Sequential.forward"],
    ["torch.hub", "load"],
    ["torch.optim.adam.os", "system"],
    ["functools", "partial"],
    ["copyreg", "_reconstructor"],
    ["model", "MRNet.__init__"],
    ["model", "toString"],
    ["collections", "OrderedDict.__init__"],
    ["", "MRNet"],
  ]
) {
  Deno.test(`a pickle that asks for ${module}.${name} is refused`, () => {
    const asked = `${module === "__builtin__" ? "__builtin__" : module}.${name}`;
    const found = `it asks for '${asked}', which is not on the list of what a weights file may`;
    assertRefused(() => read(`c${module}\n${name}\n.`), found);
    assertRefused(() => read(...text(module), ...text(name), 0x93, "."), found);
  });
}

const zeros = new Array<number>(7).fill(0);
/** So many entries of a dictionary, whose keys are numbers. */
const numberKeys = (count: number): number[] =>
  Array.from({ length: count }, (_, n) => [0x4d, n & 255, n >> 8, 0x4e]).flat();
const ordered = "ccollections\nOrderedDict\n";
for (
  const [what, pieces, found] of [
    ["of no operations", [], "its pickle breaks off"],
    ["without an end", ["N"], "its pickle breaks off"],
    ["that leaves values", ["NN."], "its pickle leaves values behind"],
    ["that ends with nothing", ["."], "its pickle is out of step"],
    ["that ends with a mark", ["(."], "its pickle is out of step"],
    ["without a mark", ["Nt."], "its pickle is out of step"],
    ["that pops nothing", ["0."], "drops what is not there"],
    ["that duplicates nothing", ["2."], "out of step"],
    ["that recalls nothing", ["h", 3, "."], "recalls what it never kept"],
    ["that appends to a number", ["K", 1, "Na."], "appends to what is no list"],
    ["that sets entries of a list", ["]NNs."], "sets entries of what is no dictionary"],
    ["with half an entry", ["}(Nu."], "sets entries of what is no dictionary"],
    ["that adds to a list", ["](N", 0x90, "."], "adds to what is no set"],
    ["that gives a number attributes", ["K", 1, "}b."], "attributes to what can have none"],
    ["that calls a number", ["K", 1, ")R."], "calls what cannot be called"],
    ["that calls with a number", [ordered, "K", 1, "R."], "calls what cannot be called"],
    ["that makes a dictionary of numbers", [ordered, "](K", 1, "e", 0x85, "R."], "no pairs"],
    ["that names a class by a number", ["NN", 0x93, "."], "names a class by what is no text"],
    ["with a name without end", ["c", "x".repeat(2000)], "a name in its pickle does not end"],
    ["with text past the end", ["X", [255, 255, 255, 255], "a."], "its pickle breaks off"],
    [
      "with text far past the end",
      [0x8d, [0, 0, 0, 0, 0, 0, 0, 255], "."],
      "its pickle breaks off",
    ],
    ["with bytes past the end", ["B", [0, 0, 0, 127], "."], "its pickle breaks off"],
    ["with a frame past the end", [0x95, [0, 0, 0, 0, 1, 0, 0, 0], "N."], "its pickle breaks off"],
    ["with an endless number", [0x8b, [0, 1, 0, 0], new Array(256).fill(1), "."], "256 bytes"],
    ["of protocol 1", [0x80, 1, "N."], "it has the pickle protocol 1, known are 2 to 5"],
    ["of protocol 6", [0x80, 6, "N."], "it has the pickle protocol 6, known are 2 to 5"],
    ["with the text operations of protocol 0", ["I1\n."], "the operation 0x49, which is not read"],
    ["with an extension", [0x82, 1, "."], "the operation 0x82"],
    ["with an unknown persistent id", [...text("x"), "Q."], "refers to something unknown"],
    ["with a storage without a class", ["(", ...text("storage"), "tQ."], "something unknown"],
    ["with more values than a stack needs", ["N".repeat(100_001)], "its pickle piles up values"],
    ["with a key beyond 2^53", ["}", 0x8a, 8, [...zeros, 1], "Ns."], "a key beyond 2^53"],
    ["with a set of a number beyond 2^53", [0x8f, "(", 0x8a, 8, [...zeros, 1], 0x90, "."], "2^53"],
    ["with a frozen set of one", ["(", 0x8a, 8, [...zeros, 1], 0x91, "."], "a key beyond 2^53"],
    ["with a set by name of one", [
      ...["c__builtin__\nset\n]", 0x8a, 8, [...zeros, 1], "a", 0x85, "R."],
    ], "a key beyond 2^53"],
    ["with a dictionary of pairs with one", [
      ...[ordered, "]", 0x8a, 8, [...zeros, 1], "N", 0x86, "a", 0x85, "R."],
    ], "a key beyond 2^53"],
    ["with very many numbers as keys", ["}(", numberKeys(501), "u."], "than 500 numbers as keys"],
    ["that keeps a value under a huge number", ["Nr", [0, 0, 0, 1], "."], "the number 16777216"],
    ["that never ends", ["N0".repeat(500_001)], "more than 500000 operations"],
  ] as [string, Piece[], string][]
) {
  Deno.test(`a pickle ${what} is refused`, () => {
    assertRefused(() => read(...pieces), found);
  });
}

Deno.test("a list that is copied again and again is refused before memory runs out", () => {
  const copy: Piece = [0x68, 2, 0x68, 1, 0x85, 0x52, 0x30];
  const pieces: Piece[] = ["](", "N".repeat(90_000), "eq", 1, "0cbuiltins\nset\nq", 2, "0"];
  for (let count = 0; count < 10_000; count++) pieces.push(copy);
  assertRefused(() => read(...pieces, "N."), "its pickle copies without end");
});

Deno.test("text across the reader's windows is whole", () => {
  const long = "é".repeat(50_000);
  const bytes = new TextEncoder().encode(long);
  const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
  const item: Piece[] = ["X", [...length], long];
  assert.deepEqual(read("(K", 1, ...item, "K", 2, ...item, "M", [3, 4], "t."), [
    ...[1, long, 2, long, 1027],
  ]);
});

testWithPython("Python's own pickles are read, protocols 2 to 5", [], async (run) => {
  const code = `
import pickle, sys, collections
value = [None, True, -1, 255, -2**31, 2**31, -2**63, 2**70, -2**70, 0.1, "ä", "x" * 300, b"b" * 300,
    (), (1,), (1, 2, 3, 4), [], list(range(2000)), {}, {"a": {1: 2}}, {1, 2}, frozenset([3]),
    collections.OrderedDict([("b", 1), ("a", 2)])]
value.append(value[-1])
for protocol in range(2, 6):
    print(pickle.dumps(value, protocol).hex())
`;
  const outputs = (await run(code)).split("\n");
  assert.equal(outputs.length, 4);
  for (const hex of outputs) {
    const value = read([...Uint8Array.fromHex(hex)]);
    const last = new Map([["b", 1], ["a", 2]]);
    const numbers = [-1, 255, -(2 ** 31), 2 ** 31, -(2n ** 63n), 2n ** 70n, -(2n ** 70n), 0.1];
    assert.deepEqual(value, [
      ...[null, true, ...numbers, "ä", "x".repeat(300), new Uint8Array(300).fill(98)],
      ...[[], [1], [1, 2, 3, 4], [], Array.from({ length: 2000 }, (_, index) => index)],
      ...[new Map(), new Map([["a", new Map([[1, 2]])]]), new Set([1, 2]), new Set([3])],
      ...[last, last],
    ]);
    assert.ok(Array.isArray(value) && value.at(-1) === value.at(-2));
  }
});
