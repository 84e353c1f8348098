/** What several models say together about one exam stays an exact sum of its parts. */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { explain, type Explanation, MAP_KINDS } from "../../lib/explain/explain.ts";
import { meanExplanation, meanPrediction } from "../../lib/explain/mean.ts";
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

Deno.test("one model alone says what it says, and maps of other sizes have no mean", async () => {
  await startEngine("wasm", { threads: 1 });
  const [one, two] = await explanations("share");
  assert.equal(meanExplanation([one]), one);
  assert.equal(meanPrediction([one]), one);
  assert.throws(() => meanExplanation([one, { ...two, mapHeight: 8, mapWidth: 8 }]), {
    name: "DataError",
    message: `Cannot explain the exam '0012' by several models together: their maps are ` +
      `${one.mapHeight}×${one.mapWidth} and 8×8: explain it by each model alone`,
  });
});
