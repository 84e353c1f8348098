/** Reader mode: whose answers are kept, what is hidden until then, and how reader and model compare. */
import assert from "node:assert/strict";
import { createHandler } from "../../lib/serve/handler.ts";
import { compareReader } from "../../lib/serve/viewer/reader_comparison.ts";
import { decodeAnswers, ReaderAnswers } from "../../lib/serve/viewer/reader_answers.ts";
import { examBytes, TemporaryFolder, writeTinyDataset } from "../support/folders.ts";
import { assertNear } from "../support/metrics_golden.ts";
import { writeModel } from "../support/served_models.ts";

/** The engine outlives the tests on purpose. */
const OUTLIVING = { sanitizeOps: false, sanitizeResources: false };

const HEAD = "split,id,task,answer,answered_at\n";

Deno.test("an answer is in the file when it is taken, the first one stands, and none is lost", async () => {
  await using folder = await TemporaryFolder.make();
  const path = folder.at("answers.csv");
  const answers = new ReaderAnswers(path);
  await answers.prepare();
  assert.equal(await Deno.readTextFile(path), HEAD);
  const [first, second] = [{ split: "valid", id: "0001" }, { split: "train", id: "0001" }] as const;
  await answers.give(first, { meniscus: 0, acl: 1 });
  const lines = (await Deno.readTextFile(path)).split("\n");
  assert.match(lines[1], /^valid,0001,acl,1,\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.match(lines[2], /^valid,0001,meniscus,0,/);
  await assert.rejects(
    answers.give(first, { abnormal: 1, acl: 0 }),
    /The exam '0001' is answered \(acl\): the first answer stands/,
  );
  assert.deepEqual(await answers.give(first, { abnormal: 1 }), {
    acl: 1,
    meniscus: 0,
    abnormal: 1,
  });
  await answers.give(second, { acl: 0 });
  // What another program wrote in the meantime is kept; a spreadsheet may have saved it.
  const saved = (await Deno.readTextFile(path)).replaceAll("\n", "\r\n");
  await Deno.writeTextFile(path, `\uFEFF${saved}valid,0009,acl,1,30.11.2026 10:15\r\n`);
  // Many at once: each is there, in one whole file.
  await Promise.all(
    Array.from(
      { length: 20 },
      (_, index) => answers.give({ split: "valid", id: `1${100 + index}` }, { acl: 1 }),
    ),
  );
  const all = await new ReaderAnswers(path).all();
  assert.equal(all.size, 23);
  assert.deepEqual(all.get("valid/0001"), { acl: 1, meniscus: 0, abnormal: 1 });
  assert.deepEqual(all.get("valid/0009"), { acl: 1 });
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.at("")), ({ name }) => name), [
    "answers.csv",
  ]);
});

