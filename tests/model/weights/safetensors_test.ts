import assert from "node:assert/strict";
import { concat } from "../../../lib/bytes.ts";
import {
  encodeSafetensors,
  readSafetensorsHeader,
} from "../../../lib/model/weights/safetensors.ts";
import type { StateDict } from "../../../lib/model/weights/tensors.ts";
import { writeWhole } from "../../../lib/files.ts";
import { assertRefused, withFolder } from "./support.ts";
import { decodeSafetensors, readSafetensors } from "../../support/weights.ts";

const TENSORS: StateDict = new Map([
  ["10", { shape: [2, 3], data: new Float32Array([1, -2, 3.5, NaN, Infinity, -0]) }],
  ["2", { shape: [], data: new Float32Array([7]) }],
  ["a 'name' \n with \"all\" ☃", { shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file with this header text, or header object, before this many bytes of data. */
function file(header: unknown, data: number | Uint8Array = 0): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const length = new Uint8Array(BigUint64Array.of(BigInt(bytes.length)).buffer);
  return concat([length, bytes, typeof data === "number" ? new Uint8Array(data) : data]);
}

const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, "a.safetensors");
const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

Deno.test("what is written is read back, values, shapes, order and metadata", () => {
  const metadata = { task: "acl", "größe": "ä\n\u0000", __proto__: "x", "": "" };
  Object.defineProperty(metadata, "__proto__", { value: "own", enumerable: true });
  const bytes = concat(encodeSafetensors(TENSORS, metadata));
  const read = decode(bytes);
  assert.deepEqual(read.tensors, TENSORS);
  assert.deepEqual([...read.tensors.keys()], [...TENSORS.keys()]);
  assert.deepEqual(Object.entries(read.metadata), Object.entries(metadata));
  assert.equal(read.skipped.size, 0);
});

Deno.test("the values begin at a multiple of eight and the bytes depend on the content alone", () => {
  const [header] = encodeSafetensors(TENSORS, { a: "b" });
  assert.equal(header.length % 8, 0);
  assert.deepEqual(encodeSafetensors(TENSORS, { a: "b" })[0], header);
});

Deno.test("an array that is a range of a larger one is written as the range", () => {
  const data = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  const bytes = concat(encodeSafetensors(new Map([["x", { shape: [2], data }]])));
  assert.deepEqual(decode(bytes).tensors.get("x")?.data, new Float32Array([2, 3]));
});

Deno.test("a tensor whose shape does not fit its values is not written", () => {
  const wrong: StateDict = new Map([["x", { shape: [3], data: new Float32Array(2) }]]);
  assert.throws(() => encodeSafetensors(wrong), RangeError);
});

Deno.test("half, brain float and double become float32; other types are named", () => {
  const bytes = concat([
    new Uint8Array(new Float64Array([0.1, 1e300]).buffer),
    new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001).buffer),
    new Uint8Array(Uint16Array.of(0x3f80, 0xc040).buffer),
    new Uint8Array(BigInt64Array.of(5n).buffer),
    Uint8Array.of(1),
  ]);
  const header = {
    double: { dtype: "F64", shape: [2], data_offsets: [0, 16] },
    half: { dtype: "F16", shape: [4], data_offsets: [16, 24] },
    brain: { dtype: "BF16", shape: [2], data_offsets: [24, 28] },
    steps: { dtype: "I64", shape: [], data_offsets: [28, 36] },
    mask: { dtype: "BOOL", shape: [1], data_offsets: [36, 37] },
  };
  const { tensors, skipped } = decode(file(header, bytes));
  assert.deepEqual(tensors.get("double")?.data, new Float32Array([0.1, Infinity]));
  assert.deepEqual(tensors.get("half")?.data, new Float32Array([1, -2, 65504, 2 ** -24]));
  assert.deepEqual(tensors.get("brain")?.data, new Float32Array([1, -3]));
  assert.deepEqual(skipped, new Map([["steps", "I64"], ["mask", "BOOL"]]));
});

