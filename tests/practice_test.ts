/**
 * What somebody is told to practise with learns: the commands and the script are taken
 * out of docs/training.md, docs/tutorial.md, docs/many_trainings.md and the README.
 */
import assert from "node:assert/strict";
import { runScript } from "./support/cli.ts";
import { TemporaryFolder } from "./support/folders.ts";

const ROOT = new URL("../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));
const TUTORIAL = await Deno.readTextFile(new URL("docs/tutorial.md", ROOT));
const MANY = await Deno.readTextFile(new URL("docs/many_trainings.md", ROOT));
const TRAINING = await Deno.readTextFile(new URL("docs/training.md", ROOT));

/** The least AUC on exams that were not trained on. */
const LEARNT = 0.8;

/** The commands of the block of shell that has some words, a line each. */
function commandsIn(document: string, words = "--out data/practice"): string[] {
  const blocks = [...document.matchAll(/```sh\n([^`]*)```/g)]
    .filter(([, block]) => block.includes(words));
  assert.equal(blocks.length, 1);
  return blocks[0][1].replace(/\\\n\s*/g, "").trim().split("\n");
}

/** Runs commands as they stand in a document; gives what the last one printed. */
async function run(folder: TemporaryFolder, commands: readonly string[]): Promise<string> {
  let out = "";
  for (const command of commands) {
    const line = command.replace(/^deno run -A cli\.ts/, `$DENO run -A '${ROOT.pathname}cli.ts'`);
    assert.notEqual(line, command);
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", line],
      cwd: folder.path,
      env: { DENO: Deno.execPath(), NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    out = new TextDecoder().decode(stdout);
  }
  return out;
}

Deno.test("the documents agree on how to practise", async () => {
  const other = await Deno.readTextFile(new URL("data/README.md", ROOT));
  assert.deepEqual(commandsIn(other), commandsIn(TRAINING));
  assert.deepEqual(commandsIn(README), commandsIn(TRAINING));
});

Deno.test({
  name: "the practice commands of docs/training.md, and the README's script, learn",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const out = await run(folder, commandsIn(TRAINING));
    const best = Number(/^Best validation AUC ([\d.]+) /m.exec(out)?.[1]);
    assert.ok(best > LEARNT, out);
    // Not by luck: the last epoch knows it too, and the loss has fallen.
    const epochs = [...out.matchAll(/val loss ([\d.]+) \| val auc ([\d.]+)/g)]
      .map(([, loss, auc]) => [Number(loss), Number(auc)]);
    assert.ok(epochs.at(-1)![1] > LEARNT && epochs.at(-1)![0] < epochs[0][0], out);

    const script = /```ts ignore\n(.*?)```/s.exec(README)![1];
    await folder.write("script.ts", script.replace("./mod.ts", new URL("mod.ts", ROOT).href));
    const ran = await runScript(folder, "script.ts", ["--allow-read=data"]);
    assert.equal(ran.code, 0, ran.err);
    assert.ok(Number(/^AUC ([\d.]+)$/m.exec(ran.out)?.[1]) > LEARNT, ran.out);
  },
});

Deno.test({
  name: "the tutorial's nine models, combined, learn all three findings",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    // One epoch for three: most of the best ones are the first, and this is a long test all the same.
    const commands = commandsIn(TUTORIAL, "--out data/nine")
      .map((command) => command.replace("--epochs 3", "--epochs 1"));
    assert.ok(commands[1].includes("run_all") && commands[1].includes("--epochs 1"));
    const out = await run(folder, commands);
    for (const task of ["abnormal", "acl", "meniscus"]) {
      const row = new RegExp(`^${task} {2,}\\d.*$`, "m").exec(out)?.[0] ?? assert.fail(out);
      const [axial, , sagittal, combined] = row.match(/\d\.\d{3}(?= \()/g)!.map(Number);
      // Of the coronal models the tutorial says which ones have not.
      assert.ok(combined > LEARNT && Math.max(axial, sagittal) > LEARNT, out);
    }
  },
});

Deno.test({
  name: "the commands of docs/many_trainings.md come from a plan to a table",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const out = await run(folder, commandsIn(MANY, "--out data/many"));
    assert.match(out, /^out of fold +acl sagittal +as given +all seeds +\d+ of 30 +\d\.\d{3} \(/m);
    assert.match(out, /^out of fold, acl sagittal, as given: 2 seeds, \d\.\d{3} ± \d\.\d{3}$/m);
    const files = (await folder.files("plans/acl")).filter((name) => !name.includes("/"));
    assert.deepEqual(files, [
      ...["folds.csv", "plan.json", "predictions.csv", "report.html", "results.json"],
    ]);
    const [evaluate] = commandsIn(MANY, "--model plans/acl/ensembles");
    assert.match(await run(folder, [evaluate]), /^Exams +8, \d with the finding$/m);
  },
});
