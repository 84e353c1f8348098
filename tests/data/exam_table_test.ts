/** Tables that say more about exams, and what is refused of them. */
import assert from "node:assert/strict";
import { columnOf, parseExamTable, readExamTable } from "../../lib/data/exam_table.ts";

const parse = (text: string) => parseExamTable(text, "groups.csv");

Deno.test("a table has a column for each name, and the ids of label files", () => {
  const table = parse("ID;scanner;side\r\n12;GE;left\r\n13;;right\r\n14;Siemens\r\n");
  assert.deepEqual(table.columns, ["scanner", "side"]);
  assert.deepEqual([...table.rows.keys()], ["0012", "0013", "0014"]);
  assert.deepEqual([...columnOf(table, "scanner")], [["0012", "GE"], ["0014", "Siemens"]]);
  assert.deepEqual([...columnOf(table, "side")], [["0012", "left"], ["0013", "right"]]);
});

Deno.test("what is no table of exams is refused in one line that says what to do", () => {
  const header = "begin it with 'id' and the names of 1 to 50 columns, as 'id,scanner'";
  const cases: [string, string][] = [
    ["", "it holds no exams: put a line for each exam below the header"],
    ["id,side\n", "it holds no exams: put a line for each exam below the header"],
    ["12,left\n", `its first line is '12,left': ${header}`],
    ["id\n12\n", `its first line is 'id': ${header}`],
    ["id,side,side\n", `its first line is 'id,side,side': ${header}`],
    ["id,side\n12,left,GE\n", "line 2: 3 values: give 2, as in the first line"],
    [
      "id,side\n12,left\n0012,left\n",
      "line 3: the exam '0012' was there before: name each exam once",
    ],
    ["id,side\n../x,left\n", "line 2: '../x' is not an exam's id: give the id of the label file"],
    [`id,side\n12,${"x".repeat(101)}\n`, "line 2: a value has 101 characters: write at most 100"],
    ['id,side\n12,"left\n', "a quote is opened and never closed: write each line as 'id,value,…'"],
  ];
  for (const [text, found] of cases) {
    assert.throws(() => parse(text), {
      name: "DataError",
      message: `Cannot use the table of exams 'groups.csv': ${found}`,
    });
  }
});

Deno.test("a column that is not there is refused with those that are", () => {
  assert.throws(() => columnOf(parse("id,site,side\n12,a,b\n"), "patient"), {
    message:
      "Cannot use the table of exams 'groups.csv': it has no column 'patient', but 'site', " +
      "'side': begin it with the line 'id,patient'",
  });
});

Deno.test("a file that is not there is one line", async () => {
  await assert.rejects(readExamTable("no/such.csv"), {
    name: "DataError",
    message: /^Cannot read the table of exams 'no\/such\.csv': /,
  });
});
