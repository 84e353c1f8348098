/**
 * Histogram standardisation by landmarks, against numbers that NumPy gave.
 */
import assert from "node:assert/strict";
import {
  LANDMARK_PERCENTILES,
  type Landmarks,
  landmarksOf,
  mapToLandmarks,
  meanLandmarks,
  parseLandmarks,
} from "../../lib/data/landmarks.ts";
import { testWithPython } from "../support/python.ts";

/** Three exams of 4096 voxels with different units: what `exam(seed)` of the Python below gives. */
function exam(seed: number): Float32Array {
  const value = (i: number) => ((i * i * 31 + seed * 977) % 2777) / (2 + seed) + 100 * seed;
  return Float32Array.from({ length: 4096 }, (_, i) => value(i));
}

const EXAMS = [0, 1, 2].map(exam);

/** The definition, written as shortly as NumPy allows. */
const PYTHON = `
import json, sys, numpy as np

def exam(seed):
    i = np.arange(4096)
    return (((i * i * 31 + seed * 977) % 2777) / (2 + seed) + 100 * seed).astype(np.float32).astype(float)

def landmarks(v):
    low, high = np.percentile(v, [0.5, 99.7])
    v = np.clip(v, low, high)
    return np.r_[low, np.percentile(v[v > v.mean()], range(10, 100, 10)), high]

own = [landmarks(exam(seed)) for seed in (0, 1, 2)]
scale = np.mean([(each - each[0]) * 255 / (each[-1] - each[0]) for each in own], axis=0)
mapped = np.clip(np.rint(np.interp(exam(1), own[1], scale)), 0, 255)
json.dump([[each.tolist() for each in own], scale.tolist(), mapped.tolist()], sys.stdout)
`;

/** The same by this toolkit. */
function standardized(): [own: number[][], scale: number[], mapped: number[]] {
  const own = EXAMS.map((voxels) => landmarksOf(voxels)!);
  const scale = meanLandmarks(own, { type: "float32", stretch: true })!;
  return [own, [...scale.values], [...mapToLandmarks(EXAMS[1], scale, "map")]];
}

function assertNear(actual: readonly number[], expected: readonly number[], by: number): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, at) => {
    assert.ok(Math.abs(value - expected[at]) <= by, `${at}: ${value}, not ${expected[at]}`);
  });
}

Deno.test("landmarks, the scale that they make, and a mapped exam are NumPy's", () => {
  const [own, scale, mapped] = standardized();
  assertNear(own[0], [
    ...[7.5, 760, 830.5, 907.5, 988.5, 1051.5, 1119.2, 1195.15, 1255.5, 1320.1, 1384],
  ], 1e-9);
  assertNear(own[2], [
    ...[206.34375, 591.875, 622.25, 655.25, 689, 723.25, 756.25, 786.375, 826, 859, 889.5],
  ], 1e-9);
  assertNear(scale, [
    ...[0, 141.339015202, 153.525994841, 166.440963822, 180.439009694, 193.171114712],
    ...[205.72843848, 218.109440938, 230.870074908, 243.174074746, 255],
  ], 1e-5);
  assert.deepEqual(mapped.slice(0, 16), [
    ...[90, 93, 101, 116, 136, 162, 193, 231, 16, 65, 120, 181, 246, 60, 138, 222],
  ]);
  assert.equal(mapped.reduce((sum, value) => sum + value), 520033);
});

testWithPython("every landmark and every voxel is NumPy's", ["numpy"], async (run) => {
  const [own, scale, mapped] = JSON.parse(await run(PYTHON));
  const ours = standardized();
  ours[0].forEach((each, at) => assertNear(each, own[at], 1e-9));
  assertNear(ours[1], scale, 1e-9);
  assert.deepEqual(ours[2], mapped);
});

Deno.test("bytes are counted as numbers are sorted", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 7) % 223);
  assert.deepEqual(landmarksOf(bytes), landmarksOf(Float32Array.from(bytes)));
  const scale = meanLandmarks([landmarksOf(bytes)!], { type: "uint8", stretch: true })!;
  const floats = mapToLandmarks(Float32Array.from(bytes), scale, "map");
  assert.deepEqual(mapToLandmarks(bytes, scale, "map"), floats);
});

