/**
 * What untrusted clients may send of a study: files that claim much, or are made to take long.
 */
import assert from "node:assert/strict";
import { deflateRawSync, gzipSync } from "node:zlib";
import { concat } from "../../lib/bytes.ts";
import { choosePlanes } from "../../lib/imaging/choose.ts";
import { parseDicom } from "../../lib/imaging/dicom/dataset.ts";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { encapsulatedFrames } from "../../lib/imaging/dicom/encapsulated.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import { type ImagingLimits, NO_LIMITS } from "../../lib/imaging/limits.ts";
import { Studies } from "../../lib/imaging/studies.ts";
import { encodeZip } from "../../lib/zip.ts";
import { dicomFile, dicomSlice, encapsulated } from "../support/dicom.ts";
import { elementBomb } from "../support/hostile_studies.ts";
import { niftiFile } from "../support/nifti.ts";
import { study } from "../support/study.ts";
import { assertWithin } from "../support/time.ts";

const zip = (files: ReadonlyMap<string, Uint8Array>) => ({
  name: "study.zip",
  bytes: concat(encodeZip(files)),
});

const limited = (limits: Partial<ImagingLimits>) => ({ ...NO_LIMITS, ...limits });

Deno.test("a file of a million elements is refused long before it is parsed", async () => {
  const { data } = await parseDicom(elementBomb(100_000), { file: "a" });
  assert.ok(data.elements.x0009ffff);
  const bomb = elementBomb();
  const before = Deno.memoryUsage().heapUsed;
  await assert.rejects(() => parseDicom(bomb, { file: "bomb" }), {
    name: "DataError",
    message: /^Cannot read the DICOM file 'bomb': it is damaged \(it has too many elements\): /,
  });
  assert.ok(Deno.memoryUsage().heapUsed - before < 100 * 2 ** 20);
});

Deno.test("a file of a million fragments is refused, and a table of offsets is gone through once", () => {
  const fragments = Array.from({ length: 1_000_000 }, () => new Uint8Array());
  const bomb = { offset: 0, isEncapsulated: true };
  assert.throws(
    () => encapsulatedFrames(encapsulated(fragments), bomb, 1),
    /it has over 100000 fragments/,
  );

  const few = Array.from({ length: 5 }, (_, i) => Uint8Array.of(i, i));
  // Two fragments, one, two: each has a header of 8 bytes.
  const pixels = encapsulated(few, [0, 20, 30]);
  assert.deepEqual(encapsulatedFrames(pixels, bomb, 3).map((frame) => [...frame]), [
    [0, 0, 1, 1],
    [2, 2],
    [3, 3, 4, 4],
  ]);
});

Deno.test("text of megabytes is as good as none", async () => {
  const bytes = dicomSlice({
    elements: { "0008,103E UT": "x".repeat(4_000_000), "0020,0060 CS": "L" },
  });
  using files = await ImagingFiles.find([{ name: "a.dcm", bytes }]);
  const { series: [{ facts }] } = await findSeries(files);
  assert.deepEqual([facts.description, facts.side], ["", "L"]);
});

Deno.test("more files, frames, inflated bytes and pixels than allowed are refused by a header", async () => {
  const files = study(1);
  const open = (limits: Partial<ImagingLimits>, given = zip(files)) =>
    Studies.open([given], { limits: limited(limits) });
  await assert.rejects(
    () => open({ images: 53 }),
    /'study.zip': it has 54 files, at most 53 are read: give fewer of them$/,
  );
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  await assert.rejects(
    () => open({ inflatedBytes: bytes - 1 }),
    new RegExp(`its files have ${bytes} bytes, at most ${bytes - 1} are read: give only the`),
  );
  (await open({ images: 54, inflatedBytes: bytes }))[Symbol.dispose]();

  // A file of a few bytes that claims frames.
  const claims = dicomSlice({ elements: { "0028,0008 IS": "9000" } });
  await assert.rejects(
    () => open({ images: 9000 }, zip(new Map([["a", claims], ["b", dicomSlice()]]))),
    /it has more than 9000 images: give only the series that are needed$/,
  );

  using wide = await open({ slicePixels: 4095 });
  assert.equal(wide.studies.length, 0);
  assert.match(wide.skipped[0].reason, /a slice has 64×64 pixels, at most 4095 are read/);

  using long = await open({ seriesPixels: 17 * 4096 });
  await assert.rejects(
    () => long.studies[0].exams.axial!.read(),
    /18 slices of 64×64 have 73728 pixels, at most 69632 are read: choose another series$/,
  );
});

Deno.test("what inflates beyond the limit is stopped there, in every form", async () => {
  const zeros = new Uint8Array(1_000_000);
  const slice = dicomSlice({ rows: 500, columns: 1000, values: new Uint16Array(zeros.buffer) });
  const end = dicomFile({}).length;
  const deflated = concat([
    dicomFile({}, "1.2.840.10008.1.2.1.99"),
    deflateRawSync(slice.subarray(end)),
  ]);
  const volume = niftiFile({
    size: [500, 1000, 1],
    values: new Uint16Array(zeros.buffer),
    affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 0]],
  });
  const gzipped = new Uint8Array(gzipSync(volume));
  for (const [name, bytes] of [["a.dcm", deflated], ["a.nii.gz", gzipped]] as const) {
    assert.ok(bytes.length < 10_000);
    using whole = await Studies.open([{ name, bytes }]);
    assert.equal(whole.skipped.length, 0, whole.skipped[0]?.reason);
    using stopped = await Studies.open([{ name, bytes }], {
      limits: limited({ inflatedBytes: 500_000 }),
    });
    assert.match(stopped.skipped[0].reason, /inflate/);
  }
  using few = await Studies.open([{ name: "a.nii", bytes: volume }], {
    limits: limited({ seriesPixels: 499_999 }),
  });
  assert.match(few.skipped[0].reason, /it has 500000 voxels, at most 499999 are read/);
});

Deno.test("a choice of many stars is answered at once", async () => {
  const bytes = dicomSlice({ elements: { "0008,103E LO": "a".repeat(60) } });
  using files = await ImagingFiles.find([{ name: "a.dcm", bytes }]);
  const { series } = await findSeries(files);
  const chosen = (text: string) =>
    choosePlanes(series, { series: [{ text }] })[0].series !== undefined;
  const start = performance.now();
  assert.equal(chosen("*a".repeat(30) + "b"), false);
  assertWithin(performance.now() - start, 1000);
  for (const text of ["a*", "*A*a*", "*", "a".repeat(60), `${"a*".repeat(59)}a`]) {
    assert.equal(chosen(text), true, text);
  }
  for (const text of ["a", "*b", `${"a*".repeat(60)}a`, "b*a"]) assert.equal(chosen(text), false);
});

Deno.test("reading a study ends when whoever waits for it goes", async () => {
  const gone = new Error("gone");
  let files = 0;
  await assert.rejects(
    () =>
      Studies.open([zip(study(1))], {
        between() {
          if (++files === 5) throw gone;
        },
      }),
    gone,
  );
  assert.equal(files, 5);
  using decoder = new FrameDecoder(AbortSignal.abort(gone));
  await assert.rejects(() => decoder.decode("jpeg-ls", new Uint8Array(100), 100), gone);
});
