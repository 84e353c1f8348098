/**
 * The short form of `deno task disk`.
 */
import assert from "node:assert/strict";
import { createRandom } from "../lib/random.ts";
import { writeWhole } from "../lib/files.ts";
import { TemporaryFolder } from "./support/folders.ts";
import { LOSSES, lostAfter } from "./support/disk/power.ts";
import { record } from "./support/disk/recorder.ts";
import { failWrites, losePower } from "./support/disk/training.ts";

// Deno's functions are wrapped on Unix paths.
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "after a loss of power at any moment a file has its old content or its new one",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const recorded = await record(folder.path, async (say) => {
      await writeWhole(folder.at("file"), "old");
      say("old");
      await writeWhole(
        folder.at("file"),
        ["n", "e", "w"].map((each) => new TextEncoder().encode(each)),
      );
      say("new");
      assert.equal(
        await writeWhole(folder.at("other"), "x", { replace: () => Promise.resolve(false) }),
        true,
      );
      say("other");
    });
    assert.ok("value" in recorded.outcome);
    const seen = new Set<string>();
    for (let at = 0; at <= recorded.operations.length; at++) {
      for (const loss of LOSSES) {
        for (let draw = 0; draw < 20; draw++) {
          const { files, said } = lostAfter(recorded, at, loss, createRandom(draw, at, loss));
          const text = (name: string) => {
            const bytes = files.get(name);
            return bytes && new TextDecoder().decode(bytes);
          };
          const allowed = said === undefined
            ? [undefined, "old"]
            : said === "old"
            ? ["old", "new"]
            : ["new"];
          assert.ok(allowed.includes(text("file")), `after ${at}, ${loss}: ${text("file")}`);
          assert.ok([said === "other" ? "x" : undefined, "x"].includes(text("other")));
          seen.add(`${said} ${text("file")}`);
        }
      }
    }
    // What may differ really did.
    assert.deepEqual([...seen].sort(), [
      "new new",
      "old new",
      "old old",
      "other new",
      "undefined old",
      "undefined undefined",
    ]);
  },
});

Deno.test({
  name: "a training goes on from whatever a loss of power leaves of what it has saved",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const report = await losePower({ folder: folder.path, most: 16, seed: 1 });
    assert.deepEqual(report.faults, []);
    assert.ok(report.tried >= 8 && report.wentOn >= 4, JSON.stringify(report));
  },
});

for (const without of ["sync", "syncNames"] as const) {
  Deno.test({
    name: `a training that flushed no ${without === "sync" ? "bytes" : "names"} would be found`,
    ignore,
    async fn() {
      await using folder = await TemporaryFolder.make();
      const report = await losePower({ folder: folder.path, most: 8, seed: 1, without });
      assert.ok(report.faults.length > 0);
    },
  });
}

Deno.test({
  name: "a training stops in one line where writing fails, and goes on when there is room again",
  ignore,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const report = await failWrites({ folder: folder.path, most: 6, seed: 1 });
    assert.deepEqual(report.faults, []);
    assert.equal(report.tried, 6);
  },
});
