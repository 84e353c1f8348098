import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  clock,
  PhaseTimer,
  type Progress,
  progressLine,
  timeLeft,
} from "../../lib/logs/progress.ts";

const HALFWAY: Progress = {
  label: "epoch 1/5 train",
  done: 50,
  total: 100,
  seconds: 100,
  unit: "exams",
  details: ["loss 0.6931", "auc 0.5000"],
};

Deno.test("a line holds label, bar, count, rate, time left and details", () => {
  assert.equal(
    progressLine(HALFWAY, 120),
    "epoch 1/5 train ██████████░░░░░░░░░░ 50/100  0.50 exams/s  1:40 left" +
      "  loss 0.6931  auc 0.5000",
  );
});

Deno.test("what does not fit is left out from the end", () => {
  const full = progressLine(HALFWAY, 200);
  assert.equal(progressLine(HALFWAY, full.length), full.slice(0, -"  auc 0.5000".length));
  assert.equal(
    progressLine(HALFWAY, 60),
    "epoch 1/5 train ██████████░░░░░░░░░░ 50/100  0.50 exams/s",
  );
  assert.equal(progressLine(HALFWAY, 20), "");
});

Deno.test("the bar is empty at first, full at the end, and never longer", () => {
  const bar = (done: number, total: number) =>
    progressLine({ label: "x", done, total, seconds: 0, unit: "exams" }, 80);
  assert.equal(bar(0, 10), `x ${"░".repeat(20)} 0/10`);
  assert.equal(bar(10, 10), `x ${"█".repeat(20)} 10/10`);
  assert.equal(bar(99, 100), `x ${"█".repeat(19)}░ 99/100`);
  assert.equal(bar(0, 0), `x ${"░".repeat(20)} 0/0`);
  // A server may send more than it announced.
  assert.equal(bar(12, 10), `x ${"█".repeat(20)} 12/10`);
});

Deno.test("a fast rate is shown in whole units, without a rate there is no time left", () => {
  const line = (done: number, seconds: number) =>
    progressLine({ label: "x", done, total: 100, seconds, unit: "exams" }, 80);
  assert.match(line(50, 1), /50 exams\/s {2}0:01 left$/);
  assert.match(line(50, 0), /50\/100$/);
  assert.match(line(0, 5), /0\/100$/);
});

Deno.test("a line is always shorter than the terminal, and one line", () => {
  const progress = fc.record({
    label: fc.constantFrom("train", "epoch 12/50 valid"),
    done: fc.nat(2000),
    total: fc.nat(2000),
    seconds: fc.double({ min: 1e-3, max: 1e7, noNaN: true }),
    unit: fc.constant("exams"),
    details: fc.constant(["loss 0.1234", "auc undefined"]),
  });
  fc.assert(fc.property(progress, fc.integer({ min: 1, max: 200 }), (progress, width) => {
    const line = progressLine(progress, width);
    return line.length < width && !/[\r\n]/.test(line) && !/NaN|Infinity|-\d/.test(line);
  }));
});

Deno.test("a duration is minutes and seconds, from an hour up with hours", () => {
  const cases: [seconds: number, shown: string][] = [
    [0, "0:00"],
    [-3, "0:00"],
    [9.4, "0:09"],
    [59.5, "1:00"],
    [61, "1:01"],
    [3599.4, "59:59"],
    [3599.6, "1:00:00"],
    [36_061, "10:01:01"],
  ];
  for (const [seconds, shown] of cases) assert.equal(clock(seconds), shown);
});

Deno.test("what was done before the seconds began is in the bar and not in the rate", () => {
  const progress = { label: "x", done: 60, total: 100, seconds: 10, before: 50, unit: "exams" };
  assert.match(progressLine(progress, 80), / 60\/100 {2}1\.00 exams\/s {2}0:40 left$/);
});

Deno.test("a phase is timed from the end of what came before it", () => {
  let now = 100_000;
  const timer = new PhaseTimer(() => now);
  now += 3000;
  assert.deepEqual(timer.at("train", 1), { seconds: 3, before: 0 });
  now += 3000;
  assert.deepEqual(timer.at("train", 2), { seconds: 6, before: 0 });
  now += 1000;
  assert.deepEqual(timer.at("valid", 1), { seconds: 1, before: 0 });
  // A pause between two phases counts to neither.
  now += 60_000;
  timer.mark();
  now += 2000;
  assert.deepEqual(timer.at("train", 501), { seconds: 2, before: 500 });
});

Deno.test("the time left of a whole goes by what was done since the clock was started", () => {
  assert.equal(timeLeft(0.25, 0, 10), 30);
  assert.equal(timeLeft(0.75, 0.5, 10), 10);
  assert.equal(timeLeft(0.5, 0.5, 10), undefined);
  assert.equal(timeLeft(0.5, 0.25, 0), undefined);
});
