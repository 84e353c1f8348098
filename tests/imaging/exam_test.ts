/**
 * Slices as MRNet has them: turned, with grey values of 0 to 255, square.
 */
import assert from "node:assert/strict";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries } from "../../lib/imaging/found.ts";
import { turnToMRNet, type Vector } from "../../lib/imaging/geometry.ts";
import { type GreySlice, quantise, valuesOf, windowOf } from "../../lib/imaging/grey_values.ts";
import { SquareResampler } from "../../lib/imaging/resample.ts";
import { examOfSeries } from "../../lib/imaging/volume.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";
import { testWithPython } from "../support/python.ts";

/** An exam of one slice of 256×256, with its value as a function of where a pixel lies. */
async function examWith(
  across: Vector,
  down: Vector,
  value: (position: Vector) => number,
): Promise<Uint8Array> {
  const values = new Uint16Array(256 * 256);
  for (let row = 0; row < 256; row++) {
    for (let column = 0; column < 256; column++) {
      const position = across.map((x, axis) => x * column + down[axis] * row);
      values[row * 256 + column] = value([position[0], position[1], position[2]]);
    }
  }
  const elements: Record<string, DicomValue> = {
    "0020,0037 DS": [...across, ...down].join("\\"),
  };
  const bytes = dicomSlice({ rows: 256, columns: 256, values, elements });
  using files = await ImagingFiles.find([{ name: "a.dcm", bytes }]);
  const { series: [series] } = await findSeries(files);
  using decoder = new FrameDecoder();
  return (await examOfSeries(series, decoder)).data;
}

/** How a value changes to the right and to the bottom of an exam's slice. */
function slope(data: Uint8Array): [across: number, down: number] {
  const at = (row: number, column: number) => data[row * 256 + column];
  return [Math.sign(at(128, 200) - at(128, 50)), Math.sign(at(200, 128) - at(50, 128))];
}

/** All pairs of axes that span a plane, in either direction. */
const AXES: Vector[] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]];

Deno.test("however a slice was stored, it is seen as MRNet's are", async () => {
  // What grows to the right of a slice, and what to its bottom, in each plane.
  const wanted = { "0": [1, -2], "1": [0, -2], "2": [0, 1] };
  let seen = 0;
  for (const across of AXES) {
    for (const down of AXES) {
      const axes = [across, down].map((each) => each.findIndex((x) => x !== 0));
      if (axes[0] === axes[1]) continue;
      const normal = [0, 1, 2].find((axis) => !axes.includes(axis))!;
      const [right, bottom] = wanted[String(normal) as keyof typeof wanted];
      for (const [index, axis] of [right, bottom].entries()) {
        const sign = axis < 0 ? -1 : 1;
        const data = await examWith(
          across,
          down,
          (position) => 1000 + 2 * sign * position[Math.abs(axis)],
        );
        const expected = index === 0 ? [1, 0] : [0, 1];
        assert.deepEqual(slope(data), expected, `rows along ${across}, columns along ${down}`);
        seen++;
      }
    }
  }
  assert.equal(seen, 48);
});

Deno.test("a tilted slice is turned as the plane that it is nearest to", () => {
  assert.deepEqual(turnToMRNet([0.1, 0.99, 0], [0, 0, -1], "sagittal"), {
    transpose: false,
    flipAcross: false,
    flipDown: false,
  });
});

const slice = (stored: ArrayLike<number>, more: Partial<GreySlice> = {}): GreySlice => ({
  stored: Int16Array.from(stored),
  slope: 1,
  intercept: 0,
  inverted: false,
  ...more,
});

