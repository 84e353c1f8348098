/** Groups of exams and their patients: the metrics, and files that are not about the exams. */
import assert from "node:assert/strict";
import { parseExamTable } from "../../lib/data/exam_table.ts";
import { delongInterval } from "../../lib/metrics/delong.ts";
import { rankingScores, summarizePredictions } from "../../lib/metrics/summary.ts";
import { evaluationJson } from "../../lib/report/files.ts";
import { evaluationHtml } from "../../lib/report/report.ts";
import { readExamFacts, subgroupsOf } from "../../lib/report/subgroups.ts";
import { drawEvaluation, drawPredictions } from "../support/evaluation.ts";
import { TemporaryFolder } from "../support/folders.ts";

const predictions = drawPredictions(100, 1.5);

function tableOf(value: (index: number) => string) {
  const lines = predictions.map(({ id }, i) => `${id},${value(i)}`);
  return parseExamTable(`id,scanner\n${lines.join("\n")}\n`, "groups.csv");
}

Deno.test("each group has the metrics of its exams alone, in the order of the alphabet", () => {
  const table = tableOf((i) => i < 8 ? "" : i < 20 ? "b" : "a");
  const { groupings: [{ groups, unknown, column }] } = subgroupsOf(
    predictions,
    table,
    0.5,
    undefined,
  );
  assert.deepEqual([column, unknown], ["scanner", 8]);
  assert.deepEqual(groups.map(({ value, isSmall }) => [value, isSmall]), [["a", false], [
    "b",
    true,
  ]]);
  const own = predictions.slice(20);
  const { auc, low, high } = delongInterval(own.map(({ label }) => label), rankingScores(own));
  assert.deepEqual(groups[0].auc, { value: auc, low, high });
  assert.equal(groups[0].exams, 80);
});

Deno.test("a group of one class, and one without exams, are said plainly and never as NaN", () => {
  const table = tableOf((i) => predictions[i].label === 1 ? "ill" : "well");
  const others = parseExamTable("id,site\n1,x\n", "groups.csv");
  for (const each of [table, others]) {
    const subgroups = subgroupsOf(predictions, each, 0.5, undefined);
    const evaluation = drawEvaluation(predictions, { subgroups });
    const page = evaluationHtml(evaluation, new Date(0));
    assert.doesNotMatch(page, /NaN|Infinity/);
    assert(
      page.includes(each === table ? "one class only" : "No evaluated exam has a value of ‘site’."),
    );
    assert.doesNotMatch(JSON.stringify(evaluationJson(evaluation)), /NaN/);
  }
});

Deno.test("files of patients and groups must be about the exams", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("patients.csv", "id,patient\n1,a\n2,a\n");
  await folder.write("groups.csv", "id,side\n7,left\n");
  const [patients, groups] = [folder.at("patients.csv"), folder.at("groups.csv")];
  const facts = await readExamFacts({ patients }, [{ id: "0001" }]);
  assert.deepEqual([...facts.patients!], [["0001", "a"], ["0002", "a"]]);
  await assert.rejects(readExamFacts({ patients }, [{ id: "0001" }, { id: "0003" }]), {
    name: "DataError",
    message: `Cannot give intervals by patient: '${patients}' names no patient of 1 of 2 exams ` +
      "(0003): give a line 'id,patient' for each",
  });
  await assert.rejects(readExamFacts({ groups }, [{ id: "0001" }]), {
    name: "DataError",
    message: `Cannot group the exams by '${groups}': it names none of the 1 exams that are ` +
      "evaluated: use the ids of the label file",
  });
  await assert.rejects(readExamFacts({ patients: groups }, []), /it has no column 'patient'/);
});

Deno.test("patients make the intervals of a summary wider, and a missing one is named", () => {
  const twice = predictions.flatMap((each) => [each, { ...each, id: `${each.id}b` }]);
  const patients = new Map(twice.map(({ id }) => [id, id.replace("b", "")]));
  const options = { seed: 1, samples: 200 };
  const [by, without] = [{ ...options, patients }, options].map((each) =>
    summarizePredictions(twice, each)
  );
  assert.deepEqual([by.patients, without.patients], [100, undefined]);
  const width = ({ low, high }: { low: number; high: number }) => high - low;
  assert(width(by.auc.delong) > 1.3 * width(without.auc.delong));
  assert(width(by.averagePrecision) > 1.2 * width(without.averagePrecision));
  assert.throws(() => summarizePredictions(predictions, { ...options, patients: new Map() }), {
    name: "DataError",
    message:
      /^Cannot give intervals by patient: the patient of 100 of 100 exams is not known \(1130, /,
  });
});
