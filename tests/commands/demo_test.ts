/**
 * What the demo tells its user to do next works as it is printed.
 */
import assert from "node:assert/strict";
import { nextSteps } from "../../lib/commands/demo.ts";
import { startEngine } from "../../lib/engine/engine.ts";
import { writeMRNet } from "../../lib/model/create.ts";
import { initialWeights } from "../../lib/model/initialise.ts";
import { MRNet } from "../../lib/model/mrnet.ts";
import { TemporaryFolder, writeTinyDataset } from "../support/folders.ts";

const CLI = new URL("../../cli.ts", import.meta.url).pathname;

/** A line of the demo for this machine: this Deno, and the command line where it lies. */
function here(line: string): string {
  return line.trim().replace(
    /^(npx -y deno@[\d.]+|npx deno|deno) run -A cli\.ts/,
    `${Deno.execPath()} run -A ${CLI}`,
  );
}

Deno.test({
  name: "the demo ends with commands that work as they are printed",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    await writeTinyDataset(folder);
    await startEngine("wasm");
    const net = new MRNet(initialWeights(1), { intensity: "raw" });
    const model = "models/a model.safetensors";
    await folder.write(model, "");
    await writeMRNet(net, folder.at(model), { task: "acl", plane: "coronal", intensity: "raw" });
    net.dispose();
    const exam = "data/valid/coronal/0003.npy";
    const commands = nextSteps({ data: "data", exam, model }).filter((line) =>
      line.includes(" cli.ts ")
    );
    assert.equal(commands.length, 5);
    for (const line of commands.map(here)) {
      if (line.includes(" serve ") || line.includes(" synth ")) continue;
      const { code, stderr } = await new Deno.Command("sh", {
        args: ["-c", line],
        cwd: folder.path,
        stdout: "null",
      }).output();
      assert.equal(code, 0, `${line}\n${new TextDecoder().decode(stderr)}`);
    }
    const files = await folder.files();
    for (const name of ["reports/demo/report.html", "cam/0003_sheet.png"]) {
      assert.ok(files.includes(name));
    }

    const serve = here(commands.find((line) => line.includes(" serve "))!);
    const child = new Deno.Command("sh", {
      args: ["-c", `exec ${serve} --port 0`],
      cwd: folder.path,
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value = "" } = await reader.read();
    const [, address] = /Serving at (http:\S+)/.exec(value) ?? [];
    const answer = await fetch(address);
    assert.match(await answer.text(), /<title>/);
    child.kill();
    await child.status;
    await reader.cancel();
  },
});

Deno.test("without a model the demo does not speak of one", () => {
  const steps = nextSteps({ data: "data/demo", exam: "x.npy" }).join("\n");
  assert.ok(!steps.includes("--model") && steps.includes("synth"));
});
