import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/data/npy.ts";
import { decodeExam } from "../../lib/serve/exams.ts";
import { SERVE_LIMITS } from "../../lib/serve/options.ts";

/** Bytes that count how often the text of their header is taken out of them. */
class Watched extends Uint8Array {
  static headers = 0;

  override subarray(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
    if (begin === 10) Watched.headers++;
    return super.subarray(begin, end);
  }
}

Deno.test("the header of an exam that was sent is parsed once, and its size checked by it", () => {
  const bytes = new Watched(encodeNpy(new Float64Array(3 * 64 * 80), [3, 64, 80]));
  const { slices, height, width } = decodeExam(bytes, "body", SERVE_LIMITS);
  assert.deepEqual([slices, height, width, Watched.headers], [3, 64, 80, 1]);
  assert.throws(() => decodeExam(bytes, "body", { ...SERVE_LIMITS, voxels: 10_000 }), {
    name: "Problem",
    message: /it has 3 slices of 64x80 pixels, 15360 voxels: at most 10000 are taken/,
  });
});
