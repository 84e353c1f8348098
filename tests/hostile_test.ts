/**
 * Hostile files in short: some hundred mutated files for every reader, and files that were made to
 * cost their reader much. `deno task fuzz` is the long form.
 */
import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { readExam } from "../lib/data/exam.ts";
import { examFile, examId, readLabels } from "../lib/data/labels.ts";
import { decodeNpy } from "../lib/data/npy.ts";
import { DataError, messageOf, WeightsError } from "../lib/errors.ts";
import { readCard } from "../lib/model/card_metadata.ts";
import { encodeZip } from "../lib/zip.ts";
import { TemporaryFolder } from "./support/folders.ts";
import { caseBytes, type FuzzReader, readCase } from "./support/fuzz/case.ts";
import { hunt } from "./support/fuzz/hunt.ts";
import { joined } from "./support/fuzz/mutate.ts";
import { fuzzReaders } from "./support/fuzz/readers.ts";
import { decodePytorch, decodeSafetensors } from "./support/weights.ts";
import { assertWithin } from "./support/time.ts";

const READERS = await fuzzReaders();
const BOMBS = new URL("./support/fuzz/bombs.ts", import.meta.url).href;
const PLANTED = new URL("./support/fuzz/planted.ts", import.meta.url).href;

for (const reader of READERS.values()) {
  Deno.test(`mutated files are answered or refused by the reader of ${reader.name}`, async () => {
    // Those with 30 MB behind each file take a hundred times as long.
    const count = reader.behind === undefined ? 400 : 80;
    const cases = { seed: 1, first: 0, count };
    // In a process of its own, for its memory is measured, and other tests use this one's.
    const result = await hunt({ ...cases, reader: reader.name });
    assert.ok("report" in result, JSON.stringify(result));
    const { answered, refused } = result.report;
    // Both happen, or the files are not near enough to valid ones.
    assert.ok(answered > 0 && refused > count / 2, `${answered} answered, ${refused} refused`);
  });
}

for (const [name, { seeds }] of (await import(BOMBS)).fuzzReaders() as Map<string, FuzzReader>) {
  Deno.test(`${name} cost neither a second nor 64 MB`, async () => {
    const result = await hunt({ reader: name, seed: 0, count: seeds.length, module: BOMBS });
    assert.ok("report" in result, JSON.stringify(result));
  });
}

for (
  const [name, message] of [
    ["greedy", /^raised the peak of the process by \d+ bytes$|^left \d+ bytes beyond/],
    ["slow", /^took \d{4} ms$/],
    ["endless", /^did not end within 3000 ms$/],
    ["careless", /^threw TypeError: /],
    ["wrong", /^threw Error: answered wrongly$/],
    ["crashing", /^ended the process with exit code 7$/],
    ["chatty", /^has a control character in its message/],
  ] as const
) {
  Deno.test(`the fuzzer catches a reader that is ${name}, and names the file`, async () => {
    // On a busy machine 1.2 s of work may take many.
    const hangMs = name === "endless" ? 3000 : 60_000;
    const options = { reader: name, seed: 3, count: 60, module: PLANTED, hangMs };
    const result = await hunt(options);
    assert.ok("caught" in result, JSON.stringify(result));
    assert.match(result.caught.message, message);
    const { fuzzReaders, setsOff } = await import(PLANTED);
    const planted: FuzzReader = fuzzReaders().get(name)!;
    assert.ok(setsOff(caseBytes(planted, 3, result.caught.index)));
    for (let index = 0; index < result.caught.index; index++) {
      assert.ok(!setsOff(caseBytes(planted, 3, index)), "an earlier file was missed");
    }
  });
}

Deno.test("a small file does not pay for the peak of a large one before it", async () => {
  const { fuzzReaders } = await import(PLANTED);
  const planted: FuzzReader = fuzzReaders().get("large")!;
  const isLarge = (index: number) => caseBytes(planted, 3, index).length === planted.limit;
  const first = Array.from({ length: 2000 }, (_, index) => index).find(isLarge)!;
  const options = { reader: "large", seed: 3, first, count: 3, module: PLANTED };
  const result = await hunt(options);
  assert.ok("report" in result, JSON.stringify(result));
  assert.ok(result.report.peakGrowth > 64 * 1024 * 1024, `${result.report.peakGrowth}`);
});

Deno.test("the same seed and number give the same file, others another", () => {
  for (const reader of READERS.values()) {
    assert.deepEqual(caseBytes(reader, 5, 9), caseBytes(reader, 5, 9));
    const files = [0, 1, 2, 3].map((index) => caseBytes(reader, 5, index).join());
    assert.ok(new Set(files).size > 1);
  }
});

// Properties: input that is built, not damaged.

const npyFile = fc.record({
  descr: fc.oneof(fc.string(), fc.constantFrom("'<f4'", "'|u1'", "'>i8'", "[('a', '<f4')]")),
  order: fc.oneof(fc.string(), fc.constantFrom("True", "False")),
  shape: fc.oneof(fc.string(), fc.array(fc.nat()).map((sizes) => `(${sizes.join(",")},)`)),
  data: fc.uint8Array({ maxLength: 64 }),
}).map(({ descr, order, shape, data }) => {
  const claim = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const text = new TextEncoder().encode(claim);
  const head = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0);
  new DataView(head.buffer).setUint16(8, text.length, true);
  return joined(head, text, data);
});