Deno.test("counted and sorted percentiles agree, padding and inversion included", () => {
  const stored = Int16Array.from({ length: 5000 }, (_, i) => (i * 7919) % 3001 - 500);
  const counted = windowOf([slice(stored, { slope: 2, intercept: -3 })]);
  // Two slices that mean different things by a value are sorted; these mean the same.
  const split = [
    slice(stored.subarray(0, 2500), { slope: 2, intercept: -3 }),
    slice(stored.subarray(2500).map((value) => value * 2), { slope: 1, intercept: -3 }),
  ];
  assert.deepEqual(windowOf(split), counted);
  const dark = windowOf([slice(stored.map((value) => -value), { inverted: true })]);
  assert.deepEqual(dark, windowOf([slice(stored)]));
  const padded = [...stored, ...Array(9000).fill(-2000)];
  assert.deepEqual(
    windowOf([slice(padded, { padding: [-2000, -2000] })]),
    windowOf([slice(stored)]),
  );
  assert.deepEqual(windowOf([slice([7, 7], { padding: [7, 7] })]), { low: 0, high: 0 });
});

Deno.test("padding is black, a constant exam is black, halves are rounded to even", () => {
  const padded = slice([-9, 10, 20], { padding: [-9, -9] });
  const window = { low: 10, high: 20 };
  assert.deepEqual([...quantise(valuesOf(padded, window), window)], [0, 0, 255]);
  assert.deepEqual([...quantise(Float64Array.of(5, 5), { low: 5, high: 5 })], [0, 0]);
  const unit = { low: 0, high: 255 };
  assert.deepEqual([...quantise(Float64Array.of(0.5, 1.5, 2.5, -3, 300), unit)], [0, 2, 2, 0, 255]);
});

testWithPython("percentiles and bytes are NumPy's", ["numpy"], async (run) => {
  const stored = Array.from({ length: 4001 }, (_, i) => (i * i * 31) % 2777);
  const printed = await run(
    "import json, sys, numpy as np\n" +
      "v = np.array(json.loads(sys.argv[1]), dtype=np.float64) * 1.7 - 5\n" +
      "a, b = np.percentile(v, [0.5, 99.7])\n" +
      "u = np.clip(np.rint((v - a) * 255 / (b - a)), 0, 255).astype(np.uint8)\n" +
      "json.dump([a, b, u.tolist()], sys.stdout)",
    JSON.stringify(stored),
  );
  const [low, high, bytes] = JSON.parse(printed);
  const exam = slice(stored, { slope: 1.7, intercept: -5 });
  assert.deepEqual(windowOf([exam]), { low, high });
  assert.deepEqual([...quantise(valuesOf(exam, { low, high }), { low, high })], bytes);
});

Deno.test("slices are made square: padded, averaged down, interpolated up", () => {
  const resample = (
    [rows, columns]: [number, number],
    spacing: [number, number],
    size: number,
    values: number[],
  ) =>
    Array.from(
      new SquareResampler({ rows, columns, spacing }, size)
        .resample(Float64Array.from(values), -1),
    );
  assert.deepEqual(resample([2, 2], [1, 1], 2, [1, 2, 3, 4]), [1, 2, 3, 4]);
  assert.deepEqual(resample([2, 2], [1, 1], 1, [1, 2, 3, 4]), [2.5]);
  // Columns are 2 mm apart, rows 1 mm: 4 rows are as high as 2 columns are wide.
  assert.deepEqual(resample([4, 2], [1, 2], 2, [1, 5, 3, 7, 1, 1, 1, 1]), [2, 6, 1, 1]);
  // One row of two pixels is padded to a square.
  assert.deepEqual(resample([1, 2], [1, 1], 2, [4, 8]), [4, 8, -1, -1]);
  assert.deepEqual(resample([3, 1], [1, 1], 3, [1, 2, 3]), [-1, 1, -1, -1, 2, -1, -1, 3, -1]);
  assert.deepEqual(resample([1, 2], [1, 1], 4, [0, 8]), [
    ...[0, 2, 6, 8],
    ...[0, 2, 6, 8],
    ...[-1, -1, -1, -1],
    ...[-1, -1, -1, -1],
  ]);
});

Deno.test("the mean of a slice stays when it is averaged down", () => {
  const values = Float64Array.from({ length: 320 * 320 }, (_, i) => (i * 7919) % 997);
  const small = new SquareResampler({ rows: 320, columns: 320, spacing: [1, 1] }, 256)
    .resample(values, 0);
  const mean = (of: Float64Array) => of.reduce((sum, value) => sum + value, 0) / of.length;
  assert.ok(Math.abs(mean(values) - mean(small)) < 1e-9);
});
