import assert from "node:assert/strict";
import { choices } from "../../lib/report/protocol_plot.ts";
import { drawEvaluation } from "../support/evaluation.ts";

Deno.test("what was chosen by which exams says how many of them are evaluated", () => {
  const shared = (shared: number) => ({ shared, exams: 40, compared: true });
  const evaluation = drawEvaluation(undefined, {
    ...{ trainedOn: shared(3), chosenBy: shared(0), pointBy: shared(40) },
  });
  assert.deepEqual(choices(evaluation), [
    { exams: "Other training exams", chosen: "Weights of the network", shared: shared(3) },
    { exams: "Tune exams", chosen: "Epoch" },
    { exams: "Tune exams", chosen: "Threshold 0.3614", shared: shared(40) },
    { exams: "Evaluated exams", chosen: "Metrics of this report" },
  ]);
});
