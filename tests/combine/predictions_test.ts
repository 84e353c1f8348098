import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { parsePredictions, readPredictions } from "../../lib/combine/predictions.ts";
import { TemporaryFolder } from "../support/folders.ts";
import { assertWithin } from "../support/time.ts";

const HEADER = "label,axial,coronal,sagittal\n";

function refuses(text: string, found: string): void {
  assert.throws(() => parsePredictions(text, "t.csv"), {
    name: "DataError",
    message: `Cannot read the predictions 't.csv': ${found}`,
  });
}

Deno.test("columns are found by name, in any order, others passed over", () => {
  const expected = [
    { label: 1, probabilities: { axial: 0.8, coronal: 1, sagittal: 0.9 } },
    { label: 0, probabilities: { axial: 0.05, coronal: 0, sagittal: 0.1 } },
  ];
  for (
    const text of [
      HEADER + "1,0.8,1,0.9\n0,.05,0,1e-1\n",
      "\ufeffSagittal, exam ,LABEL,coronal,axial\r\n0.9,0012,1,1.0,0.8\r\n\r\n0.1,0013,0,0,5e-2",
    ]
  ) assert.deepEqual(parsePredictions(text, "t.csv"), expected);
});

Deno.test("what is wrong is named with its line", () => {
  const each = "labels are 0 or 1, probabilities numbers in 0–1";
  const first = "let the first line be the columns' names, label,axial,coronal,sagittal among them";
  refuses(
    HEADER + "1,0.8,1.01,0.9\n2,0,0,0\n\n0,0,0\n1,0,0,nan\n0,,0,0\n0,0x1,0,0\n0,-0.1,0,0\n",
    "line 2: the coronal probability '1.01' is not a number in 0–1; " +
      "line 3: the label '2' is not 0 or 1; " +
      "line 5: 3 values where the header names 4 columns; " +
      "line 6: the sagittal probability 'nan' is not a number in 0–1; " +
      "line 7: the axial probability '' is not a number in 0–1; " +
      "line 8: the axial probability '0x1' is not a number in 0–1; " +
      `line 9: the axial probability '-0.1' is not a number in 0–1: ${each}`,
  );
  refuses(
    HEADER + "7,0,0,0\n".repeat(12),
    [
      ...Array.from({ length: 10 }, (_, i) => `line ${i + 2}: the label '7' is not 0 or 1`),
      `and 2 more: ${each}`,
    ].join("; "),
  );
  refuses(
    "label,axial\n1,0.5\n",
    `line 1: there is no column coronal and no column sagittal: ${first}`,
  );
  refuses(
    "1,0.8,1,0.9\n",
    [
      "line 1: there is no column label and no column axial and no column coronal",
      ` and no column sagittal: ${first}`,
    ].join(""),
  );
  refuses(
    "label,axial,axial,coronal,sagittal\n",
    `line 1: there are several columns 'axial': ${first}`,
  );
  refuses(
    HEADER + "1,0\n".repeat(1001),
    "more than 1000 lines have not the header's 4 values: give a table with a line a patient",
  );
  const more = HEADER.trim() + ",x".repeat(997);
  refuses(
    `${more}\n1,0,0,0\n`,
    "line 1: it names 1001 columns, allowed are 1000: leave out all but label, axial, coronal, sagittal",
  );
  refuses(HEADER, "it holds no predictions: put a line for each patient");
  refuses(
    HEADER + "1,0,0,0\n1,1,1,1\n",
    "all 2 labels, lines 2 to 3, are 1: patients with the finding and patients without it are needed",
  );
  refuses(
    HEADER + '1,"0,0,0\n',
    "a quote is opened and never closed: write numbers without quotes",
  );
});

Deno.test("blanks without end are no table, and soon found not to be one", () => {
  const start = performance.now();
  const first = "let the first line be the columns' names, label,axial,coronal,sagittal among them";
  for (const blank of [" ", "\t", "\u00a0", " \n"]) {
    refuses(
      blank.repeat(200_000),
      "line 1: there is no column label and no column axial and no column coronal" +
        ` and no column sagittal: ${first}`,
    );
  }
  assertWithin(performance.now() - start, 5000);
});

Deno.test("any text is a table or refused in the reader's own words", () => {
  const cell = fc.oneof(fc.constantFrom("label", "axial", "coronal", "sagittal", "0", "1", '"'));
  const table = fc.array(fc.array(cell).map((cells) => cells.join(","))).map((rows) =>
    HEADER + rows.join("\n")
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), table), (text) => {
      try {
        const rows = parsePredictions(text, "t.csv");
        assert.ok(rows.length >= 2);
      } catch (error) {
        assert.match(`${error}`, /^DataError: Cannot read the predictions 't\.csv': [^\n]+$/);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("a file that is missing or not text is refused", async () => {
  await using folder = await TemporaryFolder.make();
  await assert.rejects(readPredictions(folder.at("none.csv")), /there is no such file or folder/);
  await folder.write("latin.csv", Uint8Array.of(0xe9, 0x0a));
  await assert.rejects(readPredictions(folder.at("latin.csv")), /it is not UTF-8 text/);
  await folder.write("good.csv", HEADER + "1,0,0,0\n0,1,1,1\n");
  assert.equal((await readPredictions(folder.at("good.csv"))).length, 2);
});
