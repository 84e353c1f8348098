import assert from "node:assert/strict";
import { checkExamHeader } from "../../lib/data/exam.ts";
import { oddityOf } from "../../lib/data/oddity.ts";

const SIZE = { slices: 2, height: 64, width: 64 };

function exam(least: number, largest: number) {
  const voxels = new Float32Array(2 * 64 * 64).fill(least);
  voxels[77] = largest;
  return { ...SIZE, voxels };
}

Deno.test("grey values far from 0–255 are named by what they may be, for raw models only", () => {
  const cases: [number, number, RegExp | undefined][] = [
    [-2.25, 7.5, /^its values go from -2\.25 to 7\.5, as z-scores do, where 0–255 are expected$/],
    [-1, 0, /z-scores/],
    [0, 1, /divi/],
    [0.25, 0.5, /divi/],
    [0, 256, /12 bits/],
    [0, 4095, /12 bits/],
    [3, 4096, /16 bits/],
    [0, 65535, /16 bits/],
    [0, 255, undefined],
    [0, 1.5, undefined],
    [12, 40, undefined],
    // One value throughout is an empty exam, not another range.
    [0, 0, undefined],
    [-1, -1, undefined],
    [1000, 1000, undefined],
  ];
  for (const [least, largest, said] of cases) {
    const odd = oddityOf(exam(least, largest), "raw");
    if (said === undefined) assert.equal(odd, undefined, `${least} to ${largest}`);
    else assert.match(odd!, said);
    assert.equal(oddityOf(exam(least, largest), "standardized"), undefined);
  }
});

Deno.test("no value of uint8 is odd, and none is looked at", () => {
  const voxels = new Proxy(new Uint8Array(2 * 64 * 64).fill(1), {
    get(target, name) {
      assert.ok(typeof name === "symbol", `'${String(name)}' was asked for`);
      return Reflect.get(target, name);
    },
  });
  assert.equal(oddityOf({ ...SIZE, voxels }, "raw"), undefined);
});

Deno.test("slices may be last where the first two axes are as long and the last is not", () => {
  const of = (slices: number, height: number, width: number) =>
    oddityOf({ slices, height, width, voxels: new Uint8Array() }, "standardized");
  assert.match(
    of(256, 256, 80)!,
    /^its shape is \(256, 256, 80\), so the slices may be its last axis/,
  );
  assert.match(of(64, 64, 256)!, /numpy\.moveaxis\(array, -1, 0\)/);
  assert.throws(
    () => checkExamHeader({ shape: [256, 256, 30], dtype: "uint8" }, "a.npy"),
    /256x30 pixels.*with the slices as first axis/,
  );
  for (const [slices, height, width] of [[30, 256, 256], [256, 256, 256], [64, 96, 64]]) {
    assert.equal(of(slices, height, width), undefined);
  }
});
