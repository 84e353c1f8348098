/**
 * Small files that were made to cost their reader much: time or memory out of all proportion. Random
 * damage hardly ever makes such files, a person does.
 *
 * @module
 */
import { decodePredictions } from "../../../lib/combine/predictions.ts";
import { examFromNpy } from "../../../lib/data/exam.ts";
import { decodeLabels } from "../../../lib/data/labels.ts";
import { decodeNpy } from "../../../lib/data/npy.ts";
import { DataError, WeightsError } from "../../../lib/errors.ts";
import { readEvents } from "../../../lib/logs/tensorboard.ts";
import { encodeRecord } from "../../../lib/logs/tfrecord.ts";
import { decodePytorch } from "../../../lib/model/weights/pytorch.ts";
import { decodeSafetensors } from "../../../lib/model/weights/safetensors.ts";
import { encodeZip } from "../../../lib/model/weights/zip.ts";
import { assemble, type Piece, text } from "../../model/weights/support.ts";
import { npyHead } from "../folders.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { joined } from "./mutate.ts";
import { overlappingArchive } from "./overlap.ts";

const utf8 = (content: string): Uint8Array => new TextEncoder().encode(content);
/** A file that is made when it is needed. */
const seed = (name: string, make: () => Uint8Array): Seed => ({
  name,
  get bytes() {
    return make();
  },
});
/** The same operations again and again, as one piece: a call takes only so many. */
const times = (count: number, part: (index: number) => Piece[]): Piece[] => [
  Array.from({ length: count }, (_, index) => [...assemble(...part(index))]).flat(),
];

/** An index as the operations LONG_BINPUT and LONG_BINGET take it. */
const index = (value: number): Piece => [value & 255, value >> 8 & 255, value >> 16 & 255, 0];

/** An archive with this pickle and one storage of four bytes. */
function archive(...pieces: Piece[]): Uint8Array {
  const files = new Map([["a/data.pkl", assemble(...pieces)], ["a/data/0", new Uint8Array(4)]]);
  return joined(...encodeZip(files));
}

/** A legacy file up to its version, and this in place of the version. */
function legacy(...version: Piece[]): Uint8Array {
  const magic = [0x8a, 10, [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]];
  return assemble(0x80, 2, ...magic as Piece[], ".", 0x80, 2, ...version, ".");
}

/** A number below 2^31. */
const whole = (value: number): Piece[] => ["J", [0, 8, 16, 24].map((bit) => value >> bit & 255)];

/** A float32 tensor on the storage 0, of one element repeated. */
const repeated = (count: number): Piece[] => [
  ...["ctorch._utils\n_rebuild_tensor_v2\n(", "(", ...text("storage"), "ctorch\nFloatStorage\n"],
  ...[...text("0"), ...text("cpu"), "K", 1, "tQ", "K", 0, ...whole(count), 0x85, "K", 0, 0x85],
  ...[0x89, "N", "tR"],
];

/** Modules in modules, each twice, so that 2^depth names lead to one tensor. */
function branching(depth: number): Piece[] {
  const layer: Piece[] = ["cmodel\nMRNet\n)", 0x81];
  const give = (attribute: string, ...entries: Piece[]): Piece[] => [
    ...["}", ...text(attribute), "}", ...entries, "sb"],
  ];
  const leaf = [...layer, "q", 0, ...give("_parameters", ...text("p"), ...repeated(0), "s"), "0"];
  const levels = times(depth, (level) => {
    const inner = ["a", "b"].flatMap((name) => [...text(name), "h", level, "s"]);
    return [...layer, "q", level + 1, ...give("_modules", ...inner), "0"];
  });
  return [...leaf, ...levels, "h", depth, "."];
}

const ordered: Piece = "ccollections\nOrderedDict\n";

function pytorch(): Seed[] {
  return [
    seed(
      "a million dictionaries",
      () => archive("]", ...times(10, () => ["(", "}".repeat(90_000), "e"]), "."),
    ),
    seed("kept dictionaries", () => archive(...times(160_000, (n) => ["}r", index(n), "0"]), "N.")),
    seed("kept sets", () => archive(...times(160_000, (n) => [0x8f, "r", index(n), "0"]), "N.")),
    seed(
      "copied dictionaries",
      () =>
        archive(
          ...["}(", ...times(45_000, (n) => ["J", index(n), "N"]), "u", "q", 0, "0"],
          ...times(200, (n) => [ordered, "h", 0, 0x85, "Rr", index(n + 1), "0"]),
          "N.",
        ),
    ),
    seed("a large dictionary", () =>
      archive(
        "}",
        ...times(8, (part) => [
          "(",
          ...times(30_000, (n) => ["J", index(part * 30_000 + n), "N"]),
          "u",
        ]),
        ".",
      )),
    seed(
      "one number, eight million times",
      () => archive("}", ...text("a"), ...repeated(8_000_000), "s."),
    ),
    seed("2^16 names", () => archive(...branching(16))),
    seed("2^40 names", () => archive(...branching(40))),
    seed("a version of lists in lists", () => legacy("]".repeat(90_000), "a".repeat(89_999))),
    seed(
      "a version of lists that hold each other twice",
      () =>
        legacy("]q", 0, ...times(60, (n) => ["](h", n, "h", n, "eq", n + 1]), "h", 60, "2", "a0.."),
    ),
    seed(
      "a version that doubles and doubles",
      () =>
        legacy("]q", 0, "0", ...times(60, (n) => ["](h", n, "h", n, "eq", n + 1, "0"]), "h", 60),
    ),
    seed(
      "text that is not UTF-8",
      () => archive("X", [0, 0, 0x20, 0], "\xff".repeat(2 ** 20), "."),
    ),
    seed("storages inside one another", () => overlappingArchive(2500)),
    seed(
      "twenty thousand empty files",
      () =>
        joined(
          ...encodeZip(new Map(Array.from({ length: 20_000 }, (_, n) => [`a/${n}`, utf8("")]))),
        ),
    ),
  ];
}

