import assert from "node:assert/strict";
import process from "node:process";
import fc from "npm:fast-check@4.10.2";
import {
  examFile,
  examId,
  formatLabels,
  labelFile,
  MAX_LABEL_BYTES,
  parseLabels,
  readLabels,
} from "../../lib/data/labels.ts";
import type { Label } from "../../lib/terms.ts";

const PATH = "data/train-acl.csv";
const EACH = "each line must be 'id,label' with the label 0 or 1";

function refuses(text: string, found: string): void {
  assert.throws(() => parseLabels(text, PATH), {
    name: "DataError",
    message: `Cannot read the labels '${PATH}': ${found}`,
  });
}

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a label file of MRNet is read in its order", async () => {
  await withFile(new TextEncoder().encode("0001,1\n0000,0\n1129,1\n"), async (path) => {
    assert.deepEqual(await readLabels(path), [
      { id: "0001", label: 1 },
      { id: "0000", label: 0 },
      { id: "1129", label: 1 },
    ]);
  });
});

Deno.test("line ends, quotes, blanks, empty lines and a byte order mark do not matter", () => {
  const expected = [{ id: "0001", label: 1 }, { id: "0002", label: 0 }, {
    id: "knee-3_L",
    label: 1,
  }];
  for (
    const text of [
      "1,1\n2,0\nknee-3_L,1",
      "1,1\r\n2,0\r\nknee-3_L,1\r\n",
      "1,1\r2,0\rknee-3_L,1\r",
      "\ufeff1,1\r\n2,0\nknee-3_L,1\r",
      '"1","1"\n"0002",0\n"knee-3_L","1"\n',
      "\n 1 , 1\n\n\t2,\t0 \n   \nknee-3_L,1\n\n",
    ]
  ) assert.deepEqual(parseLabels(text, PATH), expected);
});

Deno.test("what spreadsheets leave behind does not matter", () => {
  const expected = [{ id: "0001", label: 1 }, { id: "0002", label: 0 }];
  for (
    const text of [
      "1,1\r\n2,0\r\n,\r\n,\r\n",
      "1,1\n2,0\n,,,\n",
      "1,1,,\n2,0,,\n,,,\n",
      "1,1\n2,0,\n",
      "1;1\r\n2;0\r\n;\r\n;;;\r\n",
      "\ufeff1;1;\r\n2;0;\r\n",
      "sep=;\r\n1;1\r\n2;0\r\n",
      "\ufeffsep=,\n1,1\n2,0\n",
      "1\t1\n2\t0\n\t\n",
      "1,1\r\n2,0\r\n\x1a",
      "1,1\n2,0\x1a\n",
      ',""\n1,1\n" "," "\n2,0\n',
    ]
  ) assert.deepEqual(parseLabels(text, PATH), expected, JSON.stringify(text));
});

Deno.test("lines keep their numbers behind what is passed over", () => {
  refuses("sep=;\r\n1;1\r\n;;\r\n2;7\r\n", `line 4: the label '7' is not 0 or 1: ${EACH}`);
  refuses(
    "1,1,\n2,,\n3,1,x\n",
    `line 2: the label '' is not 0 or 1; line 3: 3 values instead of 2: ${EACH}`,
  );
  refuses("1;0\n2,1\n", `line 2: 1 value instead of 2: ${EACH}`);
});

Deno.test("a file of 90,000 lines with a separator too many is read in seconds", () => {
  const begin = process.cpuUsage().user;
  const text = Array.from({ length: 90_000 }, (_, i) => `${i},1,\n`).join("");
  assert.equal(parseLabels(text, PATH).length, 90_000);
  // Of this process, whatever else the machine does; in microseconds.
  assert.ok(process.cpuUsage().user - begin < 3e6);
});

Deno.test("numbers are padded to four digits, names are not", () => {
  assert.deepEqual(["7", "0012", "12345", "a7", "-7"].map(examId), [
    "0007",
    "0012",
    "12345",
    "a7",
    "-7",
  ]);
});

Deno.test("all faulty lines are named at once, each with its number", () => {
  refuses(
    [
      "id,label",
      "1,1",
      "2",
      "3,0,1",
      "",
      "../4,1",
      "a/b,0",
      "5,1.0",
      "6,",
      ",1",
      "0001,1",
    ].join("\r\n"),
    "line 1: the label 'label' is not 0 or 1; line 3: 1 value instead of 2; " +
      "line 4: 3 values instead of 2; line 6: '../4' is not an exam's id; " +
      "line 7: 'a/b' is not an exam's id; line 8: the label '1.0' is not 0 or 1; " +
      "line 9: the label '' is not 0 or 1; line 10: '' is not an exam's id; " +
      `line 11: the id '0001' was already in line 2: ${EACH}`,
  );
});

Deno.test("after ten faulty lines the others are counted", () => {
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `${i},2`).join("\n");
  const fault = (line: number) => `line ${line}: the label '2' is not 0 or 1`;
  const ten = Array.from({ length: 10 }, (_, i) => fault(i + 1)).join("; ");
  refuses(lines(10), `${ten}: ${EACH}`);
  refuses(lines(500), `${ten}; and 490 more: ${EACH}`);
});

