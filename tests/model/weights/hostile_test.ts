import assert from "node:assert/strict";
import { concat } from "../../../lib/bytes.ts";
import { WeightsError } from "../../../lib/errors.ts";
import { createRandom, type Random } from "../../../lib/random.ts";
import { encodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import { bytesSource } from "../../../lib/model/weights/source.ts";
import { encodeZip, readZip, readZipEntry } from "../../../lib/zip.ts";
import {
  assemble,
  assertRefused,
  expectedTensors,
  fixture,
  fixtureNames,
  type Piece,
  text,
} from "./support.ts";
import { decodePytorch, decodeSafetensors } from "../../support/weights.ts";
import { assertWithin } from "../../support/time.ts";

/** A PyTorch file with this pickle and one storage of so many bytes under the key 0. */
function archive(pickle: Uint8Array, bytes = 4): Uint8Array {
  return concat(encodeZip(
    new Map([["a/data.pkl", pickle], ["a/data/0", new Uint8Array(bytes)]]),
  ));
}

/** The operations for a whole number below 2^56. */
function whole(value: number): Piece[] {
  return [0x8a, 7, Array.from({ length: 7 }, (_, byte) => Math.floor(value / 256 ** byte) % 256)];
}

const numbers = (values: number[]): Piece[] => ["(", ...values.flatMap(whole), "t"];

/** The operations for a float32 tensor on the storage 0. */
function tensor(elements: number, shape: number[], stride: number[], offset = 0): Piece[] {
  const id = ["(", ...text("storage"), "ctorch\nFloatStorage\n", ...text("0"), ...text("cpu")];
  return [
    ...["ctorch._utils\n_rebuild_tensor_v2\n", "(", ...id, ...whole(elements), "tQ"],
    ...[...whole(offset), ...numbers(shape), ...numbers(stride), 0x89, "N", "tR"],
  ];
}

function refusesPickle(pieces: Piece[], found: string, bytes = 4): void {
  const start = performance.now();
  assertRefused(() => decodePytorch(archive(assemble(...pieces), bytes), "a.pth"), found);
  assertWithin(performance.now() - start, 3000);
}

const state = (...items: Piece[][]): Piece[] => [
  ...["}", ...items.flatMap((item, index) => [...text(`t${index}`), ...item, "s"]), "."],
];

for (
  const [what, pieces, found] of [
    ["that repeats one number for ever", tensor(1, [2 ** 17, 2 ** 17], [0, 0]), "repeat the same"],
    ["that runs past its storage", tensor(1, [2], [1]), "of the shape [2] runs past the end"],
    ["that starts past its storage", tensor(1, [1], [1], 1), "runs past the end of its storage"],
    ["whose strides run past its storage", tensor(1, [1, 2], [1, 9]), "runs past the end of its"],
    ["whose strides overflow", tensor(1, [2 ** 40, 2], [2 ** 40, 1]), "runs past the end of its"],
    ["whose shape overflows", tensor(1, [2 ** 40, 2 ** 40], [0, 0]), "has no sound shape"],
    ["with more strides than sizes", tensor(1, [1], [1, 1]), "has no sound shape"],
    ["with too many sizes", tensor(1, new Array(65).fill(1), new Array(65).fill(1)), "sound shape"],
    [
      "on a storage that is larger than the file",
      tensor(2 ** 50, [2 ** 49], [1]),
      "too much memory",
    ],
    ["on a storage of another size", tensor(3, [1], [1]), "has 4 bytes where 12 are described"],
    ["without a storage", ["ctorch._utils\n_rebuild_tensor_v2\n", "(NNNNtR"], "has no storage"],
    ["without anything", ["ctorch._utils\n_rebuild_tensor_v2\n)R"], "a tensor has no storage"],
    ["made in a roundabout way", [
      ...["ctorch._tensor\n_rebuild_from_type_v2\n(", "ctorch._tensor\n_rebuild_from_type_v2\n"],
      ..."N)NtR",
    ], "made in an unknown way"],
    ["with a parameter of nothing", ["ctorch._utils\n_rebuild_parameter\n(NtR"], "no tensor"],
  ] as [string, Piece[], string][]
) {
  Deno.test(`a tensor ${what} is refused`, () => refusesPickle(state(pieces), found));
}

Deno.test("a tensor of one repeated number is read while it stays small", () => {
  const bytes = archive(assemble(...state(tensor(1, [1000, 1000], [0, 0]))));
  assert.equal(decodePytorch(bytes, "a.pth").tensors.get("t0")?.data.length, 1_000_000);
});

Deno.test("many small windows that span a large storage are refused", () => {
  const window = tensor(2 ** 18, [2], [2 ** 18 - 1]);
  const many = Array.from({ length: 1000 }, () => window);
  refusesPickle(state(...many), "repeat the same values until they need too much memory", 2 ** 20);
});

Deno.test("a storage that is described in two ways is refused", () => {
  refusesPickle(state(tensor(1, [1], [1]), tensor(2, [1], [1])), "is described in two ways");
});

Deno.test("a storage that is not in the file is refused", () => {
  const pickle = assemble(...state(tensor(1, [1], [1])));
  const bytes = concat(encodeZip(new Map([["a/data.pkl", pickle]])));
  assertRefused(() => decodePytorch(bytes, "a.pth"), "the storage '0' is missing");
});

const layer: Piece[] = ["cmodel\nMRNet\n)", 0x81];
/** Gives the layer on the stack one dictionary: attribute, then what puts entries into it. */
const give = (attribute: string, ...entries: Piece[]): Piece[] => [
  ...["}", ...text(attribute), "}", ...entries, "sb"],
];

Deno.test("a module that contains itself is refused", () => {
  const itself = [...text("me"), "h", 1, "s"];
  refusesPickle([...layer, "q", 1, ...give("_modules", ...itself), "."], "nested without end");
});

Deno.test("modules that contain each other again and again are refused", () => {
  const pieces: Piece[] = [...layer, "q", 0, "0"];
  for (let depth = 1; depth <= 40; depth++) {
    const inner = [...text("a"), "h", depth - 1, "s", ...text("b"), "h", depth - 1, "s"];
    pieces.push(...layer, "q", depth, ...give("_modules", ...inner), "0");
  }
  refusesPickle([...pieces, "h", 40, "."], "nested without end");
});

Deno.test("layers that share endless names are refused", () => {
  const name = "n".repeat(255);
  const pieces: Piece[] = [...layer, "q", 0, "0"];
  for (let depth = 1; depth <= 60; depth++) {
    const inner = [...text(name), "h", depth - 1, "s", ...text("b"), "h", depth - 1, "s"];
    pieces.push(...layer, "q", depth, ...give("_modules", ...inner), "0");
  }
  refusesPickle([...pieces, "h", 60, "."], "nested without end");
});

Deno.test("a checkpoint that contains itself is searched once", () => {
  const itself = [
    "}q",
    1,
    ...text("state_dict"),
    "h",
    1,
    "s",
    ...text("x"),
    "h",
    1,
    "s.",
  ] as Piece[];
  refusesPickle(itself, "there is no state dict and no module in it");
});

/** A damaged copy: flipped, cut, doubled or overwritten somewhere. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const at = random.integer(bytes.length);
  const extremes = [0, 1, 0x7f, 0x80, 0xff];
  switch (random.integer(6)) {
    case 0:
      copy[at] ^= 1 << random.integer(8);
      return copy;
    case 1:
      copy[at] = extremes[random.integer(extremes.length)];
      return copy;
    case 2:
      copy.fill(extremes[random.integer(extremes.length)], at, at + 1 + random.integer(8));
      return copy;
    case 3:
      return copy.subarray(0, at);
    case 4:
      copy.copyWithin(at, random.integer(bytes.length), bytes.length);
      return copy;
    default:
      for (let count = 0; count < 4; count++) {
        copy[random.integer(bytes.length)] = random.integer(256);
      }
      return copy;
  }
}

/** Damages bytes in many ways; each must be read or refused, and soon. */
function damageOften(bytes: Uint8Array, times: number, seed: string, read: Reader): number {
  let refused = 0;
  for (let index = 0; index < times; index++) {
    const broken = damaged(bytes, createRandom(1, seed, index));
    const start = performance.now();
    try {
      read(broken);
    } catch (error) {
      if (!(error instanceof WeightsError)) throw new Error(`${seed} ${index}`, { cause: error });
      assert.match(error.message, /^Cannot read weights 'a': [^\n]+: [^\n]+$/);
      refused++;
    }
    assertWithin(performance.now() - start, 2000, `${seed} ${index}`);
  }
  return refused;
}

type Reader = (bytes: Uint8Array) => unknown;
const readTorch: Reader = (bytes) => decodePytorch(bytes, "a");

for (const name of fixtureNames()) {
  Deno.test(`damaged copies of ${name} are read or refused, never anything else`, () => {
    assert.ok(damageOften(fixture(name), 150, name, readTorch) > 0);
  });
}

Deno.test("damaged pickles behind good checksums are read or refused, never anything else", () => {
  for (const name of ["state_dict.pth", "module_model.pth", "checkpoint.pth", "windows.pth"]) {
    const source = bytesSource(fixture(name), "a");
    const directory = readZip(source);
    const files = new Map(
      [...directory.entries].map(([key, entry]) => [key, readZipEntry(source, directory, entry)]),
    );
    const key = [...files.keys()].find((key) => key.endsWith("/data.pkl"))!;
    const read: Reader = (pickle) =>
      readTorch(concat(encodeZip(new Map([...files, [key, pickle as Uint8Array<ArrayBuffer>]]))));
    assert.ok(damageOften(files.get(key)!, 800, `pickle of ${name}`, read) > 0);
  }
});

Deno.test("a damaged safetensors file is read or refused, never anything else", () => {
  const tensors = expectedTensors().get("windows.pth")!;
  const bytes = concat(encodeSafetensors(tensors, { task: "acl", plane: "axial" }));
  assert.ok(damageOften(bytes, 2000, "safetensors", (bytes) => decodeSafetensors(bytes, "a")) > 0);
});
