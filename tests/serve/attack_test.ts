import assert from "node:assert/strict";
import { complaints, mixedAttack } from "../support/mixed_attack.ts";
import { slowness } from "../support/time.ts";

Deno.test({
  name: "a mixed attack ends nothing, fills no memory, and honest clients are answered",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = slowness();
    const report = await mixedAttack({ seconds: 20 });
    const slow = Math.max(before, slowness()) > 1.5;
    assert.ok(Object.values(report.attacks).every((count) => count > 0));
    // A heap settles over minutes; the long form, `deno task attack`, is held to 64 MB. Where others use
    // the processors too, the service rightly says of more exams that they cannot be read in time.
    const bounds = { settled: 128 * 1024 * 1024, answers: slow ? 0.5 : 0.95 };
    assert.deepEqual(complaints(report, bounds), [], JSON.stringify(report));
  },
});