Deno.test("only the wanted tensors are read, and the header alone says what there is", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.safetensors`;
    await writeWhole(path, encodeSafetensors(TENSORS, { plane: "axial" }));
    const read = await readSafetensors(path, { want: (_, shape) => shape.length === 0 });
    assert.deepEqual([...read.tensors.keys()], ["2"]);
    const { metadata, tensors } = await readSafetensorsHeader(path);
    assert.deepEqual(metadata, { plane: "axial" });
    assert.deepEqual(tensors.get("10"), { type: "F32", shape: [2, 3] });
  });
});

for (
  const [what, bytes, found] of [
    ["no length", new Uint8Array(7), "it has 7 bytes, too few for a safetensors file"],
    ["a header past the end", file("{}").slice(0, 9), "claims 2 bytes, but the file has 9"],
    ["a huge header", concat([new Uint8Array(8).fill(255), new Uint8Array(9)]), "1844674407"],
    ["no brace", file(" {}"), "does not start with '{'"],
    ["broken text", file("{}").map((b, i) => i === 9 ? 0xff : b), "is not UTF-8 text"],
    ["broken JSON", file('{"a":}'), "is not JSON"],
    ["text after the object", file("{}{}"), "is not JSON"],
    ["the same name twice", file('{"a":1,"a":2}'), "holds the same name twice"],
    ["the same name, escaped", file('{"a":1,"\\u0061":2}'), "holds the same name twice"],
    ["the same metadata twice", file('{"__metadata__":{"a":"","a":""}}'), "the same name twice"],
    ["nesting", file(`{"a":${"[".repeat(100_000)}`), "is nested deeper than"],
    ["metadata that is a list", file({ __metadata__: [] }), "'__metadata__' is not a JSON object"],
    ["metadata that is a number", file({ __metadata__: { a: 1 } }), "metadata 'a' is not text"],
    ["no description", file({ a: null }), "'a' is described by something that is no JSON object"],
    ["no type", file({ a: { ...f32(0, 4), dtype: 4 } }, 4), "'a' has no type"],
    ["an unknown type", file({ a: { ...f32(0, 4), dtype: "F4" } }, 4), "the unknown type 'F4'"],
    ["an inherited type", file({ a: { ...f32(0, 4), dtype: "toString" } }, 4), "unknown type"],
    ["no shape", file({ a: { ...f32(0, 4), shape: 1 } }, 4), "'a' has no sound shape"],
    ["a negative size", file({ a: f32(0, 4, [-1]) }, 4), "'a' has no sound shape"],
    ["a fraction", file({ a: f32(0, 4, [0.5]) }, 4), "'a' has no sound shape"],
    ["an endless shape", file({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), "'a' has no sound shape"],
    ["text as offset", file({ a: { ...f32(0, 4), data_offsets: [0, "4"] } }, 4), "sound offsets"],
    ["three offsets", file({ a: { ...f32(0, 4), data_offsets: [0, 4, 8] } }, 4), "sound offsets"],
    ["offsets backwards", file({ a: f32(4, 0, [1]) }, 4), "'a' has -4 bytes where its shape"],
    [
      "a wrong size",
      file({ a: f32(0, 8, [3]) }, 8),
      "'a' has 8 bytes where its shape and type need",
    ],
    ["data past the end", file({ a: f32(0, 8) }, 4), "'a' ends 4 bytes past the file's end"],
    ["data left over", file({ a: f32(0, 4) }, 5), "1 bytes follow the last tensor"],
    ["overlap", file({ a: f32(0, 8), b: f32(4, 12) }, 12), "'b' overlaps the one before it"],
    ["the same bytes", file({ a: f32(0, 8), b: f32(0, 8) }, 8), "overlaps the one before it"],
    ["a gap", file({ a: f32(0, 4), b: f32(8, 12) }, 12), "a gap of 4 bytes before 'b'"],
    ["a gap at the start", file({ a: f32(4, 8) }, 8), "a gap of 4 bytes before 'a'"],
  ] as const
) {
  Deno.test(`a safetensors file with ${what} is refused`, () => {
    assertRefused(() => decode(bytes), found);
    assertRefused(() => decode(bytes), "make or copy it again");
  });
}

Deno.test("a message names the file and stays on one line whatever the file says", () => {
  const header = { ["x\n\u001b[31m\u2028" + "y".repeat(500)]: { dtype: "F32" } };
  assert.throws(() => decode(file(header)), {
    name: "WeightsError",
    message: "Cannot read weights 'a.safetensors': tensor 'x��[31m�" + "y".repeat(92) + "…' " +
      "has no sound shape: it is damaged or no safetensors file, make or copy it again",
  });
});
