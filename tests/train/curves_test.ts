/**
 * The page of a training's curves.
 */
import assert from "node:assert/strict";
import { curvesHtml, type EpochOfCurves } from "../../lib/train/curves.ts";

const OF = { title: "ACL tear, sagittal plane", chosenBy: "tune" };

const epoch = (number: number, more: Partial<EpochOfCurves> = {}): EpochOfCurves => ({
  epoch: number,
  trainLoss: 0.8 / number,
  trainAuc: 1 - 0.5 / number,
  valLoss: 0.9 / number,
  valAuc: 1 - 0.6 / number,
  learningRate: 1e-5,
  seconds: 60 * number,
  isBest: true,
  ...more,
});

/** The points of the lines, in the order of the page: training and the others, loss and then AUC. */
function lines(html: string): [number, number][][] {
  return [...html.matchAll(/<path class="curve [^"]*" d="(M[^"H]*)"/g)].map(([, d]) =>
    [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
  );
}

Deno.test("losses and areas are lines whose points are the epochs", () => {
  const html = curvesHtml([epoch(1), epoch(2), epoch(4)], OF);
  const [trainLoss, valLoss, trainAuc, valAuc] = lines(html);
  for (const line of [trainLoss, valLoss, trainAuc, valAuc]) {
    assert.equal(line.length, 3);
    // From the left to the right, the middle epoch in the middle.
    assert.ok(Math.abs(line[0][0] + line[2][0] - 2 * line[1][0]) < 0.02);
  }
  // Up is a smaller coordinate: losses fall, areas rise, and heights are in proportion.
  assert.ok(trainLoss[0][1] < trainLoss[1][1] && valAuc[0][1] > valAuc[1][1]);
  const bottom = 220;
  const height = ([, y]: [number, number]) => bottom - y;
  assert.ok(Math.abs(height(valLoss[0]) / height(trainLoss[0]) - 9 / 8) < 1e-3);
  assert.ok(Math.abs(height(trainAuc[1]) / height(valAuc[1]) - 0.75 / 0.7) < 1e-3);
});

Deno.test("an area that is undefined is left out of its line and said in the table", () => {
  const html = curvesHtml([epoch(1, { valAuc: NaN }), epoch(2)], OF);
  assert.equal(lines(html)[3].length, 1);
  assert.ok(html.includes(">undefined</td>"));
  assert.ok(!html.includes("NaN"));
});

Deno.test("the page says which epoch was kept, and by which exams", () => {
  const html = curvesHtml([epoch(1), epoch(2), epoch(3, { isBest: false })], OF);
  assert.match(html, /The model of epoch 2 was kept: its AUC on the tune exams is the highest/);
  const none = curvesHtml([epoch(1, { isBest: false })], OF);
  assert.match(none, /No epoch had an AUC above 0 on the tune exams/);
});

Deno.test("one epoch, and fifty, with a loss of any size, make a page without a fault", () => {
  for (const count of [1, 50]) {
    const epochs = Array.from(
      { length: count },
      (_, i) => epoch(i + 1, { trainLoss: 1234 / (i + 1) }),
    );
    const html = curvesHtml(epochs, OF);
    assert.ok(!/NaN|Infinity|undefined/.test(html));
    const ticks = [...html.matchAll(/<text class="tick" x="[\d.]+" y="240"[^>]*>(\d+)</g)];
    assert.ok(ticks.length >= 2 && ticks.length <= 20, `${ticks.length} ticks in two plots`);
    assert.ok(html.includes(">2000<"), "the axis ends at a round number");
  }
});
