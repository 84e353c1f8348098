/**
 * The look at the training exams before a run: landmarks and checks from one pass.
 */
import assert from "node:assert/strict";
import type { Dataset } from "../../lib/data/dataset.ts";
import type { Exam } from "../../lib/data/exam.ts";
import { landmarksOf } from "../../lib/data/landmarks.ts";
import { learnLandmarks, MAX_SURVEYED, surveyExams } from "../../lib/data/survey.ts";
import { DataError } from "../../lib/errors.ts";
import type { Label } from "../../lib/terms.ts";

type Voxels = Exam["voxels"];

const SIZE = { slices: 2, height: 64, width: 64 };

function values(seed: number): Uint8Array {
  return Uint8Array.from({ length: 2 * 64 * 64 }, (_, i) => (i * i * (seed + 3) + seed) % 199);
}

/** Exams in memory, and the names of those that were read; one without voxels cannot be read. */
function dataset(exams: readonly (Voxels | undefined)[]): Dataset & { reads: string[] } {
  const labels = exams.map((_, index) => ({
    ...{ id: String(index).padStart(4, "0"), label: (index % 4 === 0 ? 1 : 0) as Label },
  }));
  const reads: string[] = [];
  return {
    ...{ labels, reads },
    // deno-lint-ignore require-await -- what it throws must be a rejection
    async read(index) {
      const { id } = labels[index];
      reads.push(id);
      const voxels = exams[index];
      if (voxels === undefined) throw new DataError(`Cannot read '${id}'`);
      return { id, ...SIZE, voxels };
    },
  };
}

Deno.test("landmarks are the mean of the exams' own, and each exam is read once", async () => {
  const exams = [0, 1, 2].map(values);
  const own = exams.map((voxels) => landmarksOf(voxels)!);
  const train = dataset(exams);
  const { landmarks, checks } = await surveyExams(train, { intensity: "raw" });
  assert.deepEqual(train.reads, ["0000", "0001", "0002"]);
  assert.deepEqual([landmarks!.type, landmarks!.exams], ["uint8", 3]);
  landmarks!.values.forEach((value, at) => {
    assert.ok(Math.abs(value - (own[0][at] + own[1][at] + own[2][at]) / 3) < 1e-12);
  });
  const all = exams.flatMap((voxels) => [...voxels]);
  const mean = all.reduce((sum, value) => sum + value) / all.length;
  assert.ok(Math.abs(checks.mean - mean) < 1e-9);
  const { exams: count, total, positives, slices, sizes } = checks;
  assert.deepEqual([count, total, positives, slices, sizes], [3, 3, 1, [2, 2], ["64×64"]]);
  assert.deepEqual(checks.oddities.map(({ found }) => found), [
    "all 3 exams: MRNet's exams have 17 to 61 slices, these fewer or more",
    "all 3 exams: their slices are not 256×256, as MRNet's are",
  ]);
});

Deno.test("a model that maps exams itself has a scale of 0 to 255, whatever their units are", async () => {
  const exams = [0, 1].map((seed) => Float32Array.from(values(seed), (v) => v * (seed + 9) - 400));
  const bytes = [0, 1].map(values);
  const scale = await learnLandmarks(dataset(exams), "landmarks");
  assert.deepEqual([scale.values[0], scale.values[10], scale.type], [0, 255, "uint8"]);
  const same = await learnLandmarks(dataset(bytes), "landmarks");
  scale.values.forEach((value, at) => assert.ok(Math.abs(value - same.values[at]) < 1e-4));
  // One that takes them as they are keeps their own scale.
  const kept = await learnLandmarks(dataset(exams), "standardized");
  assert.equal(kept.type, "float32");
  assert.ok(kept.values[0] < -390 && kept.values[10] > 1000);
});

Deno.test("of many exams as many are read as a run has time for, evenly taken", async () => {
  const exam = values(1);
  const train = dataset(Array(2 * MAX_SURVEYED + 1).fill(exam));
  const { checks } = await surveyExams(train, { intensity: "raw" });
  assert.equal(train.reads.length, MAX_SURVEYED);
  assert.equal(new Set(train.reads).size, MAX_SURVEYED);
  assert.deepEqual([train.reads[0], train.reads.at(-1)], ["0000", "0510"]);
  assert.deepEqual([checks.exams, checks.total], [MAX_SURVEYED, 2 * MAX_SURVEYED + 1]);
});

Deno.test("what is odd is named: unreadable, alike, constant, of other units, in both splits", async () => {
  const black = values(5).fill(0, 0, 64 * 64);
  const train = dataset([
    values(0),
    undefined,
    values(0),
    black,
    Float32Array.from(values(6), (v) => v * 16),
  ]);
  const valid = { labels: [{ id: "0003", label: 1 }, { id: "0009", label: 0 }] as const };
  const { landmarks, checks } = await surveyExams(train, {
    ...{ intensity: "raw", valid, unlabelled: ["0007", "0008"] },
  });
  assert.equal(landmarks!.type, "float32");
  assert.equal(checks.exams, 4);
  const found = checks.oddities.map(({ level, found }) => `${level} ${found}`);
  for (
    const line of [
      "warning 0001: cannot be read",
      "warning 0000, 0002: the same pixels",
      "warning 0003: slices of one single grey value",
      "warning 0003: in both splits by their names",
      "warning 0007, 0008: no label",
      "error 0004: its values go from 0 to 3104, as in exams of 12 bits, where 0–255 are expected",
    ]
  ) assert.ok(found.includes(line), `${line} is not in\n${found.join("\n")}`);
  const standardized = await surveyExams(train, { intensity: "standardized" });
  assert.ok(standardized.checks.oddities.every(({ level }) => level === "warning"));
});

Deno.test("exams known to be unreadable are not tried; one without contrast has no landmarks", async () => {
  const constant = new Uint8Array(2 * 64 * 64).fill(7);
  const train = dataset([values(0), constant, values(2)]);
  const unreadable = new Map([["0002", "there is no such file"]]);
  const { landmarks, checks } = await surveyExams({ ...train, unreadable }, {
    intensity: "landmarks",
  });
  assert.deepEqual(train.reads, ["0000", "0001"]);
  assert.deepEqual([landmarks!.exams, checks.exams, checks.total], [1, 2, 3]);
  assert.ok(
    checks.oddities.some(({ level, found }) =>
      level === "error" && found.startsWith("0001: the 0.5th and the 99.7th percentile")
    ),
  );
  const none = dataset([constant, constant]);
  assert.equal((await surveyExams(none, { intensity: "raw" })).landmarks, undefined);
  const message =
    "Cannot learn the landmarks of the training exams: of each of the 2 that were read, " +
    "the 0.5th and the 99.7th percentile of its grey values are the same, so its histogram has no " +
    "landmarks: look at the exams with the command doctor";
  for (const intensity of ["landmarks", "raw"] as const) {
    await assert.rejects(learnLandmarks(none, intensity), { name: "DataError", message });
  }
});
