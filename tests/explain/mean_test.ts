/** What several models say together about one exam stays an exact sum of its parts. */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { explain, type Explanation, MAP_KINDS } from "../../lib/explain/explain.ts";
import { mapsOnGrid, meanExplanation, meanPrediction } from "../../lib/explain/mean.ts";
import { createMRNet } from "../../lib/model/create.ts";
import { sigmoid } from "../../lib/model/mrnet.ts";
import { createRandom } from "../../lib/random.ts";

const random = createRandom(7, "mean");
const voxels = Uint8Array.from({ length: 3 * 96 * 64 }, () => random.integer(256));
const exam = { id: "0012", slices: 3, height: 96, width: 64, voxels };

async function explanations(map: Explanation["map"]): Promise<Explanation[]> {
  const all: Explanation[] = [];
  for (const seed of [1, 2, 3]) {
    using model = await createMRNet({ weights: "none", seed });
    all.push(await explain(model, exam, { map }));
  }
  return all;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

Deno.test("the mean logit is the mean bias and the mean shares, whose maps add up to them", async () => {
  await startEngine("wasm", { threads: 1 });
  const all = await explanations("share");
  const mean = meanExplanation(all);
  const logit = sum(all.map(({ logits }) => logits[1])) / 3;
  assert.ok(new Set(all.map(({ logits }) => logits[1])).size === 3, "the models differ");
  assert.ok(Math.abs(mean.logits[1] - logit) < 1e-12);
  assert.equal(mean.probability, sigmoid(mean.logits[1]));
  assert.notEqual(mean.probability, sum(all.map(({ probability }) => probability)) / 3);

  // As exact as for one model: the logits are float32, the sums are made in double precision.
  const close = (value: number, wanted: number) =>
    assert.ok(
      Math.abs(value - wanted) < 1e-6 * Math.max(1, Math.abs(wanted)),
      `${value}, ${wanted}`,
    );
  close(mean.bias + sum(mean.slices.map(({ share }) => share)), mean.logits[1]);
  close(mean.bias + sum(mean.contributions), mean.logits[1]);
  for (const { share, map } of mean.slices) close(sum(map), share);
  assert.equal(mean.contributions.length, 3 * all[0].contributions.length);
  for (const [index, { contributions, selectedSlices }] of all.entries()) {
    const from = index * contributions.length;
    const own = mean.selectedSlices.slice(from, from + contributions.length);
    assert.deepEqual(own, selectedSlices);
    const added = sum(mean.contributions.slice(from, from + contributions.length));
    close(added, sum(contributions) / 3);
  }
  for (const [slice, { channelsSelected }] of mean.slices.entries()) {
    assert.equal(channelsSelected, sum(all.map(({ slices }) => slices[slice].channelsSelected)));
  }
});

Deno.test("of classic maps too the pixels are the mean of the models' own", async () => {
  await startEngine("wasm", { threads: 1 });
  for (const kind of MAP_KINDS) {
    const all = await explanations(kind);
    const { map, mapHeight, mapWidth, slices } = meanExplanation(all);
    assert.deepEqual([map, mapHeight, mapWidth], [kind, all[0].mapHeight, all[0].mapWidth]);
    for (const [slice, { map }] of slices.entries()) {
      map.forEach((value, pixel) => {
        const wanted = sum(all.map(({ slices }) => slices[slice].map[pixel])) / 3;
        assert.ok(Math.abs(value - wanted) < 1e-12);
      });
    }
  }
});

Deno.test("one model alone says what it says", async () => {
  await startEngine("wasm", { threads: 1 });
  const [one] = await explanations("share");
  assert.equal(meanExplanation([one]), one);
  assert.equal(meanPrediction([one]), one);
});

Deno.test("maps of different networks have a mean, on the larger grid, and still an exact sum", async () => {
  await startEngine("wasm", { threads: 1 });
  const all: Explanation[] = [];
  for (const network of ["alexnet", "resnet18"] as const) {
    using model = await createMRNet({ weights: "none", network, seed: 1 });
    all.push(await explain(model, exam));
  }
  const [small, large] = all;
  assert.deepEqual([small, large].map(({ mapHeight, mapWidth }) => [mapHeight, mapWidth]), [
    ...[[2, 1], [3, 2]],
  ]);
  for (const several of [all, all.toReversed()]) {
    const mean = meanExplanation(several);
    const { mapHeight, mapWidth, mapStride, mapStart } = mean;
    assert.deepEqual([mapHeight, mapWidth, mapStride, mapStart], [3, 2, 32, 0]);
    assert.equal(mean.contributions.length, 256 + 512);
    for (const [index, { share, map }] of mean.slices.entries()) {
      const wanted = (small.slices[index].share + large.slices[index].share) / 2;
      assert.ok(Math.abs(share - wanted) < 1e-12);
      assert.ok(Math.abs(sum(map) - share) < 1e-12 * Math.max(1, Math.abs(share)));
    }
    const logit = mean.bias + sum(mean.slices.map(({ share }) => share));
    assert.ok(Math.abs(logit - mean.logits[1]) < 1e-5 * Math.max(1, Math.abs(logit)));
  }
});

Deno.test("a pixel of a map is divided among those that it lies between", () => {
  const about = { id: "a", logits: [0, 0] as [number, number], probability: 0.5, bias: 0 };
  const one: Explanation = {
    ...{ ...about, map: "share", selectedSlices: [], contributions: [] },
    ...{ mapHeight: 1, mapWidth: 3, mapStride: 32, mapStart: 8 },
    slices: [{ share: 7, channelsSelected: 1, map: Float64Array.of(1, 2, 4) }],
  };
  // Positions 0.25, 1.25 and 2.25 of the other grid, whose last pixel takes what lies behind it.
  const grid = { mapHeight: 2, mapWidth: 3, mapStride: 32, mapStart: 0 };
  const [map] = mapsOnGrid(one, grid);
  const row = [0.75, 0.25 + 1.5, 0.5 + 4];
  const wanted = [...row.map((value) => 0.75 * value), ...row.map((value) => 0.25 * value)];
  map.forEach((value, at) => assert.ok(Math.abs(value - wanted[at]) < 1e-12, `${map}`));
  assert.equal(mapsOnGrid(one, one)[0], one.slices[0].map);
});
