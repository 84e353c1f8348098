/** Files that claim to be the same instance: copies, and what only says so. */
import assert from "node:assert/strict";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries, type FoundSeries } from "../../lib/imaging/found.ts";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { dicomSlice, type SliceSpec } from "../support/dicom.ts";

/** The series of slices that all have one identifier. */
async function seriesOf(...slices: SliceSpec[]): Promise<FoundSeries[]> {
  const given = slices.map((slice, index) => ({
    name: `${index}.dcm`,
    bytes: dicomSlice({ ...slice, elements: { ...slice.elements, "0008,0018 UI": "2.25.7" } }),
  }));
  using files = await ImagingFiles.find(given);
  const { series, skipped } = await findSeries(files);
  assert.deepEqual(skipped, []);
  return series;
}

const at = (x: number, more: SliceSpec["elements"] = {}): SliceSpec => ({
  elements: { "0020,0032 DS": `${x}\\0\\0`, ...more },
});

/** What is said about identifiers and positions. */
const said = ({ facts }: FoundSeries) =>
  facts.remarks.filter((remark) => /there twice|identifier|same position/.test(remark));

Deno.test("a file and its copies count once, whatever else their headers say", async () => {
  const [series, ...others] = await seriesOf(
    at(0),
    at(0, { "0010,0010 PN": "Doe^Jane" }),
    at(0, { "0008,103E LO": "sag pd" }),
  );
  assert.deepEqual(others, []);
  assert.equal(series.facts.slices, 1);
  assert.deepEqual(said(series), ["2 slices were there twice and count once"]);
  assert.deepEqual(said((await seriesOf(at(0), at(0)))[0]), [
    "1 slice was there twice and count once",
  ]);
});

Deno.test("slices that a program gave one identifier are all kept, in their places, and named", async () => {
  const [series] = await seriesOf(at(4), at(0), at(8), at(8));
  assert.equal(series.facts.slices, 3);
  assert.equal(series.useless, undefined);
  assert.deepEqual(said(series), [
    "1 slice was there twice and count once",
    "3 slices have an identifier that another file with other content has: each counts",
  ]);
  using decoder = new FrameDecoder();
  assert.equal((await series.read(decoder)).length, 3);
});

Deno.test("other pixels at the same place are never dropped: nobody can say which are right", async () => {
  const [series] = await seriesOf(at(0), { ...at(0), values: Array(16).fill(7) });
  assert.equal(series.facts.slices, 2);
  assert.match(series.useless!, /several slices lie at the same position/);
  assert.equal(said(series).length, 2);
});

Deno.test("one identifier in two series, or with other grey values, is no copy", async () => {
  const series = await seriesOf(at(0), at(0, { "0020,000E UI": "2.25.99" }));
  assert.deepEqual(series.map(({ facts }) => facts.slices), [1, 1]);
  const [scaled] = await seriesOf(at(0), at(0, { "0028,1053 DS": "2" }));
  assert.equal(scaled.facts.slices, 2);
});

Deno.test("a file that is gone when it is compared is no copy either", async () => {
  const bytes = [at(0), at(0)].map((slice) =>
    dicomSlice({ elements: { ...slice.elements, "0008,0018 UI": "2.25.7" } })
  );
  const folder = await Deno.makeTempDir();
  try {
    for (const [index, each] of bytes.entries()) await Deno.writeFile(`${folder}/${index}`, each);
    using files = await ImagingFiles.find([folder]);
    const { series } = await findSeries(files, async (done, total) => {
      if (done === total) await Deno.remove(`${folder}/1`).catch(() => {});
    });
    assert.equal(series[0].facts.slices, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
