import assert from "node:assert/strict";
import { loadClassifier } from "../../lib/classifier/load.ts";
import { readExam } from "../../lib/data/exam.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { gatherPlan } from "../../lib/plan/gather.ts";
import { makePlan } from "../../lib/plan/make_plan.ts";
import { isPredicted, soundRows } from "../../lib/plan/partial_table.ts";
import { runUnit } from "../../lib/plan/unit.ts";
import { runUnits } from "../../lib/plan/units.ts";
import { PLANES } from "../../lib/terms.ts";
import { runCli } from "../support/cli.ts";
import { writeCombined, writeMember, writePlanes } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

await startEngine("wasm", { threads: 1 });

/** A manifest of seven exams, of which one is missing, one is broken and one is not named. */
async function prepare(folder: TemporaryFolder): Promise<void> {
  await writePlanes(folder, { train: 6, valid: 2 });
  const rows = [0, 1, 2, 3, 4, 5].map((number) => {
    const id = `000${number}`;
    return `knee ${number},${PLANES.map((plane) => `data/train/${plane}/${id}.npy`).join()}`;
  });
  rows.push(`nothing,,data/train/coronal/0000.npy,data/train/sagittal/0000.npy`);
  await folder.write("exams.csv", ["id,axial,coronal,sagittal", ...rows, ""].join("\n"));
  await Deno.remove(folder.at("data/train/axial/0002.npy"));
  await folder.write("data/train/axial/0003.npy", "none");
}

const table = (text: string) => text.trim().split("\n").map((row) => row.split(","));

