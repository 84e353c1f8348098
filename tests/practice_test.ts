/**
 * What somebody is told to practise with learns: the commands and the script are taken out of
 * docs/training.md and the README.
 */
import assert from "node:assert/strict";
import { runScript } from "./support/cli.ts";
import {
  commandsIn,
  documentText,
  LEARNT,
  ROOT,
  runCommands,
} from "./support/documented_commands.ts";
import { TemporaryFolder } from "./support/folders.ts";

const README = await documentText("README.md");
const TRAINING = await documentText("docs/training.md");

Deno.test("the documents agree on how to practise", async () => {
  const other = await documentText("data/README.md");
  assert.deepEqual(commandsIn(other), commandsIn(TRAINING));
  assert.deepEqual(commandsIn(README), commandsIn(TRAINING));
});

Deno.test({
  name: "the practice commands of docs/training.md, and the README's script, learn",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const out = await runCommands(folder, commandsIn(TRAINING));
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
