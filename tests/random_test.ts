import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { createRandom, drawSeed } from "../lib/random.ts";

const take = <T>(count: number, draw: () => T) => Array.from({ length: count }, () => draw());

Deno.test("without a path the bits are those of the Mersenne Twister, as NumPy seeds it", () => {
  // numpy.random.RandomState(seed).randint(0, 2**32, 4, dtype="uint32")
  assert.deepEqual(take(4, createRandom(0).bits), [2357136044, 2546248239, 3071714933, 3626093760]);
  assert.deepEqual(take(4, createRandom(5489).bits), [
    3499211612,
    581869302,
    3890346734,
    3586334585,
  ]);
});

Deno.test("without a path uniform gives the numbers of torch.rand", () => {
  // torch.manual_seed(0); torch.rand(4)
  const drawn = take(4, createRandom(0).uniform).map((value) => value.toFixed(4));
  assert.deepEqual(drawn, ["0.4963", "0.7682", "0.0885", "0.1320"]);
});

Deno.test("the same seed and path give the same stream, another seed or path another one", () => {
  const stream = (seed: number, ...path: (string | number)[]) =>
    take(8, createRandom(seed, ...path).bits).join();
  assert.equal(stream(7, "shuffle", 3), stream(7, "shuffle", 3));
  const others = [
    stream(7),
    stream(7, "shuffle"),
    stream(7, "shuffle", 3),
    stream(7, "shuffle", 4),
    stream(7, "shuffle", 34),
    stream(7, "shuffle", 3, 4),
    stream(7, "augment", 3),
    stream(8, "shuffle", 3),
    stream(0, "shuffle", 3),
    stream(2 ** 32 - 1, "shuffle", 3),
  ];
  assert.equal(new Set(others).size, others.length);
});

Deno.test("near paths give streams that have nothing to do with each other", () => {
  // The first number of the streams of 4000 neighbours is uniform: chi-square over 20 bins, which
  // exceeds 43.8 once in a thousand times.
  const bins = new Array<number>(20).fill(0);
  for (let epoch = 0; epoch < 4000; epoch++) {
    bins[Math.floor(createRandom(1, "augment", epoch, "0001").uniform() * 20)]++;
  }
  const chiSquare = bins.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  assert.ok(chiSquare < 43.8, `chi-square is ${chiSquare}`);
});

Deno.test("uniform stays within its bounds, integer within its count", () => {
  const ranges = fc.tuple(fc.nat(), fc.double({ min: -100, max: 100, noNaN: true }));
  fc.assert(fc.property(ranges, fc.integer({ min: 1, max: 1000 }), ([seed, low], count) => {
    const random = createRandom(seed, "bounds");
    const value = random.uniform(low, low + 10);
    const whole = random.integer(count);
    return value >= low && value < low + 10 && Number.isInteger(whole) && whole >= 0 &&
      whole < count;
  }));
});

Deno.test("normal numbers have mean 0, deviation 1 and are all finite", () => {
  const values = take(20_000, createRandom(3, "normal").normal);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(values.every(Number.isFinite));
  assert.ok(Math.abs(mean) < 0.03, `mean is ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.05, `variance is ${variance}`);
});

Deno.test("shuffling keeps every item, works in place, and reaches every order equally often", () => {
  const items = [1, 2, 3];
  assert.equal(createRandom(1, "shuffle").shuffle(items), items);
  assert.deepEqual([...items].sort(), [1, 2, 3]);
  assert.deepEqual(createRandom(1).shuffle([]), []);
  const counts = new Map<string, number>();
  const random = createRandom(2, "orders");
  for (let i = 0; i < 6000; i++) {
    const order = random.shuffle([1, 2, 3]).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const [order, count] of counts) {
    assert.ok(Math.abs(count - 1000) < 130, `${order} came ${count} times in 6000`);
  }
});

Deno.test("a drawn seed is a whole number of 32 bits and differs from the next", () => {
  const seeds = take(20, drawSeed);
  assert.ok(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32));
  assert.ok(new Set(seeds).size > 15);
});
