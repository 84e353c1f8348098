/**
 * The README's script, run as it stands there by somebody in another folder.
 */
import assert from "node:assert/strict";
import { writePhantomDataset } from "../lib/phantom/mod.ts";
import { runCli, runScript } from "./support/cli.ts";
import { TemporaryFolder } from "./support/folders.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;
const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const TRAINING = await Deno.readTextFile(new URL("../docs/training.md", import.meta.url));

Deno.test("the README's script runs from another folder with a single import", async () => {
  const script = /```ts ignore\n(.*?)```/s.exec(README)?.[1];
  assert.ok(script !== undefined && script.includes('"./mod.ts"'));
  assert.equal(script.trim().split("\n").length <= 13, true, "it is short");
  await using folder = await TemporaryFolder.make();
  await folder.write("script.ts", script.replace("./mod.ts", MOD));
  await writePhantomDataset({
    folder: folder.at("data/practice"),
    train: 4,
    valid: 3,
    size: 64,
    slices: [2, 3],
    seed: 1,
  });
  const { code, out, err } = await runScript(folder, "script.ts", ["--allow-read=data"]);
  assert.equal(code, 0, err);
  assert.match(out, /^epoch 1: [\d.]+\nepoch 2: [\d.]+\nepoch 3: [\d.]+\nAUC [\d.]+\n$/);
  assert.equal(err, "");
});

Deno.test("docs/training.md names every option of the help, and no other", async () => {
  await using folder = await TemporaryFolder.make();
  const { out } = await runCli(folder, ["train", "--help"]);
  assert.ok(out.includes("--prefix_name"), out);
  const options = [...out.matchAll(/^ {2}(?:-\w, )?(--\w+) /gm)].map(([, name]) => name);
  const named = new Set([...TRAINING.matchAll(/`(--\w+)[ `]/g)].map(([, name]) => name));
  const short = new Set(["--task", "--plane", "--help"]);
  assert.deepEqual(options.filter((name) => !short.has(name) && !named.has(name)), []);
  assert.deepEqual([...named].filter((name) => !options.includes(name) && name !== "--help"), []);
});