for (
  const label of ["2", "-1", "01", "1.0", "true", "yes", "0 1", "١", "NaN", "1e0"]
) {
  Deno.test(`the label '${label}' is refused`, () => {
    const shown = label.replace(/[^ -~]/, "?");
    refuses(`1,0\n2,${label}\n`, `line 2: the label '${shown}' is not 0 or 1: ${EACH}`);
  });
}

for (const id of ["..", "a.npy", "a b", "a\\b", "ä", "a;0", "١٢", "%2e", "a".repeat(65)]) {
  Deno.test(`the id '${id}' is refused`, () => {
    const shown = id.length > 40 ? `${id.slice(0, 40)}...` : id.replace(/[^ -~]/g, "?");
    refuses(`1,0\n${id},1\n`, `line 2: '${shown}' is not an exam's id: ${EACH}`);
    assert.throws(() => examFile("data", "train", "axial", id), {
      name: "DataError",
      message: `Cannot find an exam: '${shown}' is not the name of one: ` +
        "give letters, digits, '_' and '-', at most 64",
    });
  });
}

Deno.test("a quote out of place is refused", () => {
  const hint = "write each line as 'id,label', without quotes";
  refuses('1,0\n2"3,1\n', `line 2: a quote is out of place: ${hint}`);
  refuses('1,0\n"2"3,1\n', `line 2: a quote is out of place: ${hint}`);
  refuses('1,0\n"2,1\n3,0\n', `a quote is opened and never closed: ${hint}`);
});

Deno.test("a file without labels is refused", () => {
  for (const text of ["", "\n\r\n", "\ufeff", "  \n"]) {
    refuses(text, "it holds no labels: put a line 'id,label' for each exam");
  }
});

Deno.test("a file that is not UTF-8 text is refused", async () => {
  const utf16 = Uint8Array.of(0xff, 0xfe, 0x31, 0x00, 0x2c, 0x00, 0x31, 0x00);
  await withFile(utf16, async (path) => {
    await assert.rejects(readLabels(path), {
      name: "DataError",
      message: `Cannot read the labels '${path}': it is not UTF-8 text: save it as CSV in UTF-8`,
    });
  });
  refuses("1,\u00001\n", "it holds zero bytes, so it is not text: save it as CSV in UTF-8");
});

Deno.test("a file too large for labels is refused before it is read", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    await Deno.truncate(path, MAX_LABEL_BYTES + 1);
    await assert.rejects(readLabels(path), {
      name: "DataError",
      message: `Cannot read the labels '${path}': it is 1048577 bytes long, allowed are 1048576: ` +
        "give a file of lines 'id,label'",
    });
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a label file that is missing or a folder is refused", async () => {
  const hint = "check that the label file is there and can be read";
  await assert.rejects(readLabels("data/none-acl.csv"), {
    name: "DataError",
    message: `Cannot read the labels 'data/none-acl.csv': there is no such file or folder: ${hint}`,
  });
  await assert.rejects(readLabels("lib"), {
    name: "DataError",
    message: `Cannot read the labels 'lib': it is a folder: ${hint}`,
  });
});

Deno.test({
  name: "a label file that Deno may not read is refused with the flag to add",
  permissions: { read: false },
  fn: async () => {
    await assert.rejects(readLabels(PATH), {
      name: "PermissionError",
      message: `Cannot read the labels '${PATH}': Deno has no permission for it: ` +
        "run again with --allow-read=data",
    });
  },
});

Deno.test("files are where MRNet has them", () => {
  assert.equal(labelFile("data", "valid", "meniscus"), "data/valid-meniscus.csv");
  assert.equal(labelFile("/mnt/mrnet/", "train", "acl"), "/mnt/mrnet/train-acl.csv");
  assert.equal(examFile("data", "train", "sagittal", "12"), "data/train/sagittal/0012.npy");
});

Deno.test("labels that were written are read back", () => {
  assert.equal(formatLabels([{ id: "12", label: 1 }, { id: "b", label: 0 }]), "0012,1\nb,0\n");
  const device = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
  const row = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).filter((id) => !device.test(id)),
    label: fc.constantFrom<Label>(0, 1),
  });
  const rows = fc.uniqueArray(row, { minLength: 1, selector: ({ id }) => examId(id) });
  fc.assert(fc.property(rows, (rows) => {
    const read = parseLabels(formatLabels(rows), PATH);
    assert.deepEqual(read, rows.map(({ id, label }) => ({ id: examId(id), label })));
  }));
});

Deno.test("any text is read or refused in one line", () => {
  const text = fc.array(fc.constantFrom(...'01,,"\n\r\t a/.\ufeff\u2028é')).map((parts) =>
    parts.join("")
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        assert(parseLabels(text, PATH).length > 0);
      } catch (error) {
        assert(error instanceof Error && error.name === "DataError", String(error));
        assert.match(error.message, /^[ -~]+$/);
      }
    }),
    { numRuns: 500 },
  );
});