/** A safetensors file of a header alone. */
function header(json: string): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return joined(length, utf8(json));
}

function safetensors(): Seed[] {
  const filled = (part: string, bytes: number) =>
    new Array(Math.floor(bytes / (part.length + 1))).fill(part).join(",");
  return [
    seed("a million empty lists", () => header(`{"a":[${filled("[]", 1_000_000)}]}`)),
    seed("empty objects", () => header(`{"a":[${filled("{}", 1_000_000)}]}`)),
    seed("numbers", () => header(`{"a":[${filled("1", 1_000_000)}]}`)),
    seed("sixteen million bytes", () => header(`{"a":[${filled("[]", 16_000_000)}]}`)),
    seed("brackets", () => header(`{"a":${"[".repeat(1_000_000)}`)),
    seed(
      "many names",
      () => header(`{${Array.from({ length: 80_000 }, (_, n) => `"${n}":{}`).join(",")}}`),
    ),
  ];
}

function labels(): Seed[] {
  const contents: [string, string][] = [
    ["letters", "a\n"],
    ["commas", ","],
    ["quotes", '"'],
    ["line ends", "\r"],
    ["lines of quotes", '"",\n'],
    ["labels that are none", "1,2\n"],
  ];
  const most = 1024 * 1024;
  return [
    ...contents.map(([name, part]) => seed(name, () => utf8(part.repeat(most / part.length)))),
    seed(
      "exams",
      () => utf8(Array.from({ length: 125_000 }, (_, n) => `${n},${n % 2}`).join("\n")),
    ),
    seed("one long id", () => utf8("9".repeat(most))),
  ];
}

function predictions(): Seed[] {
  const head = "label,axial,coronal,sagittal\n";
  const most = 1024 * 1024 - head.length;
  const contents: [string, string][] = [
    ["commas", ","],
    ["lines of quotes", '"",\n'],
    ["probabilities that are none", "1,2,2,2\n"],
  ];
  return [
    ...contents.map(([name, part]) =>
      seed(name, () => utf8(head + part.repeat(Math.floor(most / part.length))))
    ),
    seed("one long number", () => utf8(`${head}1,${"0".repeat(most - 8)}x,0,0`)),
  ];
}

function npy(): Seed[] {
  const long = (descr: string, shape: string, order = "False") => {
    const claim = utf8(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`);
    const head = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 0, 0);
    new DataView(head.buffer).setUint32(8, claim.length, true);
    return joined(head, claim);
  };
  const ones = `(${"1, ".repeat(31)}2000000, ${"1, ".repeat(31)})`;
  return [
    seed("an array of a terabyte", () => npyHead("'<f8'", "(4000, 32768, 1024)")),
    seed("half a million axes", () => long("'|u1'", `(${"1,".repeat(500_000)})`)),
    seed("a million blanks", () => long("'|u1'", `(${" ".repeat(1_000_000)})`)),
    seed("a quote that never ends", () => long(`'${"a".repeat(1_000_000)}`, "()")),
    seed("axes of 1", () => joined(long("'|u1'", ones, "True"), new Uint8Array(2_000_000))),
    seed(
      "a small exam of bytes",
      () => joined(long("'|i1'", "(1, 2000, 1000)"), new Uint8Array(2e6)),
    ),
  ];
}

function events(): Seed[] {
  // A scalar of seven bytes without a tag: field 1 of the summary, in it the float of field 2.
  const scalar = [0x0a, 5, 0x15, 0, 0, 0, 0];
  const count = 200_000;
  const summary = Uint8Array.from({ length: 7 * count }, (_, at) => scalar[at % 7]);
  const length = [(7 * count & 127) | 128, (7 * count >> 7 & 127) | 128, 7 * count >> 14];
  const empty = encodeRecord(new Uint8Array(0));
  return [
    seed(
      "many scalars at once",
      () => encodeRecord(joined(Uint8Array.of(0x2a, ...length), summary)),
    ),
    seed("many empty records", () => joined(...new Array(60_000).fill(empty))),
    seed("one long record of zeros", () => encodeRecord(new Uint8Array(2_000_000))),
  ];
}

/** What is to be set off, and by whom. */
export function fuzzReaders(): Map<string, FuzzReader> {
  const asTheyAre = true;
  const all: FuzzReader[] = [
    {
      name: "pytorch bombs",
      asTheyAre,
      seeds: pytorch(),
      refuses: WeightsError,
      read: (bytes) => decodePytorch(bytes, "a"),
    },
    {
      name: "safetensors bombs",
      asTheyAre,
      seeds: safetensors(),
      refuses: WeightsError,
      read: (bytes) => decodeSafetensors(bytes, "a"),
    },
    {
      name: "labels bombs",
      asTheyAre,
      seeds: labels(),
      refuses: DataError,
      read: (bytes) => decodeLabels(bytes, "a"),
    },
    {
      name: "predictions bombs",
      asTheyAre,
      seeds: predictions(),
      refuses: DataError,
      read: (bytes) => decodePredictions(bytes, "a"),
    },
    {
      name: "npy bombs",
      asTheyAre,
      seeds: npy(),
      refuses: DataError,
      read: (bytes) => examFromNpy(decodeNpy(bytes, "a"), "a", "a"),
    },
    {
      name: "events bombs",
      asTheyAre,
      seeds: events(),
      refuses: DataError,
      read: (bytes) => readEvents(bytes, "a"),
    },
  ];
  return new Map(all.map((reader) => [reader.name, reader]));
}