Deno.test("an archive is scored in chunks, and unreadable exams are listed with the reason", async () => {
  await using folder = await TemporaryFolder.make();
  await prepare(folder);
  const model = await writeMember(folder, "axial");
  const out = folder.at("plan");
  const options = {
    kind: "score",
    out,
    manifest: folder.at("exams.csv"),
    model,
    chunk: 3,
  } as const;
  const { plan } = await makePlan({ ...options, engine: "wasm", threads: 1 });
  assert.deepEqual(plan.units, [
    { index: 0, id: "chunk-0001", first: 0, count: 3 },
    { index: 1, id: "chunk-0002", first: 3, count: 3 },
    { index: 2, id: "chunk-0003", first: 6, count: 1 },
  ]);
  // A chunk that was stopped goes on behind what it has predicted, also what it could not read.
  const stop = new AbortController();
  const stopped = await runUnit(out, {
    index: 0,
    signal: stop.signal,
    onEvaluated: () => stop.abort(),
  });
  assert.equal(stopped.state, "saved");
  const partial = "plan/units/chunk-0001/predictions-0.partial.csv";
  assert.deepEqual(await folder.files("plan/units"), [partial.slice("plan/units/".length)]);
  assert.equal((await folder.text(partial)).trim().split("\n").length, 3);
  const scored: number[] = [];
  const gone = await runUnit(out, { index: 0, onEvaluated: ({ done }) => void scored.push(done) });
  assert.deepEqual([gone.state, scored], ["done", [2, 3]]);
  assert.deepEqual(await folder.files("plan/units"), [
    ...["chunk-0001/predictions-0.csv", "chunk-0001/unit.json"],
  ]);
  const { done } = await runUnits(out);
  assert.equal(done, 3);

  const gathered = await gatherPlan(out);
  assert.ok(gathered.kind === "score");
  assert.deepEqual(gathered.unreadable.map(({ id }) => id), ["knee 2", "knee 3", "nothing"]);
  assert.match(gathered.unreadable[0].reason, /0002\.npy': there is no such file/);
  const [head, ...rows] = table(await folder.text("plan/predictions.csv"));
  assert.deepEqual(head, [
    ...["id", "probability", "logit", "decision", "threshold", "odd", "unreadable"],
  ]);
  assert.deepEqual(rows.map(([id]) => id), [
    ...["knee 0", "knee 1", "knee 2", "knee 3", "knee 4", "knee 5", "nothing"],
  ]);
  using classifier = await loadClassifier(model);
  const axial = await readExam(folder.at("data/train/axial/0004.npy"), "0004");
  const { probability, logit } = await classifier.predict({ axial });
  assert.deepEqual(rows[4].slice(1, 3).map(Number), [probability, logit]);
  assert.match(
    await folder.text("plan/unreadable.csv"),
    /^id,reason\nknee 2,.*\nknee 3,.*\nnothing,.*\n$/,
  );
  assert.deepEqual(JSON.parse(await folder.text("plan/results.json")), {
    ...{ exams: 7, predicted: 4, unreadable: 3 },
  });
});

Deno.test("another manifest or model than was planned for is refused, and a changed table too", async () => {
  await using folder = await TemporaryFolder.make();
  await prepare(folder);
  const model = await writeMember(folder, "axial");
  const out = folder.at("plan");
  const manifest = folder.at("exams.csv");
  const options = { kind: "score", out, manifest, model } as const;
  await makePlan({ ...options, engine: "wasm", threads: 1 });
  const text = await folder.text("exams.csv");
  await folder.write("exams.csv", text.replace("knee 0", "knee X"));
  await assert.rejects(runUnit(out), {
    name: "DataError",
    message:
      `Cannot go on with the plan '${out}': the manifest '${manifest}' changed after it was ` +
      "made: give back what was there, or plan anew into another folder",
  });
  await folder.write("exams.csv", text);
  const bytes = await Deno.readFile(model);
  await writeMember(folder, "axial", { task: "meniscus" });
  await assert.rejects(runUnit(out), /: the model '.*model_axial.safetensors' changed after/);
  await Deno.writeFile(model, bytes);
  await runUnit(out);
  await folder.write("plan/units/chunk-0001/predictions-0.csv", "id\n");
  await assert.rejects(
    gatherPlan(out),
    /predictions-0\.csv': it was changed since it was written: move/,
  );
  await assert.rejects(
    makePlan({ ...options, chunk: 0 }),
    /^OptionError: Cannot score chunks of 0 exams/,
  );
  await folder.write("axial.csv", "id,axial\n1,a.npy\n");
  const { path } = await writeCombined(folder);
  await assert.rejects(
    makePlan({
      ...options,
      out: folder.at("other"),
      model: path,
      manifest: folder.at("axial.csv"),
    }),
    /^DataError: Cannot read the manifest .*: line 1: there is no column coronal and no column sagittal/,
  );
});

Deno.test("predict takes a manifest, and exits 0 though exams cannot be read", async () => {
  await using folder = await TemporaryFolder.make();
  await prepare(folder);
  await writeCombined(folder);
  const args = [
    "predict",
    "--model",
    "models/combined.json",
    "--backend",
    "wasm",
    "--threads",
    "1",
  ];
  const permissions = ["--allow-read=data,models,exams.csv,tables", "--allow-write=tables"];
  const wanted = ["--manifest", "exams.csv", "--out", "tables/said.csv"];
  const { code, out, err } = await runCli(folder, [...args, ...wanted], { permissions });
  assert.equal(code, 0, err);
  assert.equal(out, "tables/said.csv: 7 exams, 3 of which could not be read\n");
  assert.match(
    err,
    /\nNot read: nothing: Cannot predict 'nothing': the manifest names no axial exam\n/,
  );
  const [head, first] = table(await folder.text("tables/said.csv"));
  assert.deepEqual(head.slice(4), ["threshold", ...PLANES, "odd", "unreadable"]);
  assert.ok(first.slice(5, 8).every((text) => Number(text) > 0 && Number(text) < 1));
  for (
    const [more, words] of [
      [["--manifest", "exams.csv"], "argument --manifest: not allowed without argument --out"],
      [["--out", "x.csv"], "argument --out: not allowed without argument --manifest"],
      [[...wanted, "a.npy"], "argument EXAM: not allowed with argument --manifest"],
      [[...wanted, "--cam", "x"], "argument --cam: not allowed with argument --manifest"],
    ] as const
  ) {
    const refused = await runCli(folder, [...args, ...more], { permissions });
    assert.equal(refused.code, 2);
    assert.ok(refused.err.endsWith(`error: ${words}\n`), refused.err);
  }
});

Deno.test("of a partial table the rows are taken up that are those of the next exams", () => {
  const header = "id,probability,unreadable\n";
  const of = { plan: "a".repeat(64), header, ids: ["1", "a, b", "3"] };
  const head = `plan,${of.plan}\n${header}`;
  const rows = ["1,0.5,\n", '"a, b",,"no, none"\n', "3,0.25,\n"];
  const all = head + rows.join("");
  assert.deepEqual(soundRows(all, of), rows);
  assert.deepEqual(rows.map(isPredicted), [true, false, true]);
  for (let length = 0; length < all.length; length++) {
    const kept = soundRows(all.slice(0, length), of);
    assert.deepEqual(kept, rows.slice(0, kept.length));
    assert.ok((head + kept.join("")).length <= Math.max(length, head.length));
  }
  const counted = (text: string) => soundRows(text, of).length;
  assert.equal(counted(all.replace("a".repeat(64), "b".repeat(64))), 0);
  assert.equal(counted(all.replace(header, "id,probability\n")), 0);
  assert.equal(counted(head + rows[0] + rows[2]), 1, "an exam is left out");
  assert.equal(counted(head + rows[0] + rows[0] + rows[1]), 1, "an exam is there twice");
  assert.equal(counted(all.replace("0.25", "0.\0\0")), 2);
  assert.equal(counted(all.replace("0.25,", "0.25,,")), 2);
  assert.equal(counted(all.replace('none"', "none")), 1);
  assert.equal(counted(all + "4,0.5,\n"), 3, "more than the chunk has");
});
