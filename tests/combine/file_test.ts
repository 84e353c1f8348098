import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { byPlane, type Combination, combinedProbability } from "../../lib/combine/combination.ts";
import {
  formatCombination,
  MAX_COMBINATION_BYTES,
  parseCombination,
  readCombination,
  writeCombination,
} from "../../lib/combine/file.ts";
import { TemporaryFolder } from "../support/folders.ts";

const MEMBER = { file: "model.safetensors", sha256: "0".repeat(64) };
const COMBINATION: Combination = {
  task: "acl",
  coefficients: { axial: 1.5, coronal: -0.25, sagittal: 2 },
  intercept: -1.75,
  members: { axial: MEMBER, coronal: MEMBER, sagittal: MEMBER },
  fitOn: "tune",
  tune: { fraction: 0.1, seed: 0 },
  exams: 113,
  positives: 23,
  auc: 0.97,
  operatingPoint: { threshold: 0.5, rule: "youden", exams: "tune" },
};

/** The file with some of its keys changed. */
function changed(change: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(formatCombination(COMBINATION)), ...change });
}

function refuses(text: string, found: string): void {
  assert.throws(() => parseCombination(text, "c.json"), {
    name: "WeightsError",
    message:
      `Cannot use the combination 'c.json': ${found}: give a file that 'cli.ts combine' wrote`,
  });
}

Deno.test("the probability is the sigmoid of the weighted sum", () => {
  const { coefficients, intercept } = COMBINATION;
  const planes = { axial: 0.5, coronal: 1, sagittal: 0.25 };
  const sum = 1.5 * 0.5 - 0.25 * 1 + 2 * 0.25 - 1.75;
  assert.equal(
    combinedProbability({ coefficients, intercept }, planes),
    1 / (1 + Math.exp(-sum)),
  );
  assert.throws(() => combinedProbability(COMBINATION, { ...planes, coronal: 1.2 }), {
    name: "OptionError",
    message: "Cannot combine the planes: the coronal probability is 1.2: give a number in 0–1",
  });
  assert.throws(() => combinedProbability(COMBINATION, { axial: 0, coronal: 0 } as never), {
    message: "Cannot combine the planes: the sagittal probability is undefined: " +
      "give a number in 0–1",
  });
});

Deno.test("what is written is read back, and says what fitting on other exams does", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("combined.json");
  const table: Combination = {
    ...COMBINATION,
    fitOn: "table",
    operatingPoint: { ...COMBINATION.operatingPoint, exams: "table" },
  };
  for (const key of ["task", "members", "tune"] as const) delete table[key];
  for (const combination of [COMBINATION, table]) {
    await writeCombination(path, combination);
    assert.deepEqual(await readCombination(path), combination);
  }
  const { remark, planes, version } = JSON.parse(await folder.text("combined.json"));
  assert.match(remark, /^Fitted on predictions made elsewhere: /);
  assert.deepEqual([planes, version], [["axial", "coronal", "sagittal"], 1]);
  assert.equal(JSON.parse(formatCombination(COMBINATION)).remark, undefined);
});

Deno.test("a value that is not what its key promises is refused by name", () => {
  refuses("[]", "it is no JSON object");
  refuses(changed({ format: "other" }), "its format is not 'mrnet-combination'");
  refuses(changed({ version: 2 }), "its version is 2 and not 1");
  refuses(
    changed({ task: "knee" }),
    'its task is "knee", needed is one of abnormal, acl, meniscus',
  );
  refuses(changed({ task: undefined }), "its task is missing");
  refuses(
    changed({ coefficients: { axial: 1, coronal: 2 } }),
    "its coefficients.sagittal is missing, needed is a number",
  );
  refuses(changed({ intercept: "1" }), 'its intercept is "1", needed is a number');
  refuses(changed({ exams: 1 }), "its exams is 1, needed is a whole number of at least 2");
  refuses(changed({ positives: 113 }), "its positives is 113, needed is a whole number in 1–112");
  refuses(changed({ auc: 1.01 }), "its auc is 1.01, needed is a number in 0–1");
  refuses(
    changed({ members: { axial: MEMBER, coronal: { ...MEMBER, sha256: "AB" }, sagittal: MEMBER } }),
    'its members.coronal.sha256 is "AB", needed is 64 hexadecimal digits',
  );
  refuses(
    changed({ members: { axial: { ...MEMBER, intensity: "bright" }, coronal: MEMBER } }),
    'its members.axial.intensity is "bright", needed is one of raw, standardized',
  );
  refuses(changed({ members: [] }), "its members is [], needed is an object");
  refuses(changed({ tune: undefined }), "its tune is missing, though it was fitted on that");
  refuses(
    changed({ tune: { fraction: 1, seed: 0 } }),
    'its tune is {"fraction":1,"seed":0} (Cannot keep 1 of the training exams out: ' +
      "give a share between 0 and 1, such as 0.1)",
  );
  refuses(
    changed({ operating_point: { threshold: 0.5, rule: "youden", exams: "valid" } }),
    `its operating_point.exams is "valid", needed is 'tune'`,
  );
});