Deno.test("an exam in other units, cut off at the ends or not, is mapped to the same values", () => {
  const values = EXAMS[0];
  const [low, , , , , , , , , , high] = landmarksOf(values)!;
  const cut = values.map((value) => (Math.min(Math.max(value, low), high) - low) * 3 - 40);
  const scale = meanLandmarks([landmarksOf(EXAMS[2])!], { type: "float32", stretch: false })!;
  const [one, other] = [values, cut].map((each) => mapToLandmarks(each, scale, "map"));
  values.forEach((value, at) => {
    // What was cut off cannot come back.
    if (value >= low && value <= high) assertNear([other[at]], [one[at]], 1e-3);
  });
});

Deno.test("beyond the ends the first and the last piece go on; bytes are cut off at 0 and 255", () => {
  const voxels = Float32Array.from({ length: 2001 }, (_, i) => i);
  const own = landmarksOf(voxels)!;
  const scale = (type: Landmarks["type"]): Landmarks => ({
    ...{ type, exams: 1, percentiles: LANDMARK_PERCENTILES },
    values: own.map((value) => value / 8),
  });
  assertNear(
    [...mapToLandmarks(voxels, scale("float32"), "map")],
    [...voxels.map((v) => v / 8)],
    1e-4,
  );
  const bytes = mapToLandmarks(
    voxels.map((v) => v * 2 - 9),
    { ...scale("uint8"), values: own },
    "map",
  );
  assert.deepEqual([bytes[0], bytes[10], bytes[200], bytes[300]], [0, 10, 200, 255]);
});

Deno.test("exams on a common scale keep it; an exam with equal landmarks is mapped all the same", () => {
  // More than a tenth of the foreground is white, so its last landmarks are equal.
  const white = Uint8Array.from({ length: 4000 }, (_, i) => i % 4 === 0 ? 255 : i % 200);
  const own = landmarksOf(white)!;
  assert.equal(own[9], own[10]);
  const scale = meanLandmarks([own], { type: "uint8", stretch: false })!;
  assert.deepEqual(scale.values, own);
  assert.deepEqual(mapToLandmarks(white, scale, "map"), white);
});

Deno.test("an exam of one value, or nearly, has no landmarks and is refused", () => {
  const constant = new Uint8Array(4096).fill(7);
  const speck = Float32Array.from(constant);
  speck[5] = 900;
  const scale = meanLandmarks([landmarksOf(EXAMS[0])!], { type: "uint8", stretch: true })!;
  for (const voxels of [constant, speck]) {
    assert.equal(landmarksOf(voxels), undefined);
    assert.throws(() => mapToLandmarks(voxels, scale, "standardize exam '0007'"), {
      name: "DataError",
      message: "Cannot standardize exam '0007': the 0.5th and the 99.7th percentile of its grey " +
        "values are the same, so its histogram has no landmarks: export it again, or leave it out",
    });
  }
  assert.equal(meanLandmarks([], { type: "uint8", stretch: false }), undefined);
});

Deno.test("what is written of landmarks is read back to the bit, and nothing else is read", () => {
  const scale = meanLandmarks(EXAMS.map((voxels) => landmarksOf(voxels)!), {
    ...{ type: "float32", stretch: false },
  })!;
  const written = JSON.parse(JSON.stringify(scale));
  assert.deepEqual(parseLandmarks(written), scale);
  assert.equal(scale.exams, 3);
  const falling = written.values.with(4, written.values[3] - 1);
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ values: falling }, /^RangeError: 11 values that rise are needed$/],
    [{ values: written.values.map(() => 3) }, /11 values that rise/],
    [{ values: written.values.slice(1) }, /11 values that rise/],
    [{ values: written.values.with(2, "130") }, /11 values that rise/],
    [{ values: written.values.with(10, null) }, /11 values that rise/],
    [{ values: "rising" }, /11 values that rise/],
    [{ percentiles: [1, 99] }, /the percentiles 0\.5, 10, .*, 99\.7 are needed/],
    [{ type: "int8" }, /the type must be one of uint8, float32/],
    [{ exams: 0 }, /the number of exams must be 1 or more/],
  ];
  for (const [damage, message] of cases) {
    assert.throws(() => parseLandmarks({ ...written, ...damage }), message);
  }
});
