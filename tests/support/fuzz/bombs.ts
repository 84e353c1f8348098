/**
 * Small files that were made to cost their reader much: time or memory out of all proportion. Random
 * damage hardly ever makes such files, a person does.
 */
import { decodePredictions } from "../../../lib/combine/predictions.ts";
import { examFromNpy } from "../../../lib/data/exam.ts";
import { decodeLabels, MAX_LABEL_BYTES } from "../../../lib/data/labels.ts";
import { decodeNpy } from "../../../lib/data/npy.ts";
import { DataError, WeightsError } from "../../../lib/errors.ts";
import { encodeRecord } from "../../../lib/logs/tfrecord.ts";
import { readCard } from "../../../lib/model/card_metadata.ts";
import { MAX_HEADER_BYTES } from "../../../lib/model/weights/safetensors_header.ts";
import { encodeZip } from "../../../lib/zip.ts";
import { MAX_STATE_BYTES, parseState } from "../../../lib/plan/run_all/state.ts";
import { assemble, type Piece, text } from "../../model/weights/support.ts";
import { npyHead } from "../folders.ts";
import { pacsBombs } from "./pacs_readers.ts";
import type { FuzzReader, Seed } from "./case.ts";
import { joined } from "./mutate.ts";
import { overlappingArchive } from "./overlap.ts";
import { RUN_SETTINGS } from "./run_readers.ts";
import { readEvents } from "../events.ts";
import { decodePytorch, decodeRunState, decodeSafetensors } from "../weights.ts";

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

/** A number of four bytes whose hash in V8 ends in fourteen zeros: the hash's steps, walked back. */
function colliding(value: number): Piece {
  const unshift = (hash: number, bits: number) => {
    let before = hash;
    for (let done = bits; done < 32; done += bits) before = hash ^ before >>> bits;
    return before >>> 0;
  };
  let hash = unshift(value << 14 >>> 0, 16);
  // Each factor is an inverse modulo 2^32: of 2057, of 5, of 2^15 − 1.
  hash = unshift(Math.imul(hash, 3369993785) >>> 0, 4);
  hash = unshift(Math.imul(hash, 3435973837) >>> 0, 12);
  const number = Math.imul(hash + 1, 3221192703) >>> 0;
  return [0, 8, 16, 24].map((bit) => number >>> bit & 255);
}

/** An archive with this pickle and one storage of four bytes. */
function archive(...pieces: Piece[]): Uint8Array {
  const files = new Map([["a/data.pkl", assemble(...pieces)], ["a/data/0", new Uint8Array(4)]]);
  return joined(...encodeZip(files));
}

/** A legacy file up to its version, and this instead of the version. */
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
          ...["}(", ...times(45_000, (n) => [...text(`${n}`), "N"]), "u", "q", 0, "0"],
          ...times(200, (n) => [ordered, "h", 0, 0x85, "Rr", index(n + 1), "0"]),
          "N.",
        ),
    ),
    seed("keys that differ above their lowest 64 bits", () =>
      archive(
        ...["}(", ...times(40_000, (n) => [0x8a, 12, [0, 0, 0, 0, 0, 0, 0, 0], index(n), "N"])],
        "u.",
      )),
    seed("a set of such numbers", () =>
      archive(
        ...[0x8f, "(", ...times(80_000, (n) => [0x8a, 12, [0, 0, 0, 0, 0, 0, 0, 0], index(n)])],
        ...[0x90, "."],
      )),
    seed(
      "values kept under numbers that collide",
      () => archive("N", ...times(160_000, (n) => ["r", colliding(n)]), "."),
    ),
    seed("a large dictionary", () =>
      archive(
        "}",
        ...times(8, (part) => [
          "(",
          ...times(30_000, (n) => [...text(`${part * 30_000 + n}`), "N"]),
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
    ["blanks", " "],
    ["blanks that are none", "\u00a0"],
    ["blank lines", " \n"],
    ["doubled quotes", '""'],
    ["exams again and again", "1,1\n"],
    ["values on one line", '"a",'],
  ];
  const most = MAX_LABEL_BYTES;
  const filled = (part: string) => part.repeat(Math.floor(most / utf8(part).length));
  return [
    ...contents.map(([name, part]) => seed(name, () => utf8(filled(part)))),
    seed("as large as may be", () => {
      const text = Array.from({ length: 125_000 }, (_, n) => `${n},${n % 2}\n`).join("");
      return utf8(text.slice(0, text.lastIndexOf("\n", most) + 1).padEnd(most, "\n"));
    }),
    seed("a byte too large", () => utf8("\n".repeat(most + 1))),
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
    seed("short lines without a header", () => utf8("1\n".repeat(512 * 1024))),
    ...[" ", "\t", "\u00a0", " \n", '""', ","].map((part) =>
      seed(`${JSON.stringify(part)} without a header`, () => {
        return utf8(part.repeat(Math.floor(1024 * 1024 / utf8(part).length)));
      })
    ),
    seed("as many patients as may be", () => utf8(head + "1,0,0,1\n0,0,0,0\n".repeat(most / 16))),
    seed("half a million columns", () => {
      const more = ",".repeat(most / 2 - 40);
      return utf8(`${head.trim()}${more}\n1,0,0,1${more}`);
    }),
    seed("a thousand columns", () => {
      const more = ",".repeat(996);
      return utf8(`${head.trim()}${more}\n${`1,0,0,1${more}\n0,0,0,1${more}\n`.repeat(518)}`);
    }),
    seed("one long number", () => utf8(`${head}1,${"0".repeat(most - 8)}x,0,0`)),
  ];
}

function runAll(): Seed[] {
  const begin = '{"format":"mrnet-run-all","version":2,"config":{"a":[';
  const end = '0]},"models":{}}';
  return ["[],", "{},", "[[],[]],", "0,", '"a",', '"",'].map((part) =>
    seed(part, () => {
      const room = MAX_STATE_BYTES - begin.length - end.length;
      return utf8(begin + part.repeat(Math.floor(room / part.length)) + end);
    })
  );
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
    seed("a header as long as may be", () => {
      const dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }";
      const text = utf8(dict.padEnd(1024 * 1024 - 1) + "\n");
      const head = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 16, 0);
      return joined(head, text, new Uint8Array(1));
    }),
    seed("axes of 1", () => joined(long("'|u1'", ones, "True"), new Uint8Array(2_000_000))),
    seed(
      "a small exam of bytes",
      () => joined(long("'|i1'", "(1, 2000, 1000)"), new Uint8Array(2e6)),
    ),
  ];
}

