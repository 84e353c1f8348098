import assert from "node:assert/strict";
import type { Exam } from "../../lib/data/exam.ts";
import { explain, type Explanation } from "../../lib/explain/explain.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { RESNET18 } from "../../lib/network/resnet.ts";
import { onEachEngine } from "../support/engines.ts";
import { seededExam, seededState } from "../support/seeded.ts";

/** Weights that spread the channels over several slices. */
const SEED = 11;
const SIZE = { slices: 5, height: 96, width: 72 };

const total = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value, 0);

function assertClose(found: number, wanted: number, message: string, relative = 1e-5): void {
  const off = Math.abs(found - wanted);
  assert.ok(off <= relative * Math.abs(wanted), `${message}: ${found} instead of ${wanted}`);
}

/** The slices of an exam at these indices, in this order. */
function only(exam: Exam, indices: readonly number[]): Exam {
  const pixels = exam.height * exam.width;
  const voxels = new Uint8Array(indices.length * pixels);
  indices.forEach((source, index) => {
    voxels.set(exam.voxels.subarray(source * pixels, (source + 1) * pixels), index * pixels);
  });
  return { ...exam, slices: indices.length, voxels };
}

const withShare = ({ slices }: Explanation) =>
  [...slices.keys()].filter((slice) => slices[slice].channelsSelected > 0);

onEachEngine("shares and bias add up to the finding's logit", async () => {
  for (const [seed, intensity] of [[SEED, "raw"], [SEED + 1, "standardized"]] as const) {
    const model = new MRNet(seededState(seed), { intensity });
    const exam = seededExam(seed, SIZE);
    const found = await explain(model, exam);
    const { logits } = await model.predict(exam);
    found.logits.forEach((logit, index) => assertClose(logit, logits[index], "the model's own"));
    assert.ok(withShare(found).length > 1, "several slices are selected");
    assertClose(found.bias + total(found.slices.map(({ share }) => share)), found.logits[1], "sum");
    assertClose(found.bias + total(found.contributions), found.logits[1], "channels");
    model.dispose();
  }
});

onEachEngine("a map's pixels add up to the slice's share", async () => {
  const model = new MRNet(seededState(SEED));
  const { slices, mapHeight, mapWidth } = await explain(model, seededExam(SEED, SIZE));
  assert.deepEqual([mapHeight, mapWidth], [2, 1]);
  for (const { share, map } of slices) {
    assert.equal(map.length, 2);
    // Terms of both signs cancel, so the bound is absolute: double precision of terms around 1.
    assert.ok(Math.abs(total(map) - share) < 1e-14, `${total(map)} instead of ${share}`);
  }
  model.dispose();
});

onEachEngine("the maps of ResNet-18 and the bias add up to its logit", async () => {
  using model = new MRNet(seededState(SEED, RESNET18));
  const exam = seededExam(SEED, { slices: 3, height: 64, width: 72 });
  const found = await explain(model, exam);
  const { logits } = await model.predict(exam);
  found.logits.forEach((logit, index) => assertClose(logit, logits[index], "the model's own"));
  assert.deepEqual([found.mapHeight, found.mapWidth], [2, 3]);
  assert.ok(withShare(found).length > 1, "several slices are selected");
  for (const { share, map } of found.slices) {
    assert.ok(Math.abs(total(map) - share) < 1e-13, `${total(map)} instead of ${share}`);
  }
  const maps = found.slices.map(({ map }) => total(map));
  assertClose(found.bias + total(maps), found.logits[1], "sum");
}, { engines: ["webgpu", "wasm"] });

onEachEngine("a slice without a share changes nothing, one with a share does", async () => {
  const model = new MRNet(seededState(SEED));
  // The third slice is there again as the last, and has nothing to add then.
  const exam = only(seededExam(SEED, SIZE), [0, 1, 2, 3, 4, 2]);
  const found = await explain(model, exam);
  const shared = withShare(found);
  assert.ok(!shared.includes(5), shared.join());
  const rest = await model.predict(only(exam, shared));
  assertClose(rest.logits[1], found.logits[1], "without the others");
  const fewer = await explain(model, only(exam, shared.slice(1)));
  assert.ok(Math.abs(fewer.logits[1] - found.logits[1]) > 1e-5);
  model.dispose();
});

onEachEngine("of equal slices the first has the share", async () => {
  const model = new MRNet(seededState(SEED));
  const exam = only(seededExam(SEED, SIZE), [2, 0, 1, 0, 2]);
  const { selectedSlices, slices } = await explain(model, exam);
  assert.deepEqual(
    slices.slice(3).map(({ share, channelsSelected }) => [share, channelsSelected]),
    [
      [0, 0],
      [0, 0],
    ],
  );
  assert.ok(selectedSlices.every((slice) => slice < 3));
  model.dispose();
});

onEachEngine("a classic map and the bias are the logit of the slice alone", async () => {
  const model = new MRNet(seededState(SEED));
  const exam = seededExam(SEED, SIZE);
  const classic = await explain(model, exam, { map: "classic" });
  const shares = await explain(model, exam);
  for (const [slice, { share, map }] of classic.slices.entries()) {
    const { logits } = await model.predict(only(exam, [slice]));
    assertClose(classic.bias + total(map), logits[1], `slice ${slice}`);
    assert.equal(share, shares.slices[slice].share, "shares are shares whatever the map");
  }
  model.dispose();
});

onEachEngine("the features are those of the exam asked about, whatever came before", async () => {
  const model = new MRNet(seededState(SEED));
  const [small, large] = [2, 6].map((slices) => seededExam(slices, { ...SIZE, slices }));
  const first = await explain(model, small);
  await explain(model, large);
  await explain(model, { ...large, voxels: Float32Array.from(large.voxels) });
  assert.deepEqual(await explain(model, small), first);
  const [again] = await Promise.all([explain(model, small), explain(model, large)]);
  assert.deepEqual(again, first, "asked for at the same time");
  model.dispose();
});

onEachEngine(
  "a pixel of the features looks at 195 pixels around 32 times its index + 31",
  async () => {
    const model = new MRNet(seededState(SEED));
    const exam = seededExam(SEED, { slices: 1, height: 64, width: 320 });
    const columnsOf = async (exam: Exam) => {
      const { features: { width, values } } = await model.predictWithFeatures(exam);
      return Array.from({ length: width }, (_, column) => {
        return values.slice(column * 256, (column + 1) * 256);
      });
    };
    const before = await columnsOf(exam);
    assert.equal(before.length, 9);
    const column = 4;
    const centre = 32 * column + 31;
    const changed = async (isChanged: (x: number) => boolean) => {
      const voxels = exam.voxels.map((value, at) => isChanged(at % 320) ? 255 - value : value);
      const after = await columnsOf({ ...exam, voxels });
      // The products of Winograd's tiles carry the last bit of pixels beyond.
      const noise = 1e-4 * Math.max(...before[column]);
      return after[column].some((value, index) => Math.abs(value - before[column][index]) > noise);
    };
    assert.equal(await changed((x) => Math.abs(x - centre) > 97), false);
    assert.equal(await changed((x) => x < centre - 85), true);
    assert.equal(await changed((x) => x > centre + 85), true);
    model.dispose();
  },
  { engines: ["wasm"] },
);
