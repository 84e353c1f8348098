/**
 * What this project takes from others: every package pinned to one version, imported in one file,
 * described in docs/dependencies.md, and locked by its checksum.
 */
import assert from "node:assert/strict";
import { lockFaults } from "../tools/lock_check.ts";
import { TemporaryFolder } from "./support/folders.ts";

const ROOT = new URL("../", import.meta.url);
const text = (name: string) => Deno.readTextFile(new URL(name, ROOT));

/** Folders beside the code with what is not the project's own: data, results, and what version control keeps. */
const OTHERS = /^(\.git|data|models|logs|reference|reports|node_modules)$/;

/** The project's files with one of these endings, by their path from its root. */
async function projectFiles(endings: RegExp): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder || ".", ROOT))) {
      if (isDirectory && !OTHERS.test(folder + name)) await visit(`${folder}${name}/`);
      else if (!isDirectory && endings.test(name)) found.push(folder + name);
    }
  };
  await visit("");
  return found.sort();
}

interface Mention {
  file: string;
  name: string;
  /** Empty where none is given. */
  version: string;
}

/** Every `npm:` specifier of the code, the documentation, the tasks and the checks. */
async function npmMentions(): Promise<Mention[]> {
  const mentions: Mention[] = [];
  for (const file of await projectFiles(/\.(tsx?|js|json|md|sh)$|^run$/)) {
    const content = file === "deno.lock" ? "" : await text(file);
    // A name after the colon; `npm:` in running text is none.
    for (const [, name, version = ""] of content.matchAll(SPECIFIER)) {
      mentions.push({ file, name, version });
    }
  }
  return mentions;
}

