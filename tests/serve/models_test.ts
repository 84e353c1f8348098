import assert from "node:assert/strict";
import { parseCombination } from "../../lib/combine/file.ts";
import { loadCombined } from "../../lib/classifier/load.ts";
import { loadMRNet } from "../../lib/model/create.ts";
import { loadModels } from "../../lib/serve/models.ts";
import { resolveOptions } from "../../lib/serve/options.ts";
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
  const options = resolveOptions({ models: [source], engine: "wasm" });
  for (member of ["http://127.0.0.2/model.pth", "//[", "file:///etc/passwd"]) {
    await assert.rejects(loadModels(options), {
      name: "WeightsError",
      message: `Cannot use the combination '${source}': its model '${member}' lies on another ` +
        "server: put the models beside it",
    });
  }
  assert.deepEqual(asked, Array(3).fill("/a/combined.json"));
});

Deno.test("no redirect is followed, be it to the same server", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder);
  const text = await Deno.readTextFile(path);
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    const { pathname } = new URL(url);
    asked.push(pathname);
    if (pathname === "/combined.json") return new Response(text);
    return new Response(null, { status: 302, headers: { location: "/secret" } });
  });
  const address = `http://127.0.0.1:${server.addr.port}`;
  const options = resolveOptions({ models: [`${address}/combined.json`], engine: "wasm" });
  const found = "the answer was 302, which sends on to '/secret', and redirects are not followed";
  await assert.rejects(loadModels(options), (error: Error) => {
    assert.equal(error.name, "WeightsError");
    assert.ok(error.message.includes(found), error.message);
    return true;
  });
  await assert.rejects(loadMRNet(`${address}/model.pth`), /redirects are not followed/);
  assert.deepEqual(asked, ["/combined.json", "/model_axial.safetensors", "/model.pth"]);
});

Deno.test("a combination in a file names paths and no addresses", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder);
  const text = await Deno.readTextFile(path);
  let asked = 0;
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked++;
    return new Response("");
  });
  const before = Deno.cwd();
  Deno.chdir(folder.at("models"));
  try {
    const file = `http://127.0.0.1:${server.addr.port}/model.pth`;
    const combination = JSON.parse(text);
    for (const each of Object.values<{ file: string }>(combination.members)) each.file = file;
    const named = JSON.stringify(combination);
    assert.equal(parseCombination(named, "a").members!.axial.file, file);
    await Deno.writeTextFile("here.json", named);
    const bytes = new TextEncoder().encode(named);
    for (const source of ["here.json", `${folder.at("models")}/here.json`, bytes]) {
      const options = resolveOptions({ models: [source], engine: "wasm" });
      await assert.rejects(loadModels(options), /its model 'http:.*' is an address and not a path/);
    }
    await assert.rejects(loadCombined("here.json"), /is an address and not a path/);
  } finally {
    Deno.chdir(before);
  }
  assert.equal(asked, 0);
});

Deno.test("a member of a combination is held against its hash before it is read", async () => {
  await using folder = await TemporaryFolder.make();
  const { path } = await writeCombined(folder);
  await Deno.writeTextFile(folder.at("models", "model_axial.safetensors"), "no model at all");
  const options = resolveOptions({ models: [path], engine: "wasm" });
  const message = /its axial model '.*' is another than the one that was combined \(its SHA-256/;
  await assert.rejects(loadModels(options), message);
  await assert.rejects(loadCombined(path), message);
});
