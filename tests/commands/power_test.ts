/** How many exams an evaluation needs, asked from the command line. */
import assert from "node:assert/strict";
import { runMain } from "../support/console.ts";

const run = (...args: string[]) => runMain(["power", ...args]);

Deno.test("power says how many exams give an interval of a width", async () => {
  const { code, out } = await run("--auc", "0.9", "--width", "0.05");
  assert.equal(code, 0);
  assert.deepEqual(out.trimEnd().split("\n"), [
    "628 exams, 314 with the finding and 314 without it",
    "give an AUC of 0.9 a 95 % interval no wider than 0.05, that is ±0.025 (Hanley and McNeil, 1982)",
  ]);
});

Deno.test("power says how many exams find a difference, as JSON too", async () => {
  const asked = ["--auc", "0.9", "--against_auc", "0.85", "--prevalence", "0.25", "--json"];
  const { code, out } = await run(...asked);
  assert.equal(code, 0);
  const { exams, positives, negatives } = JSON.parse(out);
  assert.equal(exams, positives + negatives);
  assert(Math.abs(negatives / positives - 3) < 0.02);
});

Deno.test("what cannot be asked is refused in one line", async () => {
  const cases: [string[], string][] = [
    [["--width", "0.05"], "the following arguments are required: --auc"],
    [["--auc", "0.9"], "one of the arguments --width and --against_auc is required, not both"],
    [
      ["--auc", "0.9", "--width", "0.1", "--against_auc", "0.8"],
      "one of the arguments --width and --against_auc is required, not both",
    ],
    [
      ["--auc", "0.9", "--against_auc", "0.9"],
      "argument --against_auc: invalid value: 0.9 (must differ from --auc)",
    ],
    [
      ["--auc", "1", "--width", "0.1"],
      "argument --auc: invalid value: 1 (must be above 0 and below 1)",
    ],
  ];
  for (const [args, words] of cases) {
    const { code, err } = await run(...args);
    assert.equal(code, 2);
    assert.equal(err.trimEnd().split("\n").at(-1), `cli.ts: error: ${words}`);
  }
});