const safetensorsFile = fc.tuple(
  fc.oneof(
    fc.json(),
    fc.dictionary(
      fc.string(),
      fc.record({
        dtype: fc.constantFrom("F32", "F16", "I64", "F4", "__proto__"),
        shape: fc.array(fc.oneof(fc.nat(9), fc.maxSafeInteger(), fc.double())),
        data_offsets: fc.tuple(fc.nat(40), fc.maxSafeNat()),
      }),
    ).map((header) => JSON.stringify(header)),
  ),
  fc.uint8Array({ maxLength: 64 }),
).map(([json, data]) => {
  const text = new TextEncoder().encode(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return joined(length, text, data);
});

/** Operations of a pickle in any order: what no program writes. */
const operations = [..."]})(Ntleusabq\x01h\x01K\x01RQ2010\x85\x86\x87\x88\x89\x8f\x90\x91\x93\x94"]
  .map((sign) => sign.charCodeAt(0));
const pickleFile = fc.array(
  fc.oneof(
    fc.constantFrom(...operations).map((code) => Uint8Array.of(code)),
    fc.constantFrom(
      "ccollections\nOrderedDict\n",
      "ctorch._utils\n_rebuild_tensor_v2\n",
      "ctorch\nFloatStorage\n",
      "X\x07\0\0\0storage",
      "X\x01\0\0\x000",
    ).map((text) => new TextEncoder().encode(text)),
  ),
  { maxLength: 80 },
).map((records) =>
  joined(...encodeZip(
    new Map([["a/data.pkl", joined(...records, Uint8Array.of(0x2e))], [
      "a/data/0",
      new Uint8Array(4),
    ]]),
  ))
);

const plain = { refuses: WeightsError, name: "", seeds: [] };

Deno.test("any .npy file, safetensors header or pickle is answered or refused in one line", async () => {
  const property = (files: fc.Arbitrary<Uint8Array>, reader: FuzzReader) =>
    fc.assert(fc.asyncProperty(files, async (bytes) => void await readCase(reader, bytes)), {
      numRuns: 1500,
    });
  await property(npyFile, { ...plain, refuses: DataError, read: (bytes) => decodeNpy(bytes, "a") });
  await property(safetensorsFile, { ...plain, read: (bytes) => decodeSafetensors(bytes, "a") });
  await property(pickleFile, { ...plain, read: (bytes) => decodePytorch(bytes, "a") });
});

Deno.test("any text in a model's card is answered or refused in one line", async () => {
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.json());
  const metadata = fc.dictionary(fc.constantFrom("task", "operating_point", "tune"), value);
  await fc.assert(fc.asyncProperty(metadata, async (texts) => {
    const reader = { ...plain, read: () => readCard(texts, "a") };
    await readCase(reader, new Uint8Array(0));
  }));
});

Deno.test("numbers in a card are numbers, not texts that look like them", () => {
  for (const tune of ['{"fraction":"0.1","seed":0}', '{"fraction":[0.1],"seed":0}']) {
    assert.throws(() => readCard({ tune }, "a"), WeightsError);
  }
});

Deno.test("an id is the name of a file and nothing else", () => {
  for (
    const id of [
      ...[
        "../0001",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "C:x",
        "..",
        ".",
        "",
        "a\0b",
        "a\n",
        " 1",
        "a.npy",
      ],
      ...["con", "NUL", "Aux", "prn", "com1", "LPT9", "x".repeat(65), "１", "é", "%2e%2e"],
    ]
  ) {
    assert.throws(() => examId(id), DataError, JSON.stringify(id));
    assert.throws(() => examFile("data", "train", "axial", id), DataError);
  }
  for (const id of ["console", "com", "nul-1", "lpt10"]) assert.equal(examId(id), id);
});

Deno.test("a message is one line of bearable length, found in bearable time", () => {
  const start = performance.now();
  assert.equal(messageOf(new Error(`${" ".repeat(1_000_000)}x`)), "…");
  assert.equal(messageOf(new Error("x".repeat(3000))), `${"x".repeat(1999)}…`);
  assert.equal(messageOf(`a${" \n".repeat(500)}b`), "a b");
  assert.equal(messageOf("x".repeat(2000)).length, 2000);
  assertWithin(performance.now() - start, 500);
});

Deno.test("what a file puts into a message cannot command the terminal", () => {
  const error = new Error("it says '\x1b[31mred\x07' and \u202eturns\n  round");
  assert.equal(messageOf(error), "it says '\ufffd[31mred\ufffd' and \ufffdturns round");
});

Deno.test({
  name: "a pipe or a device in place of a file is refused, not waited for",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.make();
    const pipe = folder.at("0001.npy");
    const { success } = await new Deno.Command("mkfifo", { args: [pipe] }).output();
    assert.ok(success);
    for (const path of [pipe, "/dev/zero"]) {
      await assert.rejects(readExam(path, "0001"), {
        name: "DataError",
        message: `Cannot read '${path}': it is not a plain file: ` +
          "check that the file is there and can be read",
      });
      await assert.rejects(readLabels(path), { name: "DataError", message: /not a plain file/ });
    }
  },
});
