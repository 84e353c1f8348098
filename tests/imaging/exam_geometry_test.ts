/**
 * Where the pixels of an exam lie in the patient, once its series was turned and made square.
 */
import assert from "node:assert/strict";
import { FrameDecoder } from "../../lib/imaging/dicom/decoder.ts";
import { type ExamGeometry, geometryOf } from "../../lib/imaging/exam_geometry.ts";
import { ImagingFiles } from "../../lib/imaging/files.ts";
import { findSeries, type FoundSeries } from "../../lib/imaging/found.ts";
import { cross, dot, unit, type Vector } from "../../lib/imaging/geometry.ts";
import { examOfSeries } from "../../lib/imaging/volume.ts";
import type { Plane } from "../../lib/terms.ts";
import { dicomSlice, type DicomValue } from "../support/dicom.ts";
import { niftiFile, type NiftiSpec } from "../support/nifti.ts";

/** A series as a scanner may store it. */
interface Scan {
  rows: number;
  columns: number;
  spacing: [rows: number, columns: number];
  across: Vector;
  down: Vector;
  /** Where the first pixel of each slice lies. */
  positions: readonly Vector[];
  value?(position: Vector): number;
  elements?: Record<string, DicomValue | undefined>;
}

/** Hands over the one series of files. */
async function withSeries<T>(
  given: { name: string; bytes: Uint8Array<ArrayBuffer> }[],
  use: (series: FoundSeries) => T | Promise<T>,
): Promise<T> {
  using files = await ImagingFiles.find(given);
  const { series, skipped } = await findSeries(files);
  assert.deepEqual([series.length, skipped], [1, []]);
  return await use(series[0]);
}

function filesOf({ rows, columns, spacing, across, down, positions, value, elements }: Scan) {
  const step = (from: Vector, direction: Vector, length: number): Vector => [
    from[0] + length * direction[0],
    from[1] + length * direction[1],
    from[2] + length * direction[2],
  ];
  return positions.map((position, slice) => ({
    name: `${slice}.dcm`,
    bytes: new Uint8Array(dicomSlice({
      ...{ rows, columns },
      values: value && Array.from({ length: rows * columns }, (_, pixel) => {
        const row = step(position, down, spacing[0] * Math.floor(pixel / columns));
        return value(step(row, across, spacing[1] * (pixel % columns)));
      }),
      elements: {
        "0020,0013 IS": `${slice}`,
        "0020,0032 DS": position.join("\\"),
        "0020,0037 DS": [...across, ...down].join("\\"),
        "0020,0052 UI": "2.25.5",
        "0028,0030 DS": spacing.join("\\"),
        ...elements,
      },
    })),
  }));
}

const geometryOfScan = (scan: Scan, plane: Plane): Promise<ExamGeometry | undefined> =>
  withSeries(filesOf(scan), (series) => geometryOf(series, plane));

/** Sagittal, as MRNet's are: nothing is turned and nothing resampled. */
const AS_MRNET: Scan = {
  ...{ rows: 256, columns: 256, spacing: [0.5, 0.5] },
  ...{ across: [0, 1, 0], down: [0, 0, -1] },
  positions: [[10, -60, 64], [14, -60, 64], [18, -60, 64]],
};

Deno.test("an exam that is neither turned nor resampled lies where its files say", async () => {
  const { frame, ...lies } = (await geometryOfScan(AS_MRNET, "sagittal"))!;
  assert.deepEqual(lies, {
    pixel: 0.5,
    directions: [[0, 1, 0], [0, 0, -1]],
    positions: [[10, -60, 64], [18, -60, 64]],
  });
  assert.match(frame!, /^[0-9a-f]{16}$/);
});

