import assert from "node:assert/strict";
import { affineOf } from "../../lib/data/intensity.ts";

Deno.test("raw leaves the values as they are", () => {
  assert.deepEqual(affineOf({ voxels: Uint8Array.of(3, 200) }, "raw"), { scale: 1, offset: 0 });
});

Deno.test("standardized stretches an exam to 0–255 and takes MRNet's mean and spread off", () => {
  const voxels = Float32Array.of(-10, 0, 30, 90);
  const { scale, offset } = affineOf({ voxels }, "standardized");
  voxels.forEach((value) => {
    const expected = ((value + 10) / 100 * 255 - 58.09) / 49.73;
    assert.ok(Math.abs(value * scale + offset - expected) < 1e-12);
  });
});

Deno.test("an exam of one value has nothing to stretch", () => {
  const { scale, offset } = affineOf({ voxels: Uint8Array.of(7, 7) }, "standardized");
  assert.deepEqual([scale, offset], [0, -58.09 / 49.73]);
});

Deno.test("bytes and floats of the same values are stretched alike", () => {
  for (const values of [[255, 0, 7], [0, 255, 3], [5, 250, 0], [9, 8, 255], [0, 0, 1], [4, 3, 2]]) {
    assert.deepEqual(
      affineOf({ voxels: Uint8Array.from(values) }, "standardized"),
      affineOf({ voxels: Float32Array.from(values) }, "standardized"),
    );
    const [least, largest] = [Math.min(...values), Math.max(...values)];
    const { scale } = affineOf({ voxels: Uint8Array.from(values) }, "standardized");
    assert.ok(Math.abs(scale - 255 / (largest - least) / 49.73) < 1e-12);
  }
});
