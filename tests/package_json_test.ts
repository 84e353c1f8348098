/**
 * A script in or below a folder with a `package.json`: Deno then looks for packages in `node_modules`
 * alone, unless it is told otherwise. The README names what works.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TemporaryFolder } from "./support/folders.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;
const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** What is done, as the README has it. */
const WAYS: Record<string, { flags?: string[]; env?: Record<string, string>; config?: string }> = {
  "--node-modules-dir=none": { flags: ["--node-modules-dir=none"] },
  "DENO_NO_PACKAGE_JSON=1": { env: { DENO_NO_PACKAGE_JSON: "1" } },
  "deno.json": { config: "{}" },
};

for (const [way, { flags = [], env = {}, config }] of Object.entries(WAYS)) {
  Deno.test(`mod.ts is imported below a folder with a package.json by way of ${way}`, async () => {
    await using folder = await TemporaryFolder.make();
    await folder.write("package.json", '{ "name": "somebody-elses", "type": "module" }');
    await folder.write(
      "scripts/try.ts",
      `import { TASKS } from "${MOD}";\nconsole.log(TASKS.join());\n`,
    );
    if (config !== undefined) await folder.write("scripts/deno.json", config);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", ...flags, "try.ts"],
      cwd: folder.at("scripts"),
      env: { ...env, NO_COLOR: "1" },
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), "abnormal,acl,meniscus\n");
    assert.ok(README.includes(`\`${way}\``), `the README names ${way}`);
    // Nothing is left in somebody else's project.
    assert.deepEqual((await folder.files()).filter((name) => name.includes("node_modules")), []);
  });
}
