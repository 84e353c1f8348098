/**
 * Every transfer syntax, by files that other people's encoders wrote, and what damaged streams do to the
 * decoders.
 */
import assert from "node:assert/strict";
import { DataError } from "../../lib/errors.ts";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { encapsulatedFrames } from "../../lib/imaging/dicom/encapsulated.ts";
import { readDicomHeader, readDicomPixels } from "../../lib/imaging/dicom/file.ts";
import type { InstanceHeader } from "../../lib/imaging/dicom/header.ts";
import { TRANSFER_SYNTAXES } from "../../lib/imaging/dicom/transfer_syntax.ts";
import { createRandom } from "../../lib/random.ts";
import { printedBy } from "../support/cli.ts";
import { dicomSlice, encapsulated } from "../support/dicom.ts";
import { slowStream } from "../support/slow_stream.ts";

const FIXTURES = new URL("../fixtures/dicom/", import.meta.url);

/** What tools/make_dicom_fixtures.py stored. */
const VALUES = Array.from({ length: 40 * 48 }, (_, i) => {
  const [row, column] = [Math.floor(i / 48), i % 48];
  return (row * 37 + column * 23 + (row * column) % 17 * 9) % 4096;
});

/** What other decoders make of the files that lose something. */
const DECODED: Record<string, number[]> = JSON.parse(
  await Deno.readTextFile(new URL("decoded.json", FIXTURES)),
);

async function read(name: string): Promise<{ bytes: Uint8Array; header: InstanceHeader }> {
  const bytes = await Deno.readFile(new URL(`${name}.dcm`, FIXTURES));
  return { bytes, header: await readDicomHeader(bytes, "a.dcm") };
}

/** The compressed frame of a file. */
async function streamOf(name: string): Promise<Uint8Array> {
  const { bytes, header } = await read(name);
  return encapsulatedFrames(bytes, header.pixels, 1)[0];
}

const names = [...Deno.readDirSync(FIXTURES)].map(({ name }) => name)
  .filter((name) => name.endsWith(".dcm")).map((name) => name.slice(0, -4)).sort();

/** The only one that is not read. */
const REFUSED = "jpeg_extended_12bit";

Deno.test("there is a file of every transfer syntax that is read", async () => {
  const headers = await Promise.all(names.map(async (name) => (await read(name)).header));
  const there = new Set(headers.map(({ layout }) => layout.syntax));
  assert.deepEqual([...TRANSFER_SYNTAXES.values()].filter((syntax) => !there.has(syntax)), []);
});

for (const name of names.filter((name) => name !== REFUSED)) {
  Deno.test(`${name} has the pixels that were stored, or that other decoders give`, async () => {
    const { bytes, header } = await read(name);
    using decoder = new FrameDecoder();
    const [pixels] = await readDicomPixels(bytes, header, decoder);
    assert.equal(header.layout.syntax.lossy === true, name in DECODED);
    // HTJ2K with loss rounds differently in each library.
    const most = name === "htj2k" ? 1 : 0;
    const expected = DECODED[name] ?? VALUES;
    assert.equal(pixels.length, expected.length);
    const off = expected.map((value, i) => Math.abs(value - pixels[i]));
    assert.ok(Math.max(...off) <= most, `off by ${Math.max(...off)}`);
  });
}

Deno.test("JPEG with loss and 12 bits is refused, and what to do is said", async () => {
  const { bytes, header } = await read(REFUSED);
  using decoder = new FrameDecoder();
  await assert.rejects(() => readDicomPixels(bytes, header, decoder), {
    name: "DataError",
    message:
      "Cannot read the DICOM file 'a.dcm': JPEG with loss and 12 bits a pixel is not read: " +
      "send the file again from where it came, or convert it",
  });
});

const COMPRESSED = [
  ...["jpeg_baseline", "jpeg_lossless", "jpeg_lossless_sv1", "jpegls_lossless", "jpeg2000"],
  ...["jpegls_near_lossless", "jpeg2000_lossless", "htj2k", "htj2k_lossless", "rle"],
];