Deno.test("the file keeps the rule of the operating point, and refuses what is none", () => {
  const operatingPoint = { threshold: 0.3, rule: "sensitivity=0.95", exams: "tune" } as const;
  const text = formatCombination({ ...COMBINATION, operatingPoint });
  assert.deepEqual(parseCombination(text, "a.json").operatingPoint, operatingPoint);
  assert.throws(
    () => parseCombination(text.replace("sensitivity=0.95", "sensitivity=95"), "a.json"),
    /its operating_point\.rule is "sensitivity=95", needed is youden, sensitivity=S/,
  );
});

Deno.test("the file says which patients it was fitted on, as long as there is room for that", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("combined.json");
  const of = async (exams: number) => {
    const fitExams = Array.from({ length: exams }, (_, at) => at.toString(16).padStart(16, "0"));
    await writeCombination(path, { ...COMBINATION, exams, fitExams });
    assert.ok(Deno.statSync(path).size < MAX_COMBINATION_BYTES);
    return [(await readCombination(path)).fitExams, fitExams];
  };
  for (const exams of [113, 1250, 4000]) {
    const [read, written] = await of(exams);
    assert.deepEqual(read, written);
  }
  assert.equal((await of(4001))[0], undefined);
  const text = formatCombination({ ...COMBINATION, fitExams: ["0".repeat(16)] });
  assert.throws(
    () => parseCombination(text, "a.json"),
    /its fit_exams are 1, though its exams are 113/,
  );
  assert.throws(
    () => parseCombination(text.replace(/"AAA[^"]*"/, '"A"'), "a.json"),
    /its fit_exams are "A" \(hashes of exams in base64, 8 bytes each/,
  );
});

Deno.test("a member is a path of bearable length without control characters", () => {
  const text = formatCombination({
    ...{ coefficients: { axial: 1, coronal: 1, sagittal: 1 }, intercept: 0, task: "acl" },
    ...{ fitOn: "tune", tune: { fraction: 0.1, seed: 0 }, exams: 10, positives: 5, auc: 0.9 },
    operatingPoint: { threshold: 0.5, rule: "youden", exams: "tune" },
    members: byPlane(() => ({ file: "a", sha256: "0123456789abcdef".repeat(4) })),
  });
  const named = (file: string) => text.replace('"file": "a"', `"file": ${JSON.stringify(file)}`);
  assert.equal(parseCombination(named("x".repeat(255)), "c").members!.axial.file.length, 255);
  for (const file of ["", "x".repeat(256), "a\x1b[31mred", "a\nb", "a\0"]) {
    assert.throws(() => parseCombination(named(file), "c.json"), (error: Error) => {
      assert.equal(error.name, "WeightsError");
      assert.ok(error.message.includes("needed is the path of a file, at most 255 characters"));
      assert.ok(!/\p{Cc}/u.test(error.message));
      return true;
    });
  }
});

Deno.test("any text is a combination or refused in the reader's own words", () => {
  const good = formatCombination(COMBINATION);
  const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(20), fc.string({ maxLength: 5 }))
    .map(([at, cut, put]) => good.slice(0, at) + put + good.slice(at + cut));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
      try {
        parseCombination(text, "c.json");
      } catch (error) {
        assert.match(`${error}`, /^WeightsError: Cannot use the combination 'c\.json': [^\n]+$/);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a file that is missing or far too long is refused", async () => {
  await using folder = await TemporaryFolder.make();
  const missing = folder.at("none.json");
  await assert.rejects(readCombination(missing), {
    name: "WeightsError",
    message: `Cannot read the combination '${missing}': there is no such file or folder: ` +
      "check the path",
  });
  await folder.write("long.json", " ".repeat(200_000));
  await assert.rejects(readCombination(folder.at("long.json")), /it is 200000 bytes long/);
});
