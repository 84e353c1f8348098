/**
 * The time that nine trainings still take.
 */
import assert from "node:assert/strict";
import { WholeTime } from "../../lib/commands/whole_time.ts";
import type { ExamReport } from "../../lib/train/reports.ts";

/** After so many training exams of an epoch, of ten. */
const exam = (epoch: number, done: number, phase: ExamReport["phase"] = "train") =>
  ({ epoch, phase, done, total: 10 }) as ExamReport;

Deno.test("nine trainings of the same length are estimated rightly from the first epoch on", () => {
  let now = 0;
  const whole = new WholeTime({ done: 0, total: 9 }, () => now);
  assert.equal(whole.leftAt(exam(1, 0), 5), undefined);
  // Each model takes 100 s: 20 s an epoch, 2 of them for validation.
  now = 18_000;
  assert.equal(Math.round(whole.leftAt(exam(1, 10), 5)!), 882);
  now = 20_000;
  assert.equal(Math.round(whole.leftAt(exam(1, 10, "valid"), 5)!), 880);
  now = 100_000;
  assert.equal(Math.round(whole.leftAfterModel()!), 800);
});

Deno.test("models that were done before take no time, and the last leaves none", () => {
  let now = 5000;
  const whole = new WholeTime({ done: 7, total: 9 }, () => now);
  // The eighth model is gone on with in the middle of its second epoch of two.
  assert.equal(whole.leftAt(exam(2, 0), 2), undefined);
  now += 50_000;
  assert.equal(Math.round(whole.leftAfterModel()!), 100);
  now += 100_000;
  assert.equal(whole.leftAfterModel(), undefined);
});
