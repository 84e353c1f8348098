// The kernels that are run are those whose source is beside them.
import assert from "node:assert/strict";
import { KERNEL_PARAMETERS } from "../../lib/engine/wasm/kernel_parameters.ts";
import { kernelNames } from "../../lib/engine/wasm/thread.js";
import {
  buildKernels,
  BUILDS,
  COMPILER,
  kernelTable,
  LOCK,
  TABLE,
} from "../../tools/build_kernels.ts";

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

Deno.test("the kernels' parameters are listed as the source names them", async () => {
  const kept = await Deno.readTextFile(new URL(`../../lib/engine/wasm/${TABLE}`, import.meta.url));
  const fix = `${TABLE}: run deno task build:wasm and commit what it makes`;
  assert.equal(kept, await kernelTable(), fix);
});

Deno.test("the compiled functions have as many parameters as are listed, and no others", async () => {
  const listed: Readonly<Record<string, readonly string[]>> = KERNEL_PARAMETERS;
  for (const [file, { shared }] of Object.entries(BUILDS)) {
    const bytes = await Deno.readFile(new URL(`../../lib/engine/wasm/${file}`, import.meta.url));
    const module = new WebAssembly.Module(bytes);
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared });
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    // The order is that of the codes in a program.
    assert.deepEqual(kernelNames(module), Object.keys(listed).sort(), file);
    for (const [name, parameters] of Object.entries(listed)) {
      const { length } = exports[name] as CallableFunction;
      assert.equal(length, parameters.length, `${file}: ${name}(${parameters})`);
      assert.equal(new Set(parameters).size, parameters.length, name);
    }
  }
});