Deno.test("a series that is stored upside down, mirrored and from the left lies in the same way", async () => {
  const stored: Scan = {
    ...AS_MRNET,
    ...{ across: [0, -1, 0], down: [0, 0, 1] },
    // From the corner opposite: 255 pixels of half a millimetre away.
    positions: AS_MRNET.positions.map(([x, y, z]): Vector => [x, y + 127.5, z - 127.5]).reverse(),
  };
  const upright = await geometryOfScan(AS_MRNET, "sagittal");
  assert.deepEqual(await geometryOfScan(stored, "sagittal"), upright);
  // Rows as columns: the corner is the same.
  const transposed: Scan = { ...AS_MRNET, across: [0, 0, -1], down: [0, 1, 0] };
  assert.deepEqual(await geometryOfScan(transposed, "sagittal"), upright);
});

Deno.test("pixels that are averaged, interpolated and padded have the size and centre that they should", async () => {
  // Two by two become one, whose centre lies between theirs.
  const fine = await geometryOfScan({
    ...AS_MRNET,
    ...{ rows: 512, columns: 512, spacing: [0.3, 0.3] },
  }, "sagittal");
  assert.equal(fine!.pixel, 0.6);
  assert.deepEqual(fine!.positions![0], [10, -59.85, 63.85]);
  // One becomes two by two.
  const coarse = await geometryOfScan({
    ...AS_MRNET,
    ...{ rows: 128, columns: 128, spacing: [1, 1] },
  }, "sagittal");
  assert.equal(coarse!.pixel, 0.5);
  assert.deepEqual(coarse!.positions![0], [10, -60.25, 64.25]);
  // 128 pixels high of one millimetre, 64 wide of half: 192 are padded, 96 of them on the left.
  const narrow = await geometryOfScan({
    ...AS_MRNET,
    ...{ rows: 128, columns: 64, spacing: [1, 0.5] },
  }, "sagittal");
  assert.equal(narrow!.pixel, 0.5);
  assert.deepEqual(narrow!.positions![0], [10, -60 - 96 * 0.5, 64.25]);
});

/** Where a position is seen in an exam: pixels across and down, and the slice, of first and last. */
function seenAt(
  { pixel, directions, positions }: ExamGeometry,
  slices: number,
  position: Vector,
): [across: number, down: number, slice: number] {
  const [first, last] = [positions![0], positions!.at(-1)!];
  const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  const [across, down] = directions!;
  const normal = cross(across, down);
  const slice = (slices - 1) * dot(normal, minus(position, first)) /
    dot(normal, minus(last, first));
  const share = slice / (slices - 1);
  const origin: Vector = [
    first[0] + share * (last[0] - first[0]),
    first[1] + share * (last[1] - first[1]),
    first[2] + share * (last[2] - first[2]),
  ];
  const from = minus(position, origin);
  return [dot(across, from) / pixel!, dot(down, from) / pixel!, slice];
}

/** Where the bright spot of an exam is: the centre of gravity of what is brighter than half. */
function centreOf(data: Uint8Array, side: number): [across: number, down: number, slice: number] {
  let weight = 0;
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value < 128) continue;
    weight += value;
    sum[0] += value * (i % side);
    sum[1] += value * (Math.floor(i / side) % side);
    sum[2] += value * Math.floor(i / side ** 2);
  }
  return [sum[0] / weight, sum[1] / weight, sum[2] / weight];
}

/** A series of 12 slices around a point, tilted, of its own size; the slices run along its normal or against it. */
function around(
  target: Vector,
  { across, down, forwards }: { across: Vector; down: Vector; forwards: boolean },
): Scan {
  const [a, d] = [unit(across)!, unit(down)!];
  const normal = cross(a, d);
  const sign = forwards ? 1 : -1;
  const [rows, columns] = [150, 110];
  const spacing: [number, number] = [0.9, 0.6];
  // Not through the middle, and shifted from slice to slice, as some scanners' slices are.
  const positions = Array.from({ length: 12 }, (_, slice): Vector => {
    const [along, right, below] = [sign * (3.3 * slice - 16), -40 + 0.2 * slice, -70];
    const axis = (i: 0 | 1 | 2) => target[i] + along * normal[i] + right * a[i] + below * d[i];
    return [axis(0), axis(1), axis(2)];
  });
  return { rows, columns, spacing, across: a, down: d, positions };
}

