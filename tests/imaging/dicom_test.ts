/**
 * DICOM files, one by one: what pydicom reads is read as it does, what is damaged is refused in a line.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { DataError } from "../../lib/errors.ts";
import { MAX_INFLATED, parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "../../lib/imaging/dicom/file.ts";
import type { ImagingFile } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import { NO_LIMITS } from "../../lib/imaging/limits.ts";
import type { StoredPixels } from "../../lib/imaging/dicom/pixels.ts";
import { unpackRle } from "../../lib/imaging/dicom/rle.ts";
import { type DicomElements, dicomFile, dicomSlice, encapsulated } from "../support/dicom.ts";
import { testWithPython } from "../support/python.ts";

const RLE = "1.2.840.10008.1.2.5";
const JPEG_LS = "1.2.840.10008.1.2.4.80";
const JPEG_2000 = "1.2.840.10008.1.2.4.90";
const DEFLATED = "1.2.840.10008.1.2.1.99";

async function pixelsOf(bytes: Uint8Array, file = "a.dcm"): Promise<StoredPixels[]> {
  using decoder = new FrameDecoder();
  return await readDicomPixels(bytes, await readDicomHeader(bytes, file), decoder);
}

async function isRefused(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(() => pixelsOf(bytes), (error: Error) => {
    assert.ok(error instanceof DataError, String(error.stack));
    assert.match(error.message, /^Cannot read the DICOM file 'a\.dcm': [^\n]+: [^\n]+$/);
    assert.match(error.message, message);
    return true;
  });
}

const PYDICOM = `
import hashlib, json, logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
from pathlib import Path
import pydicom, pydicom.data
found = []
for path in sorted((Path(pydicom.data.__file__).parent / "test_files").rglob("*")):
    try:
        data = pydicom.dcmread(path)
        if data.get("Modality") not in ("MR", "CT") or data.get("SamplesPerPixel") != 1: continue
        # Never turned into what it shows: the stored values are what is compared.
        array = pydicom.pixels.pixel_array(data, raw=True)
    except Exception:
        continue
    array = array.astype(array.dtype.newbyteorder("<"))
    found.append([str(path), hashlib.sha256(array.tobytes()).hexdigest()])
json.dump(found, sys.stdout)
`;

testWithPython(
  "every grey MR and CT picture of pydicom's own has the same pixels here",
  ["pydicom", "numpy", "openjpeg", "jpeg_ls"],
  async (run) => {
    const expected: [string, string][] = JSON.parse(await run(PYDICOM));
    assert.ok(expected.length >= 30, `pydicom read ${expected.length} files`);
    for (const [path, sum] of expected) {
      const hash = createHash("sha256");
      for (const { buffer } of await pixelsOf(await Deno.readFile(path), path)) {
        hash.update(new Uint8Array(buffer));
      }
      assert.equal(hash.digest("hex"), sum, path);
    }
  },
);

Deno.test("stored values are masked and extended by their sign to the bits that are stored", async () => {
  const values = [0x0000, 0x07ff, 0x0800, 0xffff];
  const twelve: DicomElements = { "0028,0101 US": [12], "0028,0102 US": [11] };
  const spec = { rows: 2, columns: 2, values };
  const [unsigned] = await pixelsOf(dicomSlice({ ...spec, elements: twelve }));
  assert.deepEqual([...unsigned], [0, 2047, 2048, 4095]);
  const [signed] = await pixelsOf(
    dicomSlice({ ...spec, elements: { ...twelve, "0028,0103 US": [1] } }),
  );
  assert.deepEqual([...signed], [0, 2047, -2048, -1]);
});

Deno.test("pixels that are cut off, absent or not grey are refused", async () => {
  await isRefused(dicomSlice({ values: [1, 2, 3] }), /cut off: 6 bytes of 32/);
  await isRefused(dicomSlice({ elements: { "7FE0,0010 OW": undefined } }), /no pixels/);
  await isRefused(dicomSlice({ elements: { "0028,0010 US": undefined } }), /no pixels/);
  const color = { "0028,0002 US": [3], "0028,0004 CS": "RGB" };
  await isRefused(dicomSlice({ elements: color }), /its pixels are RGB, not grey/);
  const palette = { "0028,0004 CS": "PALETTE COLOR" };
  await isRefused(dicomSlice({ elements: palette }), /PALETTE COLOR, not grey/);
  await isRefused(dicomSlice({ elements: { "0028,0010 US": [65535] } }), /65535×4, at most 4096/);
  await isRefused(dicomSlice({ elements: { "0028,0008 IS": "1000000" } }), /1000000 frames/);
  await isRefused(
    dicomSlice({ elements: { "0028,0102 US": [13] } }),
    /16 bits a pixel end at bit 13/,
  );
  const wide = { "0028,0100 US": [32], "0028,0101 US": [32], "0028,0102 US": [31] };
  await isRefused(dicomSlice({ elements: wide }), /stores 32 of 32 bits/);
  await isRefused(
    dicomSlice({ syntax: "1.2.840.10008.1.2.4.100" }),
    /transfer syntax 1\.2\.840.* not/,
  );
});

Deno.test("a mosaic, which is many slices in one image, is refused", async () => {
  const mosaic = { "0008,0008 CS": "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC" };
  await isRefused(
    dicomSlice({ elements: mosaic }),
    /it is a mosaic.*: convert it, for example with/,
  );
});

Deno.test("what is no DICOM file, or is damaged, is refused", async () => {
  await isRefused(new Uint8Array(0), /does not begin as a DICOM file does/);
  await isRefused(
    new TextEncoder().encode("{}".repeat(500)),
    /does not begin as a DICOM file does/,
  );
  const good = dicomSlice();
  for (let length = 133; length < good.length; length += 7) {
    await assert.rejects(() => pixelsOf(good.slice(0, length)), DataError, `${length} bytes`);
  }
});

Deno.test("sequences nested by the thousand are refused", async () => {
  // Items of open length, one in the other, instead of the pixels' description.
  const item = [0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 255, 255, 255, 255];
  const open = [0xfe, 0xff, 0x00, 0xe0, 255, 255, 255, 255];
  const nested = new Uint8Array(Array(20_000).fill([...item, ...open]).flat());
  const head = dicomFile({});
  const bytes = new Uint8Array(head.length + nested.length);
  bytes.set(head);
  bytes.set(nested, head.length);
  await isRefused(bytes, /nested too deeply|damaged/);
});

Deno.test("a deflated file that would fill the memory is refused before it does", async () => {
  const bomb = deflateRawSync(new Uint8Array(8 * 2 ** 20));
  const head = dicomFile({}, DEFLATED);
  const bytes = new Uint8Array(head.length + bomb.length);
  bytes.set(head);
  bytes.set(bomb, head.length);
  // A small limit does for the test: others measure the memory of this process meanwhile.
  await assert.rejects(() => parseDicom(bytes, { file: "a.dcm", maxInflated: 2 ** 20 }), {
    name: "DataError",
    message: /^Cannot read the DICOM file 'a\.dcm': it inflates to more than 1 MB: send/,
  });
  assert.equal(MAX_INFLATED, 512 * 2 ** 20);
});

Deno.test("RLE is unpacked as PS3.5 says, and refused where its runs are cut off", () => {
  const frame = new Uint8Array(64 + 6);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 2, true);
  view.setUint32(4, 64, true);
  view.setUint32(8, 66, true);
  // Most significant bytes: 1 four times. Least: 5, 6, then 7 twice.
  frame.set([0xfd, 1, 1, 5, 6, 0xff], 64);
  const whole = new Uint8Array([...frame, 7]);
  const values = new Uint16Array(unpackRle(whole, 4, 2).buffer);
  assert.deepEqual([...values], [0x105, 0x106, 0x107, 0x107]);
  assert.throws(() => unpackRle(frame, 4, 2), /run is cut off/);
  assert.throws(() => unpackRle(whole, 5, 2), /ends before its pixels do/);
  assert.throws(() => unpackRle(whole, 4, 1), /2 RLE segments for values of 1 bytes/);
  assert.throws(() => unpackRle(whole.subarray(0, 20), 4, 2), /header is cut off/);
});

Deno.test("compressed frames that do not fit the header, or end early, are refused", async () => {
  const compressed = (syntax: string, ...fragments: number[][]) =>
    dicomSlice({
      syntax,
      elements: {
        "7FE0,0010 OW": encapsulated(fragments.map((bytes) => Uint8Array.from(bytes))),
      },
    });
  // SOI and the frame header of JPEG-LS: 16 bits, 512×4, one value a pixel.
  const large = [0xff, 0xd8, 0xff, 0xf7, 0, 11, 16, 2, 0, 0, 4, 1, 1, 17, 0];
  await isRefused(compressed(JPEG_LS, [...large, 0xff, 0xd9]), /is 512×4 with 1 .* says 4×4/);
  await isRefused(compressed(JPEG_LS, large), /end marker is missing/);
  const fits = large.with(7, 0).with(8, 4);
  await isRefused(compressed(JPEG_LS, [...fits, 0xff, 0xd9]), /: /);
  await isRefused(compressed(JPEG_2000, [...fits, 0xff, 0xd9]), /as a JPEG 2000 codestream does/);
  await isRefused(compressed(RLE, Array(64).fill(0)), /0 RLE segments/);
  await isRefused(dicomSlice({ syntax: RLE }), /not compressed, its header says so/);
  const twelve = large.with(3, 0xc1).with(6, 12).with(7, 0).with(8, 4);
  const extended = compressed("1.2.840.10008.1.2.4.51", [...twelve, 0xff, 0xd9]);
  await isRefused(extended, /12 bits a pixel is not read/);
});

/** A file in a folder, whose reads are counted. */
function countedFile(bytes: Uint8Array<ArrayBuffer>) {
  const reads = { begin: 0, read: 0 };
  const file: ImagingFile = {
    ...{ name: "study/a.dcm", root: "study" },
    begin(count) {
      reads.begin += count;
      return Promise.resolve(bytes.subarray(0, count));
    },
    read() {
      reads.read++;
      return Promise.resolve(bytes);
    },
  };
  return { file, reads };
}

