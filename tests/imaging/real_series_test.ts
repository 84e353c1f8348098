/**
 * Real series, held against hashes that two independent programs (pydicom and dcmtk) agreed on.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { readDicomHeader, readDicomPixels } from "../../lib/imaging/dicom/file.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import type { StoredValues } from "../../lib/imaging/grey_values.ts";
import { examOfSeries, type ImportedExam } from "../../lib/imaging/volume.ts";
import type { Plane } from "../../lib/terms.ts";
import { REAL_DATA, testWithRealData } from "../support/realdata.ts";

/** What comes of a series: how it is described, and hashes of what is stored and of the exam. */
interface Outcome {
  part: string;
  plane: string | undefined;
  slices: number;
  stored: string;
  exam: string;
}

function hash(...pieces: StoredValues[]): string {
  const sum = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of pieces) {
    sum.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return sum.digest("hex").slice(0, 16);
}

/** Reads files, or all of a folder, as a user would. */
async function read(
  path: string,
  plane?: Plane,
): Promise<{ outcome: Outcome; exam: ImportedExam }[]> {
  using decoder = new FrameDecoder();
  using files = await ImagingFiles.find([REAL_DATA + path]);
  const found = [];
  const { series: all, skipped } = await findSeries(files);
  if (skipped.length > 0) throw new Error(skipped[0].reason);
  for (const series of all) {
    const exam = await examOfSeries(series, decoder, { plane });
    const stored = (await series.read(decoder)).map((slice) => slice.stored);
    const { part, slices, plane: own } = series.facts;
    const outcome = { part, plane: own, slices, stored: hash(...stored), exam: hash(exam.data) };
    found.push({ exam, outcome });
  }
  return found;
}

testWithRealData("a knee's two echoes, interleaved in one series, are two exams", async () => {
  const found = await read("pymskt-mese/dicom");
  assert.deepEqual(found.map(({ outcome }) => outcome), [
    {
      part: "echo time 6.312 ms",
      plane: "sagittal",
      slices: 24,
      stored: "1d0b41edd8e0e9b8",
      exam: "0b6396145c61b068",
    },
    {
      part: "echo time 12.624 ms",
      plane: "sagittal",
      slices: 24,
      stored: "586e444e41d4d754",
      exam: "cb16a6f62008a2d4",
    },
  ]);
  const file = await Deno.readFile(`${REAL_DATA}pymskt-mese/npy/sagittal.npy`);
  const [{ exam }] = found;
  assert.deepEqual(file.subarray(file.length - exam.data.length), exam.data);
});

const SYNTAXES = ["deflated_le", "implicit_le", "jpeg_lossless_sv1", "jpegls_lossless", "rle"];
for (const name of SYNTAXES) {
  testWithRealData(`a slice stored as ${name} has the pixels of the others`, async () => {
    const [{ outcome }] = await read(`derived-edge-cases/transfer_syntaxes/${name}.dcm`);
    assert.equal(outcome.stored, "fff43dfeefd3ebba");
    assert.equal(outcome.exam, "1704b03661adeddb");
  });
}

for (
  const [path, exam] of [
    ["reversed_instance_number", "1181a2ed4c5207f5"],
    ["negative_signed_pixels", "1704b03661adeddb"],
    ["rescale_slope", "1704b03661adeddb"],
    ["monochrome1/11.dcm", "1704b03661adeddb"],
    ["monochrome1/10.dcm", "aa6b3f9f1c8c22cb"],
    ["monochrome1", "2496ce1bab32fd4b"],
  ]
) {
  testWithRealData(`grey values and order are right for ${path}`, async () => {
    const [{ outcome }] = await read(`derived-edge-cases/${path}`);
    assert.equal(outcome.exam, exam);
  });
}

testWithRealData(
  "a series without geometry is read with a plane, and refused without",
  async () => {
    const path = "derived-edge-cases/missing_ipp_iop";
    const [{ outcome }] = await read(path, "sagittal");
    assert.deepEqual([outcome.plane, outcome.exam], [undefined, "28d2e7870936c7c3"]);
    await assert.rejects(
      () => read(path),
      /do not say where their slices lie: give the plane by --p/,
    );
  },
);

testWithRealData("a mosaic has the same pixels in each of its encodings", async () => {
  using decoder = new FrameDecoder();
  for (let file = 1; file <= 9; file++) {
    const bytes = await Deno.readFile(`${REAL_DATA}dcm_qa_ts/${file}.dcm`);
    // Under another name of the same length it is read like any slice.
    const at = Buffer.from(bytes.buffer).indexOf("MOSAIC");
    bytes.set(new TextEncoder().encode("SINGLE"), at);
    const header = await readDicomHeader(bytes, `${file}.dcm`);
    const pixels = await readDicomPixels(bytes, header, decoder);
    assert.equal(hash(...pixels), "e4943a308aba1b65", `${file}.dcm, ${header.layout.syntax.name}`);
  }
});

testWithRealData("a mosaic is refused as an exam in each of its encodings", async () => {
  for (let file = 1; file <= 9; file++) {
    await assert.rejects(() => read(`dcm_qa_ts/${file}.dcm`), /it is a mosaic/);
  }
});
