/**
 * The commands of docs/tutorial.md and docs/many_trainings.md come to what these say.
 */
import assert from "node:assert/strict";
import { commandsIn, documentText, LEARNT, runCommands } from "./support/documented_commands.ts";
import { TemporaryFolder } from "./support/folders.ts";

const TUTORIAL = await documentText("docs/tutorial.md");
const MANY = await documentText("docs/many_trainings.md");

Deno.test({
  name: "the tutorial's nine models, combined, learn all three findings",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    // One epoch for three: most of the best ones are the first, and this is a long test all the same.
    const commands = commandsIn(TUTORIAL, "--out data/nine")
      .map((command) => command.replace("--epochs 3", "--epochs 1"));
    assert.ok(commands[1].includes("run_all") && commands[1].includes("--epochs 1"));
    const out = await runCommands(folder, commands);
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
    const out = await runCommands(folder, commandsIn(MANY, "--out data/many"));
    assert.match(out, /^out of fold +acl sagittal +as given +all seeds +\d+ of 30 +\d\.\d{3} \(/m);
    assert.match(out, /^out of fold, acl sagittal, as given: 2 seeds, \d\.\d{3} ± \d\.\d{3}$/m);
    const files = (await folder.files("plans/acl")).filter((name) => !name.includes("/"));
    assert.deepEqual(files, [
      ...["folds.csv", "plan.json", "predictions.csv", "report.html", "results.json"],
    ]);
    const [evaluate] = commandsIn(MANY, "--model plans/acl/ensembles");
    assert.match(await runCommands(folder, [evaluate]), /^Exams +8, \d with the finding$/m);
  },
});