Deno.test("of a file only its beginning is read for the header, and all of it once for its pixels", async () => {
  const values = Array.from({ length: 256 * 256 }, (_, i) => i);
  for (const comment of [0, 100_000]) {
    const { file, reads } = countedFile(
      new Uint8Array(dicomSlice({
        ...{ rows: 256, columns: 256, values },
        elements: { "0008,0070 LO": "MAKER", "0009,0010 UT": "x".repeat(comment) },
      })),
    );
    const { series: [series] } = await findSeries({ files: [file], limits: NO_LIMITS });
    // A header that is longer than the beginning is read with the whole file.
    assert.equal(reads.read, comment === 0 ? 0 : 1);
    assert.ok(reads.begin < 70_000);
    using decoder = new FrameDecoder();
    const [{ stored }] = await series.read(decoder);
    assert.deepEqual([...stored.subarray(-2)], [65534, 65535]);
    assert.equal(reads.read, comment === 0 ? 1 : 2);
  }
});

Deno.test("a file that is another by the time its pixels are read is refused", async () => {
  const before = dicomSlice();
  const header = await readDicomHeader(before, "a.dcm");
  using decoder = new FrameDecoder();
  assert.equal((await readDicomPixels(before, header, decoder)).length, 1);
  const after = dicomSlice({ elements: { "0008,103E LO": "longer" } });
  for (const bytes of [after, new Uint8Array(0), before.slice(0, header.pixels.offset - 9)]) {
    await assert.rejects(() => readDicomPixels(bytes, header, decoder), {
      message: "Cannot read the DICOM file 'a.dcm': it changed while it was read: try again",
    });
  }
});

