// The kernels that are run are those whose source is beside them.
import assert from "node:assert/strict";
import { buildKernels, BUILDS, COMPILER, LOCK } from "../../tools/build_kernels.ts";

const { success: compiles } = await new Deno.Command(Deno.execPath(), {
  args: ["run", `--lock=${LOCK}`, "-A", COMPILER, "--version"],
}).output();

Deno.test({
  name: "the kernels' source compiles to the bytes that are kept" +
    (compiles ? "" : " (skipped: the compiler cannot be fetched here)"),
  ignore: !compiles,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await buildKernels(folder);
      for (const file of Object.keys(BUILDS)) {
        assert.deepEqual(
          await Deno.readFile(new URL(`../../lib/engine/wasm/${file}`, import.meta.url)),
          await Deno.readFile(`${folder}/${file}`),
          `${file}: run deno task build:wasm and commit what it makes`,
        );
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("each build of the kernels has the same functions", async () => {
  const exported = await Promise.all(
    Object.keys(BUILDS).map(async (file) => {
      const bytes = await Deno.readFile(new URL(`../../lib/engine/wasm/${file}`, import.meta.url));
      return WebAssembly.Module.exports(new WebAssembly.Module(bytes));
    }),
  );
  for (const functions of exported) assert.deepEqual(functions, exported[0]);
});
