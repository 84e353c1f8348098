import assert from "node:assert/strict";
import { lockRun } from "../../lib/logs/run_lock.ts";
import { TemporaryFolder } from "../support/folders.ts";

Deno.test("one at a time holds a folder, and leaves no file in it", async () => {
  await using folder = await TemporaryFolder.make();
  const first = await lockRun(folder.path);
  assert.ok(first !== undefined);
  assert.equal(await lockRun(folder.path), undefined);
  await first.release();
  assert.deepEqual(await folder.files(), []);
  const second = await lockRun(folder.path);
  assert.ok(second !== undefined);
  await second.release();
});

Deno.test({
  name: "what a killed process held is free, and its file is no obstacle",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await TemporaryFolder.make();
    const module = JSON.stringify(new URL("../../lib/logs/run_lock.ts", import.meta.url).href);
    await folder.write(
      "hold.ts",
      `import { lockRun } from ${module}; await lockRun(".");
      console.log("held"); setInterval(() => {}, 1000);`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", "hold.ts"],
      cwd: folder.path,
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    assert.equal(await lockRun(folder.path), undefined);
    child.kill("SIGKILL");
    await Promise.all([child.status, reader.cancel()]);
    assert.deepEqual(await folder.files(), ["hold.ts", "run.lock"]);
    const lock = await lockRun(folder.path);
    assert.ok(lock !== undefined);
    await lock.release();
  },
});

Deno.test("a folder that is not there cannot be held", async () => {
  await assert.rejects(lockRun("/nowhere/at/all"), {
    name: "OutputError",
    message: /^Cannot begin a run in '\/nowhere\/at\/all': there is no such file or folder/,
  });
});

Deno.test("no link is followed out of the folder, and nothing waits at a pipe", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("precious", "mine");
  for (const target of ["precious", "not there"]) {
    await Deno.mkdir(folder.at("run"));
    await Deno.symlink(folder.at(target), folder.at("run/run.lock"));
    await assert.rejects(lockRun(folder.at("run")), {
      name: "OutputError",
      message: `Cannot begin a run in '${folder.at("run")}': its run.lock is not a plain file`,
    });
    await Deno.remove(folder.at("run"), { recursive: true });
  }
  await Deno.mkdir(folder.at("run"));
  await Deno.link(folder.at("precious"), folder.at("run/run.lock"));
  await assert.rejects(lockRun(folder.at("run")), /its run\.lock is not a plain file/);
  assert.equal(await folder.text("precious"), "mine");
  await Deno.remove(folder.at("run"), { recursive: true });
  assert.deepEqual(await folder.files(), ["precious"]);
});
