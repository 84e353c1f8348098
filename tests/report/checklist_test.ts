import assert from "node:assert/strict";
import { CHECKLISTS } from "../../lib/report/checklist_items.ts";
import { evaluationChecklist } from "../../lib/report/checklist.ts";
import { parseExamTable } from "../../lib/data/exam_table.ts";
import { subgroupsOf } from "../../lib/report/subgroups.ts";
import { drawEvaluation, drawPredictions } from "../support/evaluation.ts";

const DATE = new Date("2026-03-04T05:06:07Z");

/** The cells of each row, by the item, of both lists in turn. */
function rowsOf(markdown: string): string[][][] {
  return markdown.split("\n## ").slice(1).map((list) =>
    list.split("\n").filter((line) => line.startsWith("| ")).slice(2)
      .map((line) => line.slice(2, -2).split(/(?<!\\) \| ?/).map((cell) => cell.trim()))
  );
}

Deno.test("both lists are whole, each item once and in order", () => {
  const [tripod, claim] = CHECKLISTS.map(({ items }) => items.map(([number]) => number));
  // 27 items with 52 rows, and 44 items.
  assert.equal(tripod.length, 52);
  assert.deepEqual([...new Set(tripod.map((number) => parseInt(number)))], [
    ...Array.from({ length: 27 }, (_, i) => i + 1),
  ]);
  assert.equal(new Set(tripod).size, 52);
  assert.deepEqual(claim, Array.from({ length: 44 }, (_, i) => String(i + 1)));
});

Deno.test("an item has what the run knows, and says what a person must write", () => {
  const predictions = drawPredictions(60, 1.9);
  const rows = predictions.map(({ id }, i) => `${id},${i % 2 ? "A" : "B"}`).join("\n");
  const table = parseExamTable(`id,site\n${rows}\n`, "groups.csv");
  const markdown = evaluationChecklist(
    drawEvaluation(predictions, {
      trainedOn: { shared: 0, exams: 60, compared: true },
      chosenBy: { shared: 4, exams: 60, compared: true },
      found: 70,
      subgroups: subgroupsOf(predictions, table, 0.5, undefined),
    }),
    DATE,
  );
  const [tripod, claim] = rowsOf(markdown);
  const cells = (list: string[][], item: string) => list.find(([number]) => number === item)!;
  assert.deepEqual([tripod.length, claim.length], [52, 44]);
  for (const row of [...tripod, ...claim]) {
    assert.equal(row.length, 4, row.join(" | "));
    assert.ok(row[2] !== "" || row[3] !== "", `item ${row[0]} says nothing`);
  }
  assert.match(
    cells(tripod, "23a")[2],
    /^AUC 0\.\d{3} \(0\.\d{3}–[01]\.\d{3}\).*By site: A \(30 exams/,
  );
  assert.match(
    cells(tripod, "16")[2],
    /0 of 60 evaluated exams were trained on, and 4 chose the epoch/,
  );
  assert.match(cells(tripod, "20a")[2], /70 exams in the label file, 10 of another split/);
  assert.match(cells(claim, "25")[2], /Settings: epochs 50, lr 0\.00001, augment true/);
  assert.match(
    cells(claim, "26")[2],
    /Operating point: 0\.3614, by Youden’s index on the tune exams/,
  );
  // What nobody told is not made up.
  for (const item of ["14", "17", "18a", "19"]) {
    assert.equal(cells(tripod, item)[2], "");
    assert.notEqual(cells(tripod, item)[3], "");
  }
  assert.equal(cells(claim, "33")[2], "");
});

Deno.test("what is not known is left to a person, and nothing that is no number is written", () => {
  const bare = drawEvaluation(drawPredictions(3, 1).filter(({ label }) => label === 1), {
    metadata: { config: "not JSON" },
    against: [],
  });
  const markdown = evaluationChecklist(bare, DATE);
  assert.ok(!/NaN|Infinity|\bnull\b|\[object/.test(markdown), markdown);
  assert.match(markdown, /AUC undefined/);
  const [tripod] = rowsOf(markdown);
  assert.equal(tripod.find(([number]) => number === "16")![2], "");
});

Deno.test("a text from a file stays in its cell", () => {
  const { card, ...evaluation } = drawEvaluation();
  const about = {
    intendedUse: "Research | <script>alert(1)</script>\n\n# A heading\u2028**bold** [link](x)",
    limitations: "`none`",
  };
  const markdown = evaluationChecklist({ ...evaluation, card: { ...card, about } }, DATE);
  assert.ok(!markdown.includes("\n# A heading") && !/[^\\]<script/.test(markdown));
  assert.ok(markdown.includes(String.raw`Research \| \<script\>alert(1)\</script\> # A heading`));
  const [tripod, claim] = rowsOf(markdown);
  for (const row of [...tripod, ...claim]) assert.equal(row.length, 4, row.join(" | "));
});
