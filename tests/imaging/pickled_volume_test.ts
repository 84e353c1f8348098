/**
 * Pickled volumes: what Python and NumPy write is read, and nothing that a pickle asks for is run.
 */
import assert from "node:assert/strict";
import { DataError } from "../../lib/errors.ts";
import { readPickledVolume } from "../../lib/imaging/pickled_volume.ts";
import { assemble, type Piece, text } from "../model/weights/support.ts";
import { testWithPython } from "../support/python.ts";

const FIXTURES = new URL("../fixtures/pickles/", import.meta.url);
const names = [...Deno.readDirSync(FIXTURES)].map(({ name }) => name).sort();

/** What tools/make_pickle_fixtures.py put into each file. */
const SLICES = [0, 1].map((slice) => Array.from({ length: 12 }, (_, i) => 10 * (12 * slice + i)));

function slicesOf(bytes: Uint8Array): number[][] {
  const { slices, rows, columns } = readPickledVolume(bytes, "a.pck");
  assert.deepEqual([rows, columns], [3, 4]);
  return slices.map(({ stored }) => [...stored]);
}

Deno.test("there are files of NumPy 1 and 2 in every protocol, and of Python 2", () => {
  for (const writer of ["python3-numpy1", "python3-numpy2"]) {
    for (const protocol of [2, 3, 4, 5]) {
      assert.ok(names.includes(`${writer}-uint16-${protocol}.pck`), `${writer} ${protocol}`);
    }
  }
  assert.ok(names.includes("python2-numpy1-uint16-2.pck"));
});

for (const name of names) {
  Deno.test(`the volume of ${name} is read`, async () => {
    assert.deepEqual(slicesOf(await Deno.readFile(new URL(name, FIXTURES))), SLICES);
  });

  Deno.test(`wherever ${name} is cut off, it is refused in one line`, async () => {
    const bytes = await Deno.readFile(new URL(name, FIXTURES));
    for (let length = 0; length < bytes.length; length++) {
      isRefused(bytes.subarray(0, length), /./);
    }
    isRefused(new Uint8Array([...bytes, 46]), /1 bytes follow its array/);
  });
}

function isRefused(bytes: Uint8Array, found: RegExp): void {
  assert.throws(() => readPickledVolume(bytes, "a.pck"), (error: Error) => {
    assert.ok(error instanceof DataError, String(error.stack));
    assert.match(error.message, /^Cannot read the volume 'a\.pck': [^\n]+: [^\n]+$/);
    assert.match(error.message, found);
    return true;
  });
}

for (
  const [module, name] of [
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "eval"],
    ["__builtin__", "bytes"],
    ["collections", "OrderedDict"],
    ["numpy", "load"],
    ["numpy", "ma.core.MaskedArray"],
    ["numpy.core.multiarray", "scalar"],
    ["numpy.core.records", "recarray"],
    ["numpy._core._core.multiarray", "_reconstruct"],
    ["torch._utils", "_rebuild_tensor_v2"],
    ["", "toString"],
  ]
) {
  Deno.test(`a pickle that asks for ${module}.${name} is refused by name`, () => {
    const found = new RegExp(
      `it asks for '${RegExp.escape(`${module}.${name}`)}', which is not on the list of what a ` +
        "volume may contain: nothing was run; save the array alone by pickle\\.dump$",
    );
    isRefused(assemble(0x80, 2, `c${module}\n${name}\n.`), found);
    isRefused(assemble(0x80, 4, ...text(module), ...text(name), 0x93, "."), found);
  });
}

/** An array as a pickle's pieces, with what stands for its shape, type and bytes. */
function array(shape: Piece[], type: Piece[], data: Piece[]): Uint8Array {
  const made: Piece[] = ["cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK", 0, 0x85];
  return assemble(0x80, 4, ...made, "C", 1, "b", 0x87, "R(K", 1, ...shape, ...type, 0x89, ...[
    ...data,
    "tb.",
  ]);
}

/** A type as a pickle's pieces. */
const dtype = (code: string, order = "<"): Piece[] => [
  ...["cnumpy\ndtype\n", ...text(code), 0x89, 0x88, 0x87, "R(K", 3, ...text(order)],
  ..."NNN".split(""),
  ...["J", [255, 255, 255, 255], "J", [255, 255, 255, 255], "K", 0, "tb"],
];
const bytes = (count: number): Piece[] => ["C", count, Array(count).fill(1)];
const sizes = (...each: number[]): Piece[] => ["(", ...each.flatMap((size) => ["K", size]), "t"];

Deno.test("the handmade array is one that is read", () => {
  const { slices, dtype: type } = readPickledVolume(
    array(sizes(2, 1, 3), dtype("u2"), bytes(12)),
    "a.pck",
  );
  assert.deepEqual([type, slices.map(({ stored }) => [...stored])], [
    ...["uint16", [[257, 257, 257], [257, 257, 257]]],
  ]);
});