Deno.test("a file that is no reader's answers is named, left alone, and nothing is taken", async () => {
  const fault = (text: string) => {
    try {
      decodeAnswers(new TextEncoder().encode(text), "a.csv");
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const hint = `: give a file that begins with '${HEAD.trim()}', or the name of a new one`;
  const begin = "Cannot use 'a.csv' for a reader's answers: ";
  assert.equal(fault(""), `${begin}it is empty${hint}`);
  assert.equal(fault("0001,1\n"), `${begin}its first line is '0001,1'${hint}`);
  for (
    const line of [
      "test,0001,acl,1,",
      "valid,../x,acl,1,",
      "valid,0001,knee,1,",
      "valid,0001,acl,2,",
      "valid,0001,acl",
    ]
  ) {
    assert.match(fault(`${HEAD}${line}\n`), /^Cannot use 'a\.csv' .*: line 2 is '/, line);
  }
  assert.match(
    fault(`${HEAD}valid,0001,acl,1,\nvalid,0001,acl,0,\n`),
    /line 3 answers what line 2 does/,
  );
  await using folder = await TemporaryFolder.make();
  const path = folder.at("a.csv");
  await Deno.writeTextFile(path, "0001,1\n");
  const answers = new ReaderAnswers(path);
  await assert.rejects(answers.prepare(), /its first line is '0001,1'/);
  await assert.rejects(answers.give({ split: "valid", id: "0001" }, { acl: 1 }), /its first line/);
  assert.equal(await Deno.readTextFile(path), "0001,1\n");
  const nowhere = new ReaderAnswers(folder.at("none/a.csv"));
  await assert.rejects(nowhere.prepare(), /Cannot write '.*a\.csv'/);
});

Deno.test("reader and model are compared on the same exams", () => {
  // Of 10 exams with the finding the reader calls 9, the model 4, both 4; of 8 without 1 and 1, each another.
  const exam = (label: 0 | 1, answer: 0 | 1, decision: boolean, logit: number) => ({
    label,
    answer,
    decision,
    logit,
  });
  const exams = [
    ...Array.from({ length: 4 }, () => exam(1, 1, true, 2)),
    ...Array.from({ length: 5 }, () => exam(1, 1, false, -1)),
    exam(1, 0, false, -1),
    exam(0, 1, false, -2),
    exam(0, 0, true, 1),
    ...Array.from({ length: 6 }, () => exam(0, 0, false, -2)),
  ];
  const { positives, negatives, reader, model, kappa, p } = compareReader(exams);
  assert.deepEqual([positives, negatives], [10, 8]);
  assert.deepEqual([reader.sensitivity.value, reader.specificity.value], [0.9, 0.875]);
  assert.deepEqual([model.sensitivity.value, model.specificity.value], [0.4, 0.875]);
  // Each positive's wins over the negatives: 4 over all 8, 6 over the 7 at −2.
  assertNear(model.auc.value, (4 * 8 + 6 * 7) / 80, 1e-12);
  assert.equal(p.sensitivity, 2 / 2 ** 5);
  assert.equal(p.specificity, 1);
  // Both 4, the reader alone 6, the model alone 1, neither 7 of 18.
  const byChance = (10 * 5 + 8 * 13) / 18 ** 2;
  assertNear(kappa.value, (11 / 18 - byChance) / (1 - byChance), 1e-12);
  const none = compareReader([]);
  for (const value of [none.kappa.value, none.model.auc.value, none.p.sensitivity]) {
    assert.ok(Number.isNaN(value));
  }
});

Deno.test(
  "what models and labels say of an exam is told after the reader's answer",
  OUTLIVING,
  async () => {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await writeModel(folder.at("acl.safetensors"), 1, { task: "acl", plane: "coronal" });
    const data = folder.at("data");
    const reader = folder.at("answers.csv");
    const handler = createHandler({
      models: [folder.at("acl.safetensors")],
      engine: "wasm",
      viewer: { data, reader },
    });
    const ask = async (path: string, method = "GET", body?: FormData) => {
      const init = { method, body };
      const response = await handler(new Request(`http://localhost/viewer/${path}`, init));
      return { status: response.status, text: await response.text() };
    };
    await handler.ready();
    assert.equal(await Deno.readTextFile(reader), HEAD, "made at the start");
    const setup = async () => JSON.parse((await ask("setup")).text);
    const before = await setup();
    assert.deepEqual(before.reader, { tasks: ["acl"] });
    for (const { labels, answers } of before.exams) assert.deepEqual([labels, answers], [{}, {}]);
    assert.deepEqual(await ask("reading/valid/0002"), {
      status: 403,
      text: JSON.stringify({
        type: "about:blank",
        title: "Forbidden",
        status: 403,
        detail: "What the models say of the exam '0002' is told after your answer",
      }),
    });
    assert.equal((await ask("verdicts?split=valid")).text, '{"id":"0002"}\n{"id":"0003"}\n');
    // A file of the dataset is not to be asked about by the back door.
    const body = new FormData();
    body.append("coronal", new Blob([examBytes() as BlobPart]), "exam.npy");
    assert.equal((await ask("exams", "POST", body)).status, 403);

    const give = (path: string) => ask(`answers/${path}`, "POST");
    assert.equal((await give("valid/0009?acl=1")).status, 404);
    assert.match(
      (await give("valid/0002?acl=2")).text,
      /An answer must be 1 or 0 of abnormal, acl/,
    );
    assert.match((await give("valid/0002")).text, /An answer must be about each finding: acl/);
    assert.equal(await Deno.readTextFile(reader), HEAD);
    const given = await give("valid/0002?acl=1");
    assert.deepEqual([given.status, JSON.parse(given.text)], [200, {
      answers: { acl: 1 },
      labels: { acl: 0 },
    }]);
    assert.match((await give("valid/0002?acl=0")).text, /the first answer stands/);
    const [read, hidden] = (await setup()).exams;
    assert.deepEqual([read.labels, read.answers], [{ acl: 0 }, { acl: 1 }]);
    assert.deepEqual([hidden.labels, hidden.answers], [{}, {}]);
    const compare = async () => JSON.parse((await ask("comparison?split=valid&model=acl")).text);
    assert.deepEqual([(await compare()).answered, (await compare()).unread], [1, 1]);
    assert.equal((await ask("reading/valid/0002")).status, 200);
    const verdicts = (await ask("verdicts?split=valid")).text;
    assert.match(verdicts, /^\{"id":"0002","verdicts":\[\{"model":"acl".*\n\{"id":"0003"\}\n$/);
    const { negatives, reader: own, kappa } = await compare();
    assert.equal(negatives, 1);
    assert.equal(own.specificity.value, 0);
    assert.equal(kappa.value, null, "one exam tells none");
    // What cannot be kept is not taken.
    await Deno.writeTextFile(reader, "another file\n");
    const refused = await give("valid/0003?acl=1");
    assert.equal(refused.status, 503);
    assert.match(refused.text, /This answer was not taken, as it cannot be kept: Cannot use /);

    const without = createHandler({ viewer: { data } });
    for (const [path, method] of [["answers/valid/0002?acl=1", "POST"], ["comparison", "GET"]]) {
      const response = await without(new Request(`http://localhost/viewer/${path}`, { method }));
      assert.equal(response.status, 404);
    }
    assert.throws(() => createHandler({ viewer: { reader } }), {
      name: "OptionError",
      message:
        `Cannot keep a reader's answers in '${reader}': give the folder of the exams, data, too`,
    });
  },
);
