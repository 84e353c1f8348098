/**
 * The package as it would be published: nothing in its interface has a type that must be inferred, and
 * every file that its README links to is in it.
 */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

Deno.test("the package can be published, with every type of its interface written out", async () => {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: ROOT.pathname,
    // Nobody answers there: a dry run must not need the registry.
    env: { NO_COLOR: "1", JSR_URL: "http://127.0.0.1:9/" },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, err);
  assert.match(err, /Success/);
  const files = [...`${out}\n${err}`.matchAll(/^ +file:\/\/(\S+) \(/gm)]
    .map(([, path]) => path.replace(ROOT.pathname, ""));
  for (const name of ["mod.ts", "cli.ts", "deno.json", "lib/engine/wasm/kernels.wasm", "LICENSE"]) {
    assert.ok(files.includes(name), name);
  }
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path);
  assert.ok(links.length > 10);
  assert.deepEqual(links.filter((path) => !files.includes(path)), [], "links to what is left out");
  assert.deepEqual(files.filter((name) => /^(tests|tools|bench)\/|\.lock$/.test(name)), []);
});
