/**
 * The short form of `deno task soak`.
 */
import assert from "node:assert/strict";
import type { EngineName } from "../lib/engine/engine.ts";
import { TemporaryFolder } from "./support/folders.ts";
import { killAndResume } from "./support/kills.ts";
import type { Steadiness } from "./support/steady.ts";

const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
const noAdapter = adapter === null && Deno.env.get("MRNET_REQUIRE_WEBGPU") !== "1";

function onEngine(name: string, body: (engine: EngineName) => Promise<void>): void {
  for (const engine of ["wasm", "webgpu"] as const) {
    const ignore = engine === "webgpu" && noAdapter;
    const reason = ignore ? " (skipped: this machine has no WebGPU adapter)" : "";
    Deno.test({ name: `${name} [${engine}]${reason}`, ignore, fn: () => body(engine) });
  }
}

onEngine(
  "a run that is killed and gone on with leaves what one without a stop leaves",
  async (engine) => {
    await using folder = await TemporaryFolder.make();
    const { path } = folder;
    const report = await killAndResume({ folder: path, engine, runs: 2, seed: 7 });
    assert.deepEqual(report.different, []);
    assert.equal(report.runs, 2);
  },
);

onEngine("many steps take no more memory than few", async (engine) => {
  const soak = new URL("../tools/soak.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", soak, "--sample", engine, "--hours", String(6 / 3600)],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  const held: Steadiness = JSON.parse(lines.at(-1)!);
  assert.ok(held.steps >= 24);
  assert.deepEqual([held.moreTensors, held.moreGpu], [0, 0]);
});