/** A file with a stream in place of a fixture's own. */
async function withStream(name: string, stream: Uint8Array): Promise<Uint8Array> {
  const { layout } = (await read(name)).header;
  const uid = [...TRANSFER_SYNTAXES].find(([, syntax]) => syntax === layout.syntax)![0];
  return dicomSlice({
    ...{ rows: layout.rows, columns: layout.columns, syntax: uid },
    elements: {
      "0028,0100 US": [layout.bitsAllocated],
      "0028,0101 US": [layout.bitsStored],
      "0028,0102 US": [layout.bitsStored - 1],
      "7FE0,0010 OW": encapsulated([stream]),
    },
  });
}

/** What comes of a file: its pixels, or the line that refuses it. */
async function outcome(bytes: Uint8Array, decoder: FrameDecoder): Promise<string> {
  try {
    const header = await readDicomHeader(bytes, "a.dcm");
    const [pixels] = await readDicomPixels(bytes, header, decoder);
    assert.equal(pixels.length, header.layout.rows * header.layout.columns);
    return "read";
  } catch (error) {
    assert.ok(error instanceof DataError, String(error));
    assert.match(error.message, /^Cannot read the DICOM file 'a\.dcm': [^\n]+: [^\n]+$/);
    return error.message;
  }
}

for (const name of COMPRESSED) {
  Deno.test(`wherever a stream of ${name} is cut off, it is refused`, async () => {
    using decoder = new FrameDecoder();
    const stream = await streamOf(name);
    assert.equal(await outcome(await withStream(name, stream), decoder), "read");
    for (let cut = 1; cut < 20; cut++) {
      const cutOff = stream.slice(0, Math.floor(stream.length * cut / 20));
      const found = await outcome(await withStream(name, cutOff), decoder);
      assert.notEqual(found, "read", `${cutOff.length} bytes of ${stream.length}`);
    }
  });

  Deno.test(`after any damaged stream of ${name} the next one is decoded right`, async () => {
    using decoder = new FrameDecoder();
    const stream = await streamOf(name);
    const sound = await withStream(name, stream);
    const header = await readDicomHeader(sound, "a.dcm");
    const [expected] = await readDicomPixels(sound, header, decoder);
    for (let index = 0; index < 30; index++) {
      const random = createRandom(1, name, index);
      const damaged = stream.slice();
      for (let byte = 0; byte < 4; byte++) {
        damaged[2 + random.integer(damaged.length - 6)] = random.integer(256);
      }
      await outcome(await withStream(name, damaged), decoder);
      assert.deepEqual((await readDicomPixels(sound, header, decoder))[0], expected);
    }
  });
}

Deno.test("a decoder that does not end is ended, and the next frame is decoded by another", async () => {
  // Of 8 s for each megapixel half a second is left for the first frame, and 8.5 s for the second.
  using decoder = new FrameDecoder(undefined, -7500);
  const slow = slowStream({ packets: 24_000_000 });
  await assert.rejects(() => decoder.decode("jpeg-2000", slow, 2 ** 20), {
    message: "the decoder did not end within 1 s",
  });
  const stream = new Uint8Array(await streamOf("jpeg2000_lossless"));
  const { bytes } = await decoder.decode("jpeg-2000", stream, 2 ** 21);
  assert.deepEqual([...new Uint16Array(bytes.buffer)], VALUES);
});

Deno.test({
  name: "a stream that asks for gigabytes gets some megabytes",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [decoder, slow] = ["../../lib/imaging/dicom/decoder.ts", "../support/slow_stream.ts"]
      .map((path) => JSON.stringify(import.meta.resolve(path)));
    const { failure, peak } = await printedBy<{ failure: string; peak: number }>(`
import { FrameDecoder } from ${decoder};
import { slowStream } from ${slow};
using decoder = new FrameDecoder();
const failure = await decoder.decode("jpeg-2000", slowStream({ packets: 3e6, first: 0, others: 17 }), 2 ** 20)
  .then(() => "none", (error) => error.message);
const peak = /VmHWM:\\s*(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))[1] / 1024;
console.log(JSON.stringify({ failure, peak }));
`);
    assert.equal(failure, "the decoder gave up");
    assert.ok(peak < 700, `${peak} MB`);
  },
});
