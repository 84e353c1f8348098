/** Changes of grey values against their formulas, written plainly; where they are drawn and when. */
import assert from "node:assert/strict";
import {
  biasField,
  changeGreyValues,
  drawPhotometric,
  gaussianNoise,
  type PhotometricChange,
  photometricValues,
} from "../../lib/data/photometric.ts";
import { createRandom } from "../../lib/random.ts";
import * as tf from "../support/tf.ts";
import { onEachEngine } from "../support/engines.ts";

const [SLICES, HEIGHT, WIDTH] = [3, 7, 5];
const COUNT = SLICES * HEIGHT * WIDTH;
/** The powers of x and y of each coefficient. */
const POWERS = [[0, 0], [0, 1], [0, 2], [0, 3], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1], [3, 0]];
const STILL: PhotometricChange = {
  ...{ brightness: 1, contrast: 1, gamma: 1, noiseStd: 0, noiseSeed: 7 },
  coefficients: POWERS.map(() => 0),
};
const RANGE = { brightness: 0.3, contrast: 0.3, logGamma: 0.5, noiseStd: 0.2, biasField: 0.3 };

/** Grey values of 20 to 220, both of which are there. */
function makeVoxels(): Uint8Array {
  const random = createRandom(1, "voxels");
  const voxels = Uint8Array.from({ length: COUNT }, () => random.integer(201) + 20);
  voxels.set([20, 220]);
  return voxels;
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** The formulas of docs/training.md, one after the other. */
function plain(voxels: ArrayLike<number>, change: PhotometricChange): number[] {
  const [least, largest] = [20, 220];
  const shares = Array.from(voxels, (value) => (value - least) / (largest - least));
  const mean = shares.reduce((sum, each) => sum + each) / shares.length;
  const noise = gaussianNoise(change.noiseSeed, COUNT);
  return shares.map((share, index) => {
    const column = index % WIDTH;
    const row = Math.floor(index / WIDTH) % HEIGHT;
    const [x, y] = [2 * column / (WIDTH - 1) - 1, 2 * row / (HEIGHT - 1) - 1];
    const polynomial = POWERS.reduce(
      (sum, [i, j], at) => sum + change.coefficients[at] * x ** i * y ** j,
      0,
    );
    const contrasted = mean + change.contrast * (share - mean);
    const value = clamp(change.brightness * contrasted) ** change.gamma;
    const uneven = value * Math.exp(polynomial);
    const noisy = clamp(uneven + change.noiseStd * noise[index]);
    return least + noisy * (largest - least);
  });
}

const whole = drawPhotometric(createRandom(5), RANGE)!;
const CASES: [name: string, change: PhotometricChange][] = [
  ["nothing", STILL],
  ["brightness", { ...STILL, brightness: 1.4 }],
  ["contrast", { ...STILL, contrast: 0.6 }],
  ["gamma", { ...STILL, gamma: 1.7 }],
  ["a bias field", { ...STILL, coefficients: POWERS.map((_, at) => (at - 4) / 20) }],
  ["noise", { ...STILL, noiseStd: 0.1 }],
  ["all of them", whole],
];

for (const [name, change] of CASES) {
  onEachEngine(`${name}: grey values are those of the formulas`, async () => {
    const voxels = makeVoxels();
    // As a model's intensity asks for, behind the change.
    const affine = { scale: 0.02, offset: -1.5 };
    const values = photometricValues({ id: "1", voxels }, change, affine);
    const changed = tf.tidy(() =>
      changeGreyValues(tf.tensor3d(Float32Array.from(voxels), [SLICES, HEIGHT, WIDTH]), values)
    );
    const actual = await changed.data();
    changed.dispose();
    plain(voxels, change).forEach((value, at) => {
      const expected = value * affine.scale + affine.offset;
      assert.ok(Math.abs(actual[at] - expected) < 2e-5, `${actual[at]} instead of ${expected}`);
    });
  });
}

Deno.test("a bias field is the same for every slice, and 1 where all coefficients are 0", () => {
  assert.deepEqual(biasField(STILL.coefficients, [4, 6]), new Float32Array(24).fill(1));
  const field = biasField(POWERS.map((_, at) => at === 4 ? 0.5 : 0), [3, 3]);
  const [low, high] = [Math.exp(-0.5), Math.exp(0.5)].map(Math.fround);
  assert.deepEqual([...field], [low, 1, high, low, 1, high, low, 1, high]);
});

Deno.test("the noise is normal, and follows from the seed and the voxel's index alone", () => {
  const noise = gaussianNoise(3, 100_000);
  const mean = noise.reduce((sum, each) => sum + each) / noise.length;
  const moment = (power: number) =>
    noise.reduce((sum, each) => sum + (each - mean) ** power, 0) / noise.length;
  // Each bound is five standard errors of that moment of a normal distribution.
  assert.ok(Math.abs(mean) < 5 * Math.sqrt(1 / 1e5), `mean ${mean}`);
  assert.ok(Math.abs(moment(2) - 1) < 5 * Math.sqrt(2 / 1e5), `variance ${moment(2)}`);
  assert.ok(Math.abs(moment(3)) < 5 * Math.sqrt(6 / 1e5), `third moment ${moment(3)}`);
  assert.ok(Math.abs(moment(4) - 3) < 5 * Math.sqrt(96 / 1e5), `fourth moment ${moment(4)}`);
  let together = 0;
  for (let at = 1; at < noise.length; at++) together += noise[at] * noise[at - 1];
  assert.ok(Math.abs(together / noise.length) < 5 * Math.sqrt(1 / 1e5), "neighbours depend");
  // Computed with Python's whole numbers.
  const known = [[0, 2.140303, -0.974851], [4294967295, 0.419637, -0.946829]];
  for (const [seed, ...expected] of known) {
    gaussianNoise(seed, 2).forEach((each, at) =>
      assert.ok(Math.abs(each - expected[at]) < 1e-6, `${each} instead of ${expected[at]}`)
    );
  }
  assert.deepEqual(gaussianNoise(3, 10), noise.slice(0, 10));
  assert.notDeepEqual(gaussianNoise(4, 10), noise.slice(0, 10));
});

Deno.test("a draw is within its range, and that of its stream", () => {
  for (let seed = 0; seed < 200; seed++) {
    const change = drawPhotometric(createRandom(seed), RANGE)!;
    assert.ok(Math.abs(change.brightness - 1) <= 0.3);
    assert.ok(Math.abs(change.contrast - 1) <= 0.3);
    assert.ok(Math.abs(Math.log(change.gamma)) <= 0.5);
    assert.ok(change.noiseStd >= 0 && change.noiseStd <= 0.2);
    assert.equal(change.coefficients.length, POWERS.length);
    assert.ok(change.coefficients.every((each) => Math.abs(each) <= 0.3));
    assert.deepEqual(drawPhotometric(createRandom(seed), RANGE), change);
  }
  assert.notDeepEqual(
    drawPhotometric(createRandom(1), RANGE),
    drawPhotometric(createRandom(2), RANGE),
  );
});

Deno.test("an option that is off changes nothing, and not what the others draw", () => {
  assert.equal(drawPhotometric(createRandom(1), {}), undefined);
  const off = { brightness: 0, contrast: 0, logGamma: 0, noiseStd: 0, biasField: 0 };
  assert.equal(drawPhotometric(createRandom(1), off), undefined);
  const all = drawPhotometric(createRandom(1), RANGE)!;
  const { brightness, contrast, gamma, noiseStd, coefficients } = drawPhotometric(
    createRandom(1),
    { logGamma: RANGE.logGamma },
  )!;
  assert.deepEqual([brightness, contrast, gamma, noiseStd], [1, 1, all.gamma, 0]);
  assert.ok(coefficients.every((each) => each === 0));
});

Deno.test("an exam of one value stays, and one that single precision cannot hold is refused", () => {
  const { before, after } = photometricValues(
    { id: "1", voxels: new Uint8Array(8).fill(9) },
    { ...whole, contrast: 1.2 },
    { scale: 1, offset: 0 },
  );
  assert.deepEqual([before.scale, Math.abs(before.offset)], [0, 0]);
  assert.deepEqual(after, { scale: 0, offset: 9 });
  assert.throws(
    () =>
      photometricValues({ id: "0007", voxels: Float32Array.of(-3e38, 3e38) }, whole, {
        ...{ scale: 1, offset: 0 },
      }),
    {
      name: "DataError",
      message: "Cannot change the grey values of exam '0007' at random: they go from " +
        `${Math.fround(-3e38)} to ${Math.fround(3e38)}, which do not fit into single precision: ` +
        "export it with other units",
    },
  );
});
