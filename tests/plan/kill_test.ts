/**
 * Kills, as `kill -9` and the loss of a machine are: the process ends itself in the middle of its work, at
 * moments that are the same on every machine. What goes on afterwards comes to what was never killed.
 */
import assert from "node:assert/strict";
import { makePlan } from "../../lib/plan/make_plan.ts";
import { runAll } from "../../lib/plan/run_all/run_all.ts";
import { runUnits } from "../../lib/plan/units.ts";
import { readMRNet } from "../../lib/model/weights/read.ts";
import { PLANES, TASKS } from "../../lib/terms.ts";
import { writeMember, writePlanes } from "../support/combined.ts";
import { copyFolder, TemporaryFolder } from "../support/folders.ts";

/** Writes a script that kills itself when it has come to something for the n-th time. */
async function writeScript(folder: TemporaryFolder, call: string): Promise<string> {
  const script = folder.at("script.ts");
  await Deno.writeTextFile(
    script,
    `import { plan, runAll } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url))};
const at = Number(Deno.args[0]);
let count = 0;
const come = () => { if (++count === at) Deno.kill(Deno.pid, "SIGKILL"); };
// A file gets its name by being renamed: once before, once after it has it.
const rename = Deno.rename;
Deno.rename = async (...paths) => { come(); await rename(...paths); come(); };
${call}
`,
  );
  return script;
}

/** Runs the script; whether it came to its end, or was killed. */
async function runUntil(script: string, at: number): Promise<boolean> {
  const { code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", script, `${at}`],
    ...{ stdin: "null", stdout: "null", stderr: "piped" },
  }).output();
  assert.ok(code === 0 || signal === "SIGKILL", new TextDecoder().decode(stderr));
  return code === 0;
}

/** Begins again after each kill, which comes a little later each time, to the end. */
async function runKilled(script: string, moments: readonly number[]): Promise<void> {
  for (const at of moments) if (await runUntil(script, at)) return;
  assert.ok(await runUntil(script, Infinity));
}

const TRAINING = {
  weights: "none",
  seed: 1,
  threads: 1,
  engine: "wasm",
  epochs: 2,
  learningRate: 1e-4,
  tune: { fraction: 0.4, seed: 0 },
} as const;

/** The result of a unit without what tells one run from another, and the tensors of its model. */
async function outcomeOf(unit: string, models: string) {
  const { result } = JSON.parse(await Deno.readTextFile(`${unit}/unit.json`));
  const { checkpoint, sha256: _, ...figures } = result;
  return { figures, tensors: (await readMRNet(`${models}/${checkpoint}`)).tensors };
}

Deno.test("a unit that is killed wherever files are written comes to the same bits", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 }, TASKS);
  const out = folder.at("plan");
  const data = folder.at("data");
  await makePlan({ kind: "all", tasks: ["acl"], planes: ["axial"], data, out, ...TRAINING });
  await copyFolder(out, folder.at("whole"));
  assert.equal((await runUnits(folder.at("whole"))).done, 1);
  const script = await writeScript(
    folder,
    `await plan.runUnit(${JSON.stringify(out)}, { index: 0, onExam: come, onEvaluated: come });`,
  );
  await runKilled(script, [1, 3, 9, 17, 27]);
  const [killed, whole] = ["plan", "whole"].map((name) => folder.at(name, "units/acl-axial"));
  assert.deepEqual(await outcomeOf(killed, killed), await outcomeOf(whole, whole));
});

Deno.test("all nine that are killed come to the same tables and models", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 12, valid: 4 }, TASKS);
  const options = (name: string) => ({
    ...{
      data: folder.at("data"),
      models: folder.at(name, "models"),
      logs: folder.at(name, "logs"),
    },
    ...TRAINING,
  });
  await runAll(options("whole"));
  const script = await writeScript(
    folder,
    `await runAll({ ...${JSON.stringify(options("killed"))}, onExam: come, onEvaluated: come });`,
  );
  await runKilled(script, [3, 30, 70]);
  const out = "logs/run_all/mrnet";
  const tables = (await folder.files(`whole/${out}`)).filter((name) => name.endsWith(".csv"));
  assert.equal(tables.length, 6);
  for (const name of tables) {
    assert.equal(
      await folder.text(`killed/${out}/${name}`),
      await folder.text(`whole/${out}/${name}`),
    );
  }
  for (const id of TASKS.flatMap((task) => PLANES.map((plane) => `${task}-${plane}`))) {
    const [killed, whole] = ["killed", "whole"].map((name) => folder.at(name, out, "units", id));
    assert.deepEqual(await outcomeOf(killed, "/"), await outcomeOf(whole, "/"), id);
  }
});

Deno.test("a chunk that is killed keeps each prediction, and has none twice", async () => {
  await using folder = await TemporaryFolder.make();
  await writePlanes(folder, { train: 6, valid: 2 });
  const rows = ["0000", "0001", "none", "0003", "0004", "0005"].map((id) =>
    `${id},data/train/axial/${id}.npy\n`
  );
  await folder.write("exams.csv", `id,axial\n${rows.join("")}`);
  const model = await writeMember(folder, "axial");
  const out = folder.at("plan");
  const manifest = folder.at("exams.csv");
  await makePlan({ kind: "score", out, manifest, model, engine: "wasm", threads: 1 });
  await copyFolder(out, folder.at("whole"));
  assert.equal((await runUnits(folder.at("whole"))).done, 1);
  const script = await writeScript(
    folder,
    `const seen = [];
await plan.runUnit(${JSON.stringify(out)}, {
  index: 0,
  onEvaluated({ done }) {
    Deno.writeTextFileSync(${JSON.stringify(folder.at("seen"))}, done + " ", { append: true });
    come();
  },
});`,
  );
  // Behind the first exam; behind the third of all; while the table is written; while the unit is.
  await runKilled(script, [1, 2, 4, 1, 2, 3]);
  assert.equal(await folder.text("seen"), "1 2 3 4 5 6 ");
  const unit = "units/chunk-0001";
  for (const name of ["predictions-0.csv", "unit.json"]) {
    assert.equal(
      await folder.text(`plan/${unit}/${name}`),
      await folder.text(`whole/${unit}/${name}`),
    );
  }
  assert.deepEqual(await folder.files(`plan/${unit}`), ["predictions-0.csv", "unit.json"]);
});