Deno.test("functional groups of enhanced MR give each frame its position and meaning", async () => {
  const frame = (x: number, slope: string): DicomElements => ({
    "0020,9113 SQ": [{ "0020,0032 DS": `${x}\\0\\0` }],
    "0028,9145 SQ": [{ "0028,1052 DS": "3", "0028,1053 DS": slope }],
    "0018,9114 SQ": [{ "0018,9082 FD": [20 + x] }],
  });
  const bytes = dicomSlice({
    rows: 1,
    columns: 2,
    values: [1, 2, 3, 4],
    elements: {
      "0020,0032 DS": undefined,
      "0020,0037 DS": undefined,
      "0028,0008 IS": "2",
      "0028,0030 DS": undefined,
      "5200,9229 SQ": [{
        "0020,9116 SQ": [{ "0020,0037 DS": "0\\1\\0\\0\\0\\-1" }],
        "0028,9110 SQ": [{ "0028,0030 DS": "0.4\\0.3", "0018,0050 DS": "3.5" }],
      }],
      "5200,9230 SQ": [frame(0, "2"), frame(4, "5")],
    },
  });
  const { frames } = await readDicomHeader(bytes, "a.dcm");
  const seen = frames.map(({ position, slope, intercept, echoTime, spacing, orientation }) => ({
    position,
    slope,
    intercept,
    echoTime,
    spacing,
    orientation,
  }));
  const shared = {
    intercept: 3,
    spacing: [0.4, 0.3],
    orientation: [[0, 1, 0], [0, 0, -1]],
  };
  assert.deepEqual(seen, [
    { position: [0, 0, 0], slope: 2, echoTime: 20, ...shared },
    { position: [4, 0, 0], slope: 5, echoTime: 24, ...shared },
  ]);
  assert.deepEqual((await pixelsOf(bytes)).map((pixels) => [...pixels]), [[1, 2], [3, 4]]);
});