const SPECIFIER = /\bnpm:(@[a-z][\w.-]*\/[a-z][\w.-]*|[a-z][\w.-]*)(?:@([^\s/"'`,;)|]+))?/g;

/**
 * An `import` or `export … from`, the call, or a constant that is run or imported later, with what
 * stands between the quotes.
 */
const IMPORT =
  /(?:\bfrom|\bimport|\bimport(?:\.\w+)?\(|\bconst [A-Z]+ =)\s*["']((?:npm|jsr|https?|node):[^"']+)["']/g;

const mentions = await npmMentions();

Deno.test("the search finds what is there, unpinned names included", () => {
  assert.ok(mentions.length > 20);
  const found = [..."npm:left-pad npm:@a/b@1.0.0/sub npm:c@^2 jsr:x".matchAll(SPECIFIER)];
  assert.deepEqual(found.map(([, name, version]) => [name, version]), [
    ["left-pad", undefined],
    ["@a/b", "1.0.0"],
    ["c", "^2"],
  ]);
});

Deno.test("every npm package is pinned, in code, tasks and documentation, and to one version", () => {
  const versions = new Map<string, string>();
  for (const { file, name, version } of mentions) {
    // This file's own examples.
    if (file === "tests/dependencies_test.ts") continue;
    assert.match(
      version,
      /^\d+\.\d+\.\d+(-[\w.]+)?$/,
      `${file} takes whatever version of ${name} there is`,
    );
    assert.equal(versions.get(name) ?? version, version, `${file} has another version of ${name}`);
    versions.set(name, version);
  }
});

/** The packages and built-in modules that a file imports. */
async function importsOf(file: string): Promise<string[]> {
  const content = (await text(file)).replace(/^ *(\*|\/\/).*$/gm, "");
  // The name of SVG's elements looks like an address; nothing is fetched from there.
  return [...content.matchAll(IMPORT)].map(([, specifier]) => specifier)
    .filter((specifier) => specifier !== "http://www.w3.org/2000/svg");
}

Deno.test("nothing is imported from anywhere but npm and Deno itself", async () => {
  for (const file of await projectFiles(/\.(ts|js)$/)) {
    for (const specifier of await importsOf(file)) {
      assert.match(specifier, /^(npm|node):/, file);
    }
  }
});

interface Described {
  name: string;
  version: string;
  files: string[];
}

/** The sections of docs/dependencies.md: a heading with the specifier, and where it is imported. */
async function described(): Promise<Described[]> {
  const sections = (await text("docs/dependencies.md")).split(/^## /m).slice(1);
  return sections.filter((section) => section.startsWith("`npm:")).map((section) => {
    const [, name, version] = /^`npm:(\S+)@(\d[\w.-]*)`\n/.exec(section)!;
    for (const heading of ["**Does**", "**Why**", "**May touch**", "**Imported in**"]) {
      assert.ok(section.includes(heading), `the section on ${name} lacks ${heading}`);
    }
    const where = /\*\*Imported in\*\*([^]*?)(\n\n|$)/.exec(section)![1];
    const files = [...where.matchAll(/`([^`]+)`/g)].map(([, file]) => file);
    return { name, version, files: files.sort() };
  });
}

Deno.test("docs/dependencies.md describes every package, and says where it is imported", async () => {
  const imported = new Map<string, Set<string>>();
  const add = (name: string, version: string, file: string) => {
    const key = `${name}@${version}`;
    imported.set(key, (imported.get(key) ?? new Set()).add(file));
  };
  for (const file of await projectFiles(/\.(ts|js)$/)) {
    for (const specifier of await importsOf(file)) {
      for (const [, name, version] of specifier.matchAll(SPECIFIER)) {
        // What only tests need may be imported by any of them.
        const owner = /^tests\//.test(file) ? "tests/" : file;
        if (owner !== "tests/" || !imported.has(`${name}@${version}`)) add(name, version, owner);
      }
    }
  }
  const { tasks } = JSON.parse(await text("deno.json"));
  for (const [, name, version] of JSON.stringify(tasks).matchAll(SPECIFIER)) {
    add(name, version, "deno.json");
  }
  const actual = [...imported].map(([key, files]) => {
    const at = key.lastIndexOf("@");
    // A test may look at what the toolkit imports; that is no second import of it.
    const own = [...files].filter((file) => file !== "tests/" || files.size === 1);
    return { name: key.slice(0, at), version: key.slice(at + 1), files: own.sort() };
  });
  const byName = (a: Described, b: Described) => a.name < b.name ? -1 : 1;
  assert.deepEqual((await described()).sort(byName), actual.sort(byName));
});

for (const file of ["deno.lock", "deno.queue.lock", "deno.dev.lock"]) {
  Deno.test(`${file} is frozen, and has a checksum for each package`, async () => {
    const { lock, allowScripts } = JSON.parse(await text("deno.json"));
    assert.equal(lock.frozen, true);
    const { npm, specifiers } = JSON.parse(await text(file));
    for (const [name, { integrity, scripts }] of Object.entries<Record<string, unknown>>(npm)) {
      assert.match(String(integrity), /^sha512-[\w+/]{86}==$/, name);
      // A package that would run something when it is installed must be refused by name.
      if (scripts) {
        assert.ok(allowScripts.deny.includes(`npm:${name}`), `${name} has install scripts`);
      }
    }
    const pinned = new Set(
      mentions.filter(({ file }) => file !== "tests/dependencies_test.ts")
        .map(({ name, version }) => `npm:${name}@${version}`),
    );
    assert.deepEqual(Object.keys(specifiers).filter((each) => !pinned.has(each)), []);
    assert.equal(allowScripts.allow, undefined);
  });
}

Deno.test("who uses the toolkit downloads what it imports, and nothing of its developers'", async () => {
  assert.deepEqual(await lockFaults(ROOT), []);
  const { npm } = JSON.parse(await text("deno.lock"));
  const names = Object.keys(npm).map((key) => key.replace(/(?<=.)@.*/, ""));
  assert.ok(names.includes("@tensorflow/tfjs-core"));
  for (const tool of ["fast-check", "playwright-core", "axe-core", "assemblyscript", "binaryen"]) {
    assert.ok(!names.includes(tool), tool);
  }
  // What queues need is downloaded with a lock file that names it.
  for (const name of ["bullmq", "ioredis", "luxon"]) assert.ok(!names.includes(name), name);
  const { tasks } = JSON.parse(await text("deno.json"));
  assert.match(tasks.test.command, /--lock=deno\.dev\.lock /);
  // Either of them out of date must not land.
  assert.match(tasks.check.command, /deno check --frozen --lock=deno\.dev\.lock &&/);
  assert.match(tasks.check.command, /deno cache --frozen mod\.ts cli\.ts &&/);
});

Deno.test("a lock with a package of the tests', or without one of the toolkit's, is found", async () => {
  await using folder = await TemporaryFolder.make();
  await folder.write("mod.ts", 'export * from "npm:zod@4.6.7/v4";\n');
  await folder.write("cli.ts", "");
  await folder.write("lib/later.js", 'await import("npm:gifenc@1.0.3");\n');
  const queues = "lib/plan/engines/bullmq_client.ts";
  await folder.write(queues, 'const BULLMQ = "npm:bullmq@6.7.0";\n');
  const lock = (...names: string[]) =>
    JSON.stringify({
      specifiers: Object.fromEntries(
        names.filter((name) => !name.startsWith("-"))
          .map((name) => [`npm:${name}`, name.split("@")[1]]),
      ),
      npm: Object.fromEntries(names.map((name) => [name.replace("-", ""), { integrity: name }])),
    });
  await folder.write(
    "deno.dev.lock",
    lock("zod@4.6.7", "gifenc@1.0.3", "left@1.0.0", "bullmq@6.7.0"),
  );
  const both = ["zod@4.6.7", "gifenc@1.0.3"];
  await folder.write("deno.queue.lock", lock(...both, "bullmq@6.7.0"));
  const faults = async (...names: string[]) => {
    await folder.write("deno.lock", lock(...names));
    return await lockFaults(new URL(`file://${folder.path}/`));
  };
  assert.deepEqual(await faults("zod@4.6.7", "gifenc@1.0.3"), []);
  assert.deepEqual(await faults(...both, "bullmq@6.7.0"), [
    "deno.lock holds npm:bullmq@6.7.0, which neither mod.ts nor cli.ts imports",
  ]);
  assert.deepEqual(await faults("zod@4.6.7"), [
    "deno.lock lacks npm:gifenc@1.0.3, which lib/ imports",
  ]);
  assert.deepEqual(await faults("zod@4.6.7", "gifenc@1.0.3", "left@1.0.0"), [
    "deno.lock holds npm:left@1.0.0, which neither mod.ts nor cli.ts imports",
  ]);
  assert.deepEqual(await faults("zod@4.6.7", "gifenc@1.0.3", "-right@1.0.0"), [
    "deno.lock holds right@1.0.0, which nothing in it needs",
    "deno.dev.lock does not hold right@1.0.0 as deno.lock does",
  ]);
  await folder.write("deno.queue.lock", lock(...both));
  assert.deepEqual(await faults(...both), [
    "deno.queue.lock lacks npm:bullmq@6.7.0, which lib/ imports",
  ]);
});
