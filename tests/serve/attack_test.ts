import assert from "node:assert/strict";
import { complaints, mixedAttack } from "../support/mixed_attack.ts";

Deno.test({
  name: "a mixed attack ends nothing, fills no memory, and honest clients are answered",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const report = await mixedAttack({ seconds: 20 });
    assert.ok(Object.values(report.attacks).every((count) => count > 0));
    // A heap settles over minutes; the long form, `deno task attack`, is held to 64 MB.
    assert.deepEqual(complaints(report, 128 * 1024 * 1024), [], JSON.stringify(report));
  },
});
