import assert from "node:assert/strict";
import { loadModels } from "../../lib/serve/models.ts";
import { settleOptions } from "../../lib/serve/options.ts";
import { writeCombined } from "../support/combined.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("a combination from a web address names no models of another server", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder);
  const text = await Deno.readTextFile(path);
  const asked: string[] = [];
  let member = "";
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    asked.push(new URL(url).pathname);
    const combination = JSON.parse(text);
    for (const each of Object.values<{ file: string }>(combination.members)) each.file = member;
    return Response.json(combination);
  });
  const source = `http://127.0.0.1:${server.addr.port}/a/combined.json`;
  const options = settleOptions({ models: [source], engine: "wasm" });
  for (member of ["http://127.0.0.2/model.pth", "//[", "file:///etc/passwd"]) {
    await assert.rejects(loadModels(options), {
      name: "WeightsError",
      message: `Cannot use the combination '${source}': its model '${member}' lies on another ` +
        "server: put the models beside it",
    });
  }
  assert.deepEqual(asked, Array(3).fill("/a/combined.json"));
});
