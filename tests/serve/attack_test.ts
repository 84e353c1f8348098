import assert from "node:assert/strict";
import { complaints, mixedAttack } from "../support/mixed_attack.ts";

Deno.test({
  name: "a mixed attack ends nothing, fills no memory, and honest clients are answered",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const report = await mixedAttack({ seconds: 20 });
    assert.ok(Object.values(report.attacks).every((count) => count > 0));
    assert.deepEqual(complaints(report), [], JSON.stringify(report));
  },
});
