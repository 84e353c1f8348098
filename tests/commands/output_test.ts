/**
 * Standard output that cannot be written: a full disk is one line, a reader that has left is nothing.
 */
import assert from "node:assert/strict";
import { startEngine } from "../../lib/engine/engine.ts";
import { writeMRNet } from "../../lib/model/create.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const hasFull = await Deno.stat("/dev/full").then(() => true, () => false);

/** Runs a line of shell in which `$CLI` is the command line. */
async function shell(line: string): Promise<{ code: number; err: string }> {
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    env: { CLI: `${Deno.execPath()} run -A ${CLI}`, NO_COLOR: "1" },
    stdout: "null",
  }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

const FULL =
  /^Cannot write the results to standard output: [^\n]+: send them where there is room\n$/;

Deno.test({
  name: "results on a full disk are an error of one line, whatever prints them",
  ignore: !hasFull,
  async fn() {
    for (const args of ["--help", "train -h", "synth --help"]) {
      const { code, err } = await shell(`$CLI ${args} > /dev/full`);
      assert.equal(code, 1, args);
      assert.match(err, FULL, args);
    }
  },
});

Deno.test({
  name: "remarks that nobody can read stop nothing",
  ignore: !hasFull,
  async fn() {
    const { code } = await shell("$CLI --help 2> /dev/full");
    assert.equal(code, 0);
  },
});

Deno.test({
  name: "predict ends quietly once nobody reads what it prints",
  ignore: !hasFull,
  async fn() {
    await using folder = await TemporaryFolder.make();
    await startEngine("wasm");
    const model = new MRNet(initialWeights(1), { intensity: "raw" });
    const card = { task: "acl", plane: "axial", intensity: "raw" };
    await writeMRNet(model, folder.at("m.safetensors"), card);
    model.dispose();
    const exams = Array.from({ length: 40 }, (_, index) => folder.at(`${index}.npy`));
    for (const exam of exams) await Deno.writeFile(exam, examBytes());
    const predict = `$CLI predict --model ${folder.at("m.safetensors")}`;
    for (const json of ["", "--json"]) {
      const line = `{ ${predict} ${json} ${exams.join(" ")}; echo "code $?" >&2; } | head -n 1`;
      const { err } = await shell(line);
      assert.match(err, /^code 141$/m, err);
      assert.ok(!/fault|Cannot|rror/.test(err), err);
    }
    const { code, err } = await shell(`${predict} --json ${exams[0]} > /dev/full`);
    assert.equal(code, 1);
    assert.match(err.split("\n").at(-2)! + "\n", FULL);
  },
});