Deno.test("a bright point is seen where the geometry of its exam has it, however the series lies", async () => {
  const target: Vector = [12.4, -33.1, 207.8];
  const lies: [Plane, Vector, Vector][] = [
    ["sagittal", [0, 1, 0], [0, 0, -1]],
    ["sagittal", [0.2, 1, 0.1], [0.05, 0.1 - 0.11 / 1.05, -1]],
    ["sagittal", [0, 0, 1], [0, -1, 0]],
    ["coronal", [1, 0.3, 0], [0, 0, -1]],
    ["coronal", [0, 0, 1], [-1, 0.2, 0]],
    ["axial", [-1, 0, 0.25], [0, -1, 0]],
    ["axial", [0.3, 1, 0], [1, -0.3, 0.1]],
  ];
  for (const [plane, across, down] of lies) {
    for (const forwards of [true, false]) {
      // At right angles, as a scanner's are.
      const a = unit(across)!;
      const along = dot(a, down);
      const right: Vector = [
        down[0] - along * a[0],
        down[1] - along * a[1],
        down[2] - along * a[2],
      ];
      const scan = around(target, { across, down: right, forwards });
      const value = (position: Vector) => {
        const distance = Math.hypot(...position.map((x, axis) => x - target[axis]));
        return Math.round(4000 * Math.exp(-((distance / 6) ** 2)));
      };
      const [geometry, exam] = await withSeries(filesOf({ ...scan, value }), async (series) => {
        assert.equal(series.facts.plane, plane);
        using decoder = new FrameDecoder();
        return [geometryOf(series, plane)!, await examOfSeries(series, decoder)];
      });
      const found = centreOf(exam.data, 256);
      const expected = seenAt(geometry, 12, target);
      const shown = `${plane} ${across} ${down}: ${found} and not ${expected}`;
      assert.ok(Math.abs(found[0] - expected[0]) < 0.6, shown);
      assert.ok(Math.abs(found[1] - expected[1]) < 0.6, shown);
      assert.ok(Math.abs(found[2] - expected[2]) < 0.25, shown);
      // What is on the left and on top of MRNet's exams is there.
      const [x, y] = geometry.directions!;
      assert.ok(plane === "sagittal" ? x[1] > 0.8 : x[0] > 0.8);
      assert.ok(plane === "axial" ? y[1] > 0.8 : y[2] < -0.8);
    }
  }
});

Deno.test("slices at unequal distances are written one by one", async () => {
  const positions: Vector[] = [[0, 0, 0], [4, 0, 0], [12, 0, 0]];
  const geometry = await geometryOfScan({ ...AS_MRNET, positions }, "sagittal");
  assert.deepEqual(geometry!.positions, positions);
  const alone = await geometryOfScan({ ...AS_MRNET, positions: [[4, 0, 0]] }, "sagittal");
  assert.deepEqual(alone!.positions, [[4, 0, 0]]);
});

Deno.test("what the files do not say is not known", async () => {
  const without = (...tags: string[]) =>
    geometryOfScan({
      ...AS_MRNET,
      elements: Object.fromEntries(tags.map((tag) => [tag, undefined])),
    }, "sagittal");
  const directions = [[0, 1, 0], [0, 0, -1]];
  // A spacing of 1 that stands for none is no size.
  assert.deepEqual(await without("0028,0030 DS"), { directions });
  assert.deepEqual(await without("0020,0037 DS"), { pixel: 0.5 });
  assert.deepEqual(await without("0020,0032 DS"), { pixel: 0.5 });
  assert.equal(await without("0020,0037 DS", "0028,0030 DS"), undefined);
  assert.equal((await without("0020,0052 UI"))!.frame, undefined);
  assert.deepEqual((await without("0020,0052 UI"))!.positions!.length, 2);
});

