/**
 * Measures what augmentation costs in sharpness: the reference resamples a slice twice, to rotate and to
 * shift it, this toolkit once. Prints the share of the gradient's energy that is left, over many draws.
 *
 * ```sh
 * deno run -A tools/resampling.ts
 * ```
 */

// deno-lint-ignore-file no-console -- it prints what it measured
import { drawAugmentation, sourceOf } from "../lib/data/augment.ts";
import { renderPhantom } from "../lib/phantom/mod.ts";
import { createRandom } from "../lib/random.ts";

const SIZE = 256;
const DRAWS = 50;

type Matrix = ReturnType<typeof sourceOf>;

const knee = renderPhantom({
  ...{ seed: 12, exam: "resampling", size: SIZE, slices: 3 },
  findings: { abnormal: 1, acl: 1, meniscus: 0 },
});
const { voxels } = knee.sagittal;
const slice = Float64Array.from(voxels.subarray(SIZE * SIZE, 2 * SIZE * SIZE));

/** Resamples bilinearly; beyond the edge the edge's pixels repeat. */
function resample(image: Float64Array, [a, b, c, d, e, f]: Matrix): Float64Array {
  const clamp = (at: number) => Math.min(SIZE - 1, Math.max(0, at));
  const out = new Float64Array(image.length);
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      const x = a * column + b * row + c;
      const y = d * column + e * row + f;
      const [x0, y0] = [Math.floor(x), Math.floor(y)];
      const at = (dx: number, dy: number) => image[clamp(y0 + dy) * SIZE + clamp(x0 + dx)];
      const [right, down] = [x - x0, y - y0];
      const upper = at(0, 0) * (1 - right) + at(1, 0) * right;
      const lower = at(0, 1) * (1 - right) + at(1, 1) * right;
      out[row * SIZE + column] = upper * (1 - down) + lower * down;
    }
  }
  return out;
}

/** The sum of squared differences of neighbours, in the middle that no draw shifts out of the picture. */
function energy(image: Float64Array): number {
  let sum = 0;
  for (let row = SIZE / 4; row < 3 * SIZE / 4; row++) {
    for (let column = SIZE / 4; column < 3 * SIZE / 4; column++) {
      const at = row * SIZE + column;
      sum += (image[at + 1] - image[at]) ** 2 + (image[at + SIZE] - image[at]) ** 2;
    }
  }
  return sum;
}

const size = [SIZE, SIZE] as const;
const rest = { down: 0, right: 0, flip: false };
const shares = { once: 0, twice: 0 };
for (let draw = 0; draw < DRAWS; draw++) {
  const drawn = { ...drawAugmentation(createRandom(draw, "augment"), size), flip: false };
  // The same movement without a loss: whole pixels, no rotation, so that the same tissue is compared.
  const moved = {
    ...drawn,
    degrees: 0,
    down: Math.round(drawn.down),
    right: Math.round(drawn.right),
  };
  const whole = energy(resample(slice, sourceOf(moved, size)));
  shares.once += energy(resample(slice, sourceOf(drawn, size))) / whole / DRAWS;
  const rotated = resample(slice, sourceOf({ ...rest, degrees: drawn.degrees }, size));
  const shifted = resample(rotated, sourceOf({ ...drawn, degrees: 0 }, size));
  shares.twice += energy(shifted) / whole / DRAWS;
}
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
console.log(`gradient energy left, mean of ${DRAWS} draws on a slice of ${SIZE}×${SIZE}:`);
console.log(`  rotated and shifted in one pass  ${percent(shares.once)}`);
console.log(`  rotated, then shifted            ${percent(shares.twice)}`);
console.log(`  the second of the first          ${percent(shares.twice / shares.once)}`);
