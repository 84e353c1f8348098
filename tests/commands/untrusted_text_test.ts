/**
 * What comes from outside, as a file's name does, is shown and cannot command the terminal.
 */
import assert from "node:assert/strict";
import { print, printLines, remark, remarkLines } from "../../lib/commands/console.ts";
import { withoutControls } from "../../lib/errors.ts";
import { examBytes, TemporaryFolder } from "../support/folders.ts";
import { runMain } from "../support/console.ts";
import { writeMRNet } from "../../lib/model/create.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { startEngine } from "../../lib/engine/engine.ts";

/** Sets the window's title, clears the screen, turns the writing round, begins a line. */
const HOSTILE = "x\x1b]0;owned\x07\x9b2J\u202egpj\u2028a\nOK: trained\rb\x7f";
const SHOWN = "x\\u001b]0;owned\\u0007\\u009b2J\\u202egpj\\u2028a\\u000aOK: trained\\u000db\\u007f";

/** All that a terminal acts on, but for the end of a line. */
const COMMANDS = /(?!\n)[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** What two streams get while something writes to them. */
function written(body: () => void): { out: string; err: string } {
  const texts = { out: "", err: "" };
  const streams = [[Deno.stdout, "out"], [Deno.stderr, "err"]] as const;
  const before = streams.map(([stream]) => stream.writeSync);
  for (const [stream, name] of streams) {
    stream.writeSync = (bytes) => {
      texts[name] += new TextDecoder().decode(bytes);
      return bytes.length;
    };
  }
  try {
    body();
  } finally {
    streams.forEach(([stream], index) => stream.writeSync = before[index]);
  }
  return texts;
}

Deno.test("a line of a command is one line and commands nothing, whatever is in it", () => {
  const { out, err } = written(() => {
    print(`Wrote ${HOSTILE}`);
    remark(HOSTILE);
  });
  assert.equal(out, `Wrote ${SHOWN}\n`);
  assert.equal(err, `${SHOWN}\n`);
  const lines = written(() => {
    printLines("a\nb\x1bc");
    remarkLines("d\ne");
  });
  assert.deepEqual(lines, { out: "a\nb\\u001bc\n", err: "d\ne\n" });
  assert.equal(withoutControls("Größe 3 – № 7 膝 \u200d"), "Größe 3 – № 7 膝 \u200d");
});

Deno.test("a line of JSON says the same as before it was escaped", () => {
  for (const name of [HOSTILE, `\\${HOSTILE}`, `\\\\u001b${HOSTILE}"`]) {
    const { out } = written(() => print(JSON.stringify({ file: name })));
    assert.ok(!COMMANDS.test(out));
    assert.deepEqual(JSON.parse(out), { file: name });
  }
});

Deno.test({
  name: "names of files are shown escaped: in results, in JSON and in errors",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await startEngine("wasm");
    const model = new MRNet(initialWeights(1), { intensity: "raw" });
    const card = { task: "acl", plane: "axial", intensity: "raw" };
    await writeMRNet(model, folder.at("a.safetensors"), card);
    model.dispose();
    const name = HOSTILE.replaceAll("\x07", "");
    await folder.write(`${name}.npy`, examBytes());
    await folder.write(`${name}-broken.npy`, "none");
    const exams = [`${name}.npy`, `${name}-broken.npy`].map((each) => folder.at(each));
    for (const json of [[], ["--json"]]) {
      const args = ["predict", "--model", folder.at("a.safetensors"), ...json, ...exams];
      const { code, out, err } = await runMain(args);
      assert.equal(code, 1, err);
      assert.equal(out.trimEnd().split("\n").length, 1, out);
      assert.ok(!COMMANDS.test(out), JSON.stringify(out));
      assert.ok(!COMMANDS.test(err), JSON.stringify(err));
      assert.ok(out.includes("owned"), out);
      if (json.length > 0) assert.equal(JSON.parse(out).file, exams[0]);
    }
    for (
      const args of [
        ["predict", "--model", folder.at(name), exams[0]],
        ["evaluate", "--model", folder.at(name), "--data", folder.at(name)],
        ["convert", folder.at(`${name}.pth`), folder.at(`${name}.safetensors`)],
        [`--${name}`],
        ["-t", name],
        ["--models", folder.at(name), "-t", "acl", "-p", "axial", "--data", folder.at(name)],
      ]
    ) {
      const { code, out, err } = await runMain(args);
      assert.notEqual(code, 0);
      assert.ok(!COMMANDS.test(out + err), JSON.stringify(out + err));
    }
  },
});

Deno.test("nothing of the library but one file writes to a terminal", async () => {
  const root = new URL("../../lib/", import.meta.url).pathname;
  const visit = async (folder: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}${name}`;
      if (isDirectory) found.push(...await visit(`${path}/`));
      else if (name.endsWith(".ts")) {
        // What an example in the documentation does is not the library's doing.
        const code = (await Deno.readTextFile(path)).replace(/^\s*\*.*$/gm, "");
        if (/Deno\.(stdout|stderr)|console\.(log|error|warn|info|debug)/.test(code)) {
          found.push(path.slice(root.length));
        }
      }
    }
    return found;
  };
  assert.deepEqual(await visit(root), ["commands/console.ts"]);
});