/** The same record again and again. */
function again(record: Uint8Array, count: number): Uint8Array {
  const file = new Uint8Array(record.length * count);
  for (let at = 0; at < count; at++) file.set(record, at * record.length);
  return file;
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
    seed("empty records without end", () => again(empty, 1_000_000)),
    seed("as many scalars as may be", () => {
      const writer = Uint8Array.of(0x2a, 7, 0x0a, 5, 0x15, 0, 0, 0, 0);
      return again(encodeRecord(writer), 125_000);
    }),
  ];
}

/** Metadata that makes a header as long as may be, repeating some of what it says. */
function metadata(more: string, key: string, begin: string, part: string, end: string): Uint8Array {
  const frame = (text: string) =>
    JSON.stringify({ __metadata__: { ...JSON.parse(more), [key]: begin + text + end } });
  // A quote takes two bytes in there.
  const room = MAX_HEADER_BYTES - utf8(frame("")).length;
  const times = Math.floor(room / (JSON.stringify(part).length - 2));
  return header(frame(part.repeat(times)));
}

function states(): Seed[] {
  const said =
    '"run":"0f8fad5b-d9cb-469f-a165-70867728950e","folder":"logs/acl/axial/20260102-030405",' +
    '"labels":{"train":"a","valid":"a"},"steps":1,"seconds":0,' +
    '"computed":{"engine":"wasm","threads":1,"precision":"float32"},"events":{"name":"a","size":0}';
  const rest = (...names: string[]) =>
    ["epochs", "train", "valid", "skipped"].filter((name) => !names.includes(name))
      .map((name) => `"${name}":[]`).join();
  const kind = '{"format":"mrnet-run","version":"1"}';
  const config = `"config":${JSON.stringify(RUN_SETTINGS)}`;
  const parts: [string, string, string, string][] = [
    ["objects in the config", `{${said},${rest()},"config":{"a":[`, "{},", "0]}}"],
    ["lists in the config", `{${said},${rest()},"config":{"a":[`, "[],", "0]}}"],
    ["lists in lists", `{${said},${rest()},"config":{"a":[`, "[[],[]],", "0]}}"],
    ["brackets", `{${said},${rest()},"config":`, "[", "}"],
    ["exams left out", `{${said},${rest("train")},${config},"train":[`, "null,", "null]}"],
    ["exams", `{${said},${rest("train")},${config},"train":[`, "[0,1,2],", "null]}"],
    [
      "epochs",
      `{${said},${rest("epochs")},${config},"epochs":[`,
      "[0,0,0,0,0,0,0,true],",
      "[0,0,0,0,0,0,0,true]]}",
    ],
    [
      "reasons",
      `{${said},${rest("skipped")},${config},"skipped":[`,
      '{"split":"train","id":"a","reason":""},',
      '{"split":"train","id":"a","reason":""}]}',
    ],
  ];
  return parts.map(([name, begin, part, end]) =>
    seed(name, () => metadata(kind, "state", begin, part, end))
  );
}

function cards(): Seed[] {
  return [
    seed("lists in a tune split", () => metadata("{}", "tune", "[", "[],", "0]")),
    seed(
      "objects in an operating point",
      () => metadata("{}", "operating_point", "[", "{},", "0]"),
    ),
    seed(
      "a threshold of a million digits",
      () =>
        metadata(
          "{}",
          "operating_point",
          '{"threshold":0.',
          "1",
          ',"rule":"youden","exams":"tune"}',
        ),
    ),
    seed("brackets", () => metadata("{}", "tune", "", "[", "")),
    seed("blanks", () => metadata("{}", "task", "", " ", "")),
    seed("line ends", () => metadata("{}", "tune", "", "\n", "x")),
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
      name: "state bombs",
      asTheyAre,
      seeds: states(),
      refuses: WeightsError,
      read: (bytes) => decodeRunState(bytes, "a"),
    },
    {
      name: "card bombs",
      asTheyAre,
      seeds: cards(),
      refuses: WeightsError,
      read: (bytes) => readCard(decodeSafetensors(bytes, "a").metadata, "a"),
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
      name: "run_all bombs",
      asTheyAre,
      seeds: runAll(),
      refuses: DataError,
      read: (bytes) => parseState(new TextDecoder().decode(bytes), "a"),
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
    ...pacsBombs(),
  ];
  return new Map(all.map((reader) => [reader.name, reader]));
}
