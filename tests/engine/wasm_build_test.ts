// The kernels that are run are those whose source is beside them.
import assert from "node:assert/strict";

const task = new URL("../../deno.json", import.meta.url);
const config: { tasks: Record<string, { command: string }> } = JSON.parse(
  await Deno.readTextFile(task),
);
const [run, ...words] = config.tasks["build:wasm"].command.split(" ");
const compiler = words.find((word) => word.startsWith("npm:assemblyscript"))!;

async function deno(args: string[]): Promise<Deno.CommandOutput> {
  const cwd = new URL("../../", import.meta.url).pathname;
  return await new Deno.Command(Deno.execPath(), { args, cwd, env: { NO_COLOR: "1" } }).output();
}

const { success: compiles } = await deno(["run", "-A", compiler, "--version"]);

Deno.test({
  name: "the kernels' source compiles to the bytes that are kept" +
    (compiles ? "" : " (skipped: the compiler cannot be fetched here)"),
  ignore: !compiles,
  async fn() {
    assert.equal(run, "deno");
    const folder = await Deno.makeTempDir();
    try {
      const fresh = `${folder}/kernels.wasm`;
      const kept = "lib/engine/wasm/kernels.wasm";
      assert.ok(words.includes(kept));
      const { success, stderr } = await deno(words.map((word) => word === kept ? fresh : word));
      assert.ok(success, new TextDecoder().decode(stderr));
      const file = new URL(`../../${kept}`, import.meta.url);
      assert.deepEqual(
        await Deno.readFile(file),
        await Deno.readFile(fresh),
        "run deno task build:wasm and commit what it makes",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