for (
  const [what, file, found] of [
    ["is no pickle", new TextEncoder().encode("volume"), /does not begin as a pickle/],
    ["is a pickle of protocol 0", new TextEncoder().encode("cnumpy\n"), /protocol 2 to 5/],
    ["is of protocol 6", assemble(0x80, 6, "N."), /pickle protocol 6, known are 2 to 5/],
    ["holds a number", assemble(0x80, 2, "K", 1, "."), /it holds no array/],
    ["holds a list of arrays", assemble(0x80, 2, "]."), /it holds no array/],
    [
      "has an array without a state",
      assemble(
        ...[0x80, 2, "cnumpy.core.multiarray\n_reconstruct\n)R."],
      ),
      /no shape or no type/,
    ],
    [
      "has a state of another kind",
      assemble(
        ...[0x80, 2, "cnumpy.core.multiarray\n_reconstruct\n)RK", 1, "b."],
      ),
      /describes an array in an unknown way/,
    ],
    ["has two axes", array(sizes(3, 4), dtype("u1"), bytes(12)), /its array is 3×4, not slices ×/],
    ["has no slices", array(sizes(0, 3, 4), dtype("u1"), bytes(0)), /its array is 0×3×4/],
    ["has sizes that are lists", array(["(]]]t"], dtype("u1"), bytes(1)), /NaN×NaN×NaN/],
    [
      "has more voxels than bytes",
      array(sizes(2, 3, 4), dtype("u2"), bytes(24)),
      /its array of 2×3×4 uint16 holds 24 bytes, not 48/,
    ],
    [
      "claims a huge size",
      array(["(M", [0, 16], "M", [0, 16], "M", [0, 16], "t"], dtype("f8"), bytes(8)),
      /4096×4096×4096 float64 holds 8 bytes, not 549755813888/,
    ],
    ["has its bytes as a list", array(sizes(1, 1, 1), dtype("u1"), ["]"]), /holds no bytes/],
    ["holds objects", array(sizes(1, 1, 1), dtype("O8", "|"), ["]"]), /Python objects \(type/],
    ["holds records", array(sizes(1, 1, 1), dtype("V4", "|"), bytes(4)), /holds raw records/],
    ["holds complex numbers", array(sizes(1, 1, 1), dtype("c8"), bytes(8)), /complex numbers/],
    ["holds a mask", array(sizes(1, 1, 1), dtype("b1", "|"), bytes(1)), /True and False/],
    [
      "holds what is no number",
      array(sizes(1, 1, 1), dtype("f4"), ["C", 4, [0, 0, 0xc0, 0x7f]]),
      /some of its values are not finite/,
    ],
    [
      "has a type without an order",
      array(sizes(1, 1, 1), dtype("u1", "?"), bytes(1)),
      /order of b/,
    ],
    [
      "encodes what is no Latin-1",
      assemble(0x80, 2, "c_codecs\nencode\nX", [2, 0, 0, 0], [0xc4, 0x80], 0x85, "R."),
      /takes for bytes what are none/,
    ],
    [
      "names its type by a number",
      assemble(0x80, 2, "cnumpy\ndtype\nK", 1, 0x85, "R."),
      /names a type by what is no text/,
    ],
    [
      "has bytes of characters that are none",
      array(sizes(1, 1, 1), dtype("u1"), ["X", [2, 0, 0, 0], [0xc4, 0x80]]),
      /holds no bytes/,
    ],
  ] as [string, Uint8Array, RegExp][]
) {
  Deno.test(`a volume that ${what} is refused`, () => isRefused(file, found));
}

Deno.test("a volume with more voxels than allowed is refused", () => {
  const file = array(sizes(2, 3, 4), dtype("u1"), bytes(24));
  assert.equal(readPickledVolume(file, "a.pck", { seriesPixels: 24 }).slices.length, 2);
  assert.throws(() => readPickledVolume(file, "a.pck", { seriesPixels: 23 }), {
    message: "Cannot read the volume 'a.pck': it has 24 voxels, at most 23 are read: leave it out",
  });
});

Deno.test("text that is copied again and again is refused before memory runs out", () => {
  const long = "a".repeat(50_000);
  const copy: Piece = [0x68, 2, 0x68, 1, 0x85, 0x52, 0x30];
  const head: Piece[] = [0x80, 2, "X", [0x50, 0xc3, 0, 0], long, "q", 1, "0"];
  const file = assemble(...head, "c_codecs\nencode\nq", 2, "0", ...Array(10_000).fill(copy), "N.");
  isRefused(file, /its pickle copies without end/);
});

Deno.test("a pickle that holds itself is refused", () => {
  isRefused(assemble(0x80, 2, "]q", 1, "h", 1, "a."), /it holds no array/);
  isRefused(array(["]q", 9, "h", 9, "a"], dtype("u1"), bytes(1)), /its array is NaN/);
});

testWithPython("what NumPy pickles besides volumes is refused", ["numpy"], async (run) => {
  const code = `
import numpy, pickle, os
class Evil:
    def __reduce__(self): return os.system, ("echo it ran",)
volume = numpy.zeros((2, 3, 4), "u2")
for each in [Evil(), [volume], {"a": volume}, numpy.ma.array(volume), volume.view(numpy.recarray),
             numpy.array([[[Evil()]]]), numpy.zeros((1, 1, 1), [("a", "i4")]), volume[0, 0, 0],
             numpy.zeros((1, 1, 1), "M8[s]"), numpy.zeros((2, 2, 2, 2), "u1")]:
    for protocol in range(2, 6):
        print(pickle.dumps(each, protocol).hex())
`;
  const files = (await run(code)).split("\n");
  assert.equal(files.length, 40);
  for (const hex of files) isRefused(Uint8Array.fromHex(hex), /./);
});
