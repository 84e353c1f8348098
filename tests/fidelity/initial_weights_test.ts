/**
 * Random weights come from the distribution that PyTorch's layers draw from by default.
 */
import assert from "node:assert/strict";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNET_PARAMETERS } from "../../lib/model/weights/mrnet.ts";
import { readGolden } from "../support/network_golden.ts";
import { product } from "../support/seeded.ts";

interface Drawn {
  /** The largest absolute value of one draw. */
  largest: number;
  /** The standard deviation of one draw. */
  deviation: number;
}

const { made_by: _, ...golden } = await readGolden<{ made_by: string } & Record<string, Drawn>>(
  "initial_weights",
) as Record<string, Drawn>;

Deno.test("PyTorch's default has the twelve parameters", () => {
  assert.deepEqual(Object.keys(golden), MRNET_PARAMETERS.map(({ name }) => name));
});

const state = initialWeights(7);

MRNET_PARAMETERS.forEach(({ name }, index) => {
  Deno.test(`${name} is uniform within PyTorch's bound`, () => {
    // A layer's bias follows its weight and has the same bound.
    const bound = 1 / Math.sqrt(product(MRNET_PARAMETERS[index - index % 2].shape.slice(1)));
    const { data } = state.get(name)!;
    // The largest of n uniform draws misses the bound by about 1/n of it, hardly ever by 10/n.
    const nearly = bound * (1 - Math.min(10 / data.length, 0.99));
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const found of [largest, golden[name].largest]) {
      assert(found <= Math.fround(bound) && found >= nearly, `${found} for a bound of ${bound}`);
    }
    if (data.length < 64) return;
    // The standard deviation of n draws has a standard error of about 0.45/√n of it.
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const squares = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
    const slack = 5 * 0.45 / Math.sqrt(data.length);
    const expected = bound / Math.sqrt(3);
    for (const found of [Math.sqrt(squares), golden[name].deviation]) {
      assert(Math.abs(found / expected - 1) < slack, `${found} where ${expected} is due`);
    }
    assert(Math.abs(mean) < 5 * expected / Math.sqrt(data.length), `the mean is ${mean}`);
  });
});

Deno.test("the tensors are drawn apart, and another seed gives others", () => {
  const firsts = [state, initialWeights(8)].flatMap((each) =>
    [...each.values()].map(({ data }) => data[0])
  );
  assert.equal(new Set(firsts).size, 24);
});