Deno.test("what cannot be true counts as not said, so that a table of it can be read again", async () => {
  const directions = [[0, 1, 0], [0, 0, -1]];
  for (const far of [1e9, 1e30]) {
    const positions = AS_MRNET.positions.map(([x, y]): Vector => [x, y, far]);
    const geometry = await geometryOfScan({ ...AS_MRNET, positions }, "sagittal");
    assert.deepEqual(geometry, { pixel: 0.5, directions });
  }
  for (const size of [1e-9, 1e9]) {
    const geometry = await geometryOfScan({ ...AS_MRNET, spacing: [size, size] }, "sagittal");
    assert.deepEqual(geometry, { directions });
  }
  const nowhere = AFFINE.map((row) => row.with(3, NaN));
  assert.deepEqual(await geometryOfNifti({ affine: nowhere }), { pixel: 0.5, directions });
});

Deno.test("positions can be compared within a study and one frame of reference", async () => {
  const frameWith = async (elements: Record<string, DicomValue>) =>
    (await geometryOfScan({ ...AS_MRNET, elements }, "sagittal"))!.frame;
  const frame = await frameWith({});
  assert.equal(await frameWith({ "0020,000E UI": "2.25.77" }), frame, "another series");
  assert.notEqual(await frameWith({ "0020,0052 UI": "2.25.6" }), frame, "the patient was moved");
  assert.notEqual(await frameWith({ "0020,000D UI": "2.25.78" }), frame, "another study");
  // Slices of one series that do not agree have none.
  const [first, ...others] = filesOf(AS_MRNET);
  const [moved] = filesOf({ ...AS_MRNET, elements: { "0020,0052 UI": "2.25.6" } });
  assert.notDeepEqual(first.bytes, moved.bytes);
  const mixed = await withSeries([moved, ...others], (series) => geometryOf(series, "sagittal"));
  assert.equal(mixed!.frame, undefined);
  assert.equal(mixed!.positions!.length, 2);
});

const geometryOfNifti = (more: Partial<NiftiSpec>): Promise<ExamGeometry | undefined> =>
  withSeries([{
    name: "knee.nii",
    bytes: niftiFile({ size: [128, 128, 3], values: new Uint8Array(128 * 128 * 3), ...more }),
  }], (series) => geometryOf(series, "sagittal"));

/** Columns run to the front, rows to the head, slices to the left: NIfTI counts to the right. */
const AFFINE = [[0, 0, -4, -20], [1, 0, 0, -64], [0, 1, 0, -64]];

Deno.test("a NIfTI file's geometry is its affine's", async () => {
  for (const version of [1, 2] as const) {
    const { frame, ...lies } = (await geometryOfNifti({ affine: AFFINE, version }))!;
    assert.deepEqual(lies, {
      pixel: 0.5,
      directions: [[0, 1, 0], [0, 0, -1]],
      // Of the front and the top; a pixel is halved.
      positions: [[20, -63.25, 63.25], [28, -63.25, 63.25]],
    });
    assert.match(frame!, /^[0-9a-f]{16}$/);
  }
  const reversed = AFFINE.map(([x, y, z, t]) => [x, y, -z, t]);
  const back = (await geometryOfNifti({ affine: reversed }))!;
  assert.deepEqual(back.positions, [[12, -63.25, 63.25], [20, -63.25, 63.25]]);
  const micrometres = AFFINE.map((row) => row.map((each) => 1000 * each));
  for (const version of [1, 2] as const) {
    const small = await geometryOfNifti({ affine: micrometres, units: 3, version });
    assert.deepEqual([small!.pixel, small!.positions![0]], [0.5, [20, -63.25, 63.25]]);
  }
  // Of an atlas, or of another file.
  for (const code of [2, 3, 4]) {
    const other = await geometryOfNifti({ affine: AFFINE, code });
    assert.deepEqual([other!.frame, other!.pixel], [undefined, 0.5]);
  }
});

Deno.test("a NIfTI file without an affine has no directions, and one without distances no size", async () => {
  assert.deepEqual(await geometryOfNifti({}), { pixel: 0.25 });
  assert.deepEqual(await geometryOfNifti({ units: 1, distances: [5e-4, 5e-4, 3e-3] }), {
    pixel: 0.25,
  });
  assert.equal(await geometryOfNifti({ distances: [0, 0, 0] }), undefined);
  assert.equal(await geometryOfNifti({ distances: [0.5, 0, 3] }), undefined);
});
