/**
 * The sketches, by which the reference numbers stand for tensors too large to keep, tell how large a
 * difference is.
 */
import assert from "node:assert/strict";
import { createRandom } from "../../lib/random.ts";
import { sketch } from "../support/seeded.ts";

const OPTIONS = { seed: 1000, buckets: 64, samples: 16 };

/** Ways to differ, from a single value to all of them. */
const CHANGES: Record<string, (data: Float32Array) => void> = {
  "one value is off": (data) => data[12345] += 0.5,
  "all values are off a little": (data) => {
    const random = createRandom(6);
    data.forEach((value, i) => data[i] = value + random.uniform(-0.01, 0.01));
  },
  "two rows change places": (data) => data.set([...data.slice(100, 200), ...data.slice(0, 100)]),
  "every value is at its neighbour's index": (data) => data.copyWithin(1, 0),
  "the scale is wrong": (data) => data.forEach((value, i) => data[i] = value * 1.001),
  "the sign is wrong": (data) => data.forEach((value, i) => data[i] = -value),
  "nothing is there": (data) => data.fill(0),
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`a sketch tells the size of a difference: ${what}`, () => {
    const random = createRandom(5);
    const theirs = Float32Array.from({ length: 50_000 }, () => random.uniform(-1, 1));
    const ours = theirs.slice();
    change(ours);
    const truth = Math.hypot(...ours.map((value, i) => value - theirs[i]));
    for (let index = 0; index < 12; index++) {
      const [a, b] = [ours, theirs].map((data) => sketch(data, index, OPTIONS).sketch);
      const estimate = Math.hypot(...a.map((sum, i) => sum - b[i]));
      // Five times the 9 % that an estimate from 64 buckets scatters by.
      assert(Math.abs(estimate / truth - 1) < 0.45, `${estimate} for ${truth}`);
    }
  });
}
