/**
 * A script in or below a folder with a `package.json`: Deno then looks for packages in `node_modules`
 * alone, unless it is told otherwise. docs/scripting.md names what works.
 */
import assert from "node:assert/strict";
import { TemporaryFolder } from "./support/folders.ts";

const MOD = new URL("../mod.ts", import.meta.url).href;
const PAGE = await Deno.readTextFile(new URL("../docs/scripting.md", import.meta.url));

/** What is done about it. */
interface Way {
  flags?: string[];
  env?: Record<string, string>;
  config?: string;
}

/** As docs/scripting.md has it. */
const WAYS: Record<string, Way> = {
  "--node-modules-dir=none": { flags: ["--node-modules-dir=none"] },
  "DENO_NO_PACKAGE_JSON=1": { env: { DENO_NO_PACKAGE_JSON: "1" } },
  "deno.json": { config: '{ "nodeModulesDir": "none" }' },
};

/** Where the script is, seen from the folder of the `package.json`. */
const SUBFOLDERS = { in: "", below: "scripts/" };

/** Runs a script that imports `mod.ts` in a project of somebody else's. */
async function run(
  folder: TemporaryFolder,
  subfolder: string,
  { flags = [], env = {}, config }: Way,
) {
  await folder.write("package.json", '{ "name": "somebody-elses", "type": "module" }');
  await folder.write(
    `${subfolder}try.ts`,
    `import { TASKS } from "${MOD}";\nconsole.log(TASKS.join());\n`,
  );
  if (config !== undefined) await folder.write(`${subfolder}deno.json`, config);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", ...flags, "try.ts"],
    cwd: folder.at(subfolder),
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

for (const [where, subfolder] of Object.entries(SUBFOLDERS)) {
  Deno.test(`without more, a script ${where} a folder with a package.json finds no package`, async () => {
    await using folder = await TemporaryFolder.make();
    const { code, err } = await run(folder, subfolder, {});
    assert.equal(code, 1);
    assert.match(err, /Could not find a matching package/);
  });

  for (const [way, done] of Object.entries(WAYS)) {
    Deno.test(`mod.ts is imported ${where} a folder with a package.json by way of ${way}`, async () => {
      await using folder = await TemporaryFolder.make();
      const { code, out, err } = await run(folder, subfolder, done);
      assert.equal(code, 0, err);
      assert.equal(out, "abnormal,acl,meniscus\n");
      assert.ok(PAGE.includes(`\`${done.config ?? way}\``), `docs/scripting.md names ${way}`);
      // Nothing is left in somebody else's project.
      assert.deepEqual((await folder.files()).filter((name) => name.includes("node_modules")), []);
    });
  }
}
