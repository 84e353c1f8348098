/**
 * Which slices make an exam, and in which order.
 */
import assert from "node:assert/strict";
import { readDicomHeader } from "../../lib/imaging/dicom/file.ts";
import { type Series, sortIntoSeries } from "../../lib/imaging/series.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";

/** The series that slices with these elements make. */
async function seriesOf(...slices: Record<string, DicomValue | undefined>[]): Promise<Series[]> {
  const headers = slices.map((elements, index) =>
    readDicomHeader(dicomSlice({ elements }), `${index}.dcm`)
  );
  return sortIntoSeries(await Promise.all(headers));
}

/** Where a slice lies, from the patient's right to the left. */
const at = (x: number) => ({ "0020,0032 DS": `${x}\\0\\0` });

/** The files of a series in order, by their numbers. */
const order = ({ slices }: Series) => slices.map(({ instance }) => parseInt(instance.file));

Deno.test("slices follow their positions, not their numbers or names", async () => {
  const [series] = await seriesOf(
    { ...at(8), "0020,0013 IS": "1" },
    { ...at(0), "0020,0013 IS": "2" },
    { ...at(4), "0020,0013 IS": "3" },
  );
  assert.deepEqual(order(series), [1, 2, 0]);
  assert.deepEqual(series.steps, [4, 4]);
  assert.equal(series.plane, "sagittal");
});

for (
  const [plane, orientation, positions] of [
    ["sagittal", "0\\1\\0\\0\\0\\-1", ["-4\\0\\0", "0\\0\\0", "4\\0\\0"]],
    // The same slices seen from the other side: the order is the patient's, not the normal's.
    ["sagittal", "0\\-1\\0\\0\\0\\-1", ["-4\\0\\0", "0\\0\\0", "4\\0\\0"]],
    ["coronal", "1\\0\\0\\0\\0\\-1", ["0\\-4\\0", "0\\0\\0", "0\\4\\0"]],
    ["axial", "1\\0\\0\\0\\1\\0", ["0\\0\\4", "0\\0\\0", "0\\0\\-4"]],
  ] as const
) {
  Deno.test(`${plane} slices are ordered as MRNet's are, with rows along ${orientation}`, async () => {
    const files = positions.map((position) => ({
      "0020,0037 DS": orientation,
      "0020,0032 DS": position,
    }));
    const [series] = await seriesOf(files[2], files[0], files[1]);
    assert.equal(series.plane, plane);
    assert.deepEqual(order(series), [1, 2, 0]);
  });
}

Deno.test("echoes and other images of the same positions are exams of their own", async () => {
  const tells: [string, Record<string, DicomValue>, Record<string, DicomValue>][] = [
    ["echo time 10 ms", { "0018,0081 DS": "10" }, { "0018,0081 DS": "80" }],
    ["frame type ORIGINAL\\PRIMARY\\M", { "0008,0008 CS": "ORIGINAL\\PRIMARY\\M" }, {
      "0008,0008 CS": "ORIGINAL\\PRIMARY\\P",
    }],
    ["temporal index 1", { "0020,0100 IS": "1" }, { "0020,0100 IS": "2" }],
    ["acquisition 1", { "0020,0012 IS": "1" }, { "0020,0012 IS": "2" }],
  ];
  for (const [part, one, other] of tells) {
    const series = await seriesOf(
      { ...at(0), ...one },
      { ...at(0), ...other },
      { ...at(4), ...one },
      { ...at(4), ...other },
    );
    assert.equal(series[0].part, part);
    assert.deepEqual(series.map(order), [[0, 2], [1, 3]]);
    assert.ok(series.every(({ ambiguous }) => !ambiguous));
  }
});

Deno.test("two things that only together tell pictures apart do so", async () => {
  const slices = ["10", "80"].flatMap((echo) =>
    ["1", "2"].map((time) => ({ ...at(0), "0018,0081 DS": echo, "0020,0100 IS": time }))
  );
  const series = await seriesOf(...slices);
  assert.deepEqual(series.map(order), [[0], [1], [2], [3]]);
});

Deno.test("images of the same position that nothing tells apart are said to be that", async () => {
  const series = await seriesOf(at(0), at(0), at(4));
  assert.deepEqual(series.map(({ ambiguous }) => ambiguous), [true]);
});

Deno.test("the same instance twice counts once", async () => {
  const same = { ...at(0), "0008,0018 UI": "2.25.7" };
  const [series] = await seriesOf(same, at(4), same);
  assert.deepEqual(order(series), [0, 1]);
  assert.equal(series.copies, 1);
});

Deno.test("another direction, matrix, spacing or series is another exam", async () => {
  const series = await seriesOf(
    at(0),
    { ...at(4), "0020,0037 DS": "1\\0\\0\\0\\0\\-1" },
    { ...at(8), "0028,0030 DS": "0.5\\0.6" },
    { ...at(12), "0020,000E UI": "2.25.3" },
  );
  assert.deepEqual(series.map(order), [[0], [1], [2], [3]]);
});

Deno.test("without geometry slices follow their numbers, and the plane is not known", async () => {
  const none = { "0020,0032 DS": undefined, "0020,0037 DS": undefined };
  const [series] = await seriesOf(
    { ...none, "0020,0013 IS": "10" },
    { ...none, "0020,0013 IS": "9" },
  );
  assert.equal(series.plane, undefined);
  assert.deepEqual(order(series), [1, 0]);
});

Deno.test("a tilt is measured from the nearest plane", async () => {
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)].map((x) => x.toFixed(6));
  const [series] = await seriesOf({ "0020,0037 DS": `-${s}\\${c}\\0\\0\\0\\-1` });
  assert.equal(series.plane, "sagittal");
  assert.ok(Math.abs(series.tilt - 30) < 1e-3, String(series.tilt));
});
