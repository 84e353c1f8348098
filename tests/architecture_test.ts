/**
 * The imports of lib/ run in no circle and point downwards only, as docs/architecture.md draws them.
 */
import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** The files that a file imports, types included; all by their path from the project's root. */
type Imports = ReadonlyMap<string, readonly string[]>;

/**
 * What stands between the quotes of an `import` or `export … from`, of the call, and of a file that is
 * found beside its importer, such as a worker's. Packages do not begin with a point.
 */
const SPECIFIER = /(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*["'](\.{1,2}\/[^"']+)["']/g;

/** The imports in a file's text. Lines of comments are skipped: examples import what they are about. */
function importsIn(path: string, text: string): string[] {
  const code = text.replace(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  const found = [...code.matchAll(SPECIFIER)].map(([, specifier]) => {
    const file = new URL(specifier, `file:///${path}`).pathname.slice(1);
    // AssemblyScript leaves the ending out.
    return /\.\w+$/.test(file) ? file : `${file}.ts`;
  });
  return [...new Set(found)].filter((file) => /^lib\/.*\.[jt]s$/.test(file));
}

/** The imports of every file of lib/. */
async function importsOfLib(): Promise<Imports> {
  const imports = new Map<string, string[]>();
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      const path = folder + name;
      if (isDirectory) await visit(`${path}/`);
      if (!/\.[jt]s$/.test(name)) continue;
      imports.set(path, importsIn(path, await Deno.readTextFile(new URL(path, ROOT))));
    }
  };
  await visit("lib/");
  return imports;
}

/** A circle of imports, from a file back to itself; nothing where there is none. */
function circleIn(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    const before = way.indexOf(file);
    if (before >= 0) return [...way.slice(before), file];
    if (done.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next, [...way, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** The rows of the picture, from the top: folders of lib/, and at its bottom single files. */
async function pictureRows(): Promise<string[][]> {
  const page = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const [, picture] = /```text\n([^]*?)```/.exec(page)!;
  return picture.split(/^ *─+$/m).map((row) => row.match(/\blib\/\w+(\.ts)?\b/g) ?? []);
}

/** What a file belongs to: its folder in lib/, or itself. */
const roomOf = (file: string) => /^lib\/[^/]+/.exec(file)![0];

/**
 * The imports without those of the tables of contents for scripts, which stand beside `mod.ts`. What
 * lib/ itself imports is none, whoever else may.
 */
function withoutEntries(imports: Imports, entries: readonly string[]): Imports {
  const imported = new Set([...imports.values()].flat());
  const isEntry = (file: string) => entries.includes(`./${file}`) && !imported.has(file);
  return new Map([...imports].filter(([file]) => !isEntry(file)));
}

/** Imports of what stands above or beside: a row's folders do not know one another. */
function upwards(imports: Imports, rows: readonly string[][]): string[] {
  const heightOf = (room: string) => rows.findIndex((row) => row.includes(room));
  const bottom = rows.length - 1;
  return [...imports].flatMap(([file, imported]) => {
    const [from, height] = [roomOf(file), heightOf(roomOf(file))];
    return imported.filter((other) => {
      const to = roomOf(other);
      if (to === from) return false;
      // The single files at the bottom stand on one another.
      return heightOf(to) <= height && !(height === bottom && heightOf(to) === bottom);
    }).map((other) => `${file} imports ${other}`);
  });
}

const imports = await importsOfLib();
const rows = await pictureRows();

Deno.test("the search finds imports of every kind, and none in comments", () => {
  const text = `
 * import { a } from "./example.ts";
// import b from "./comment.ts";
import { c } from "./c.ts";
import type {
  D,
} from '../d.ts';
import "./side_effect.js";
export * from "./again.ts";
type F = import("./type.ts").F;
const g = await import("./later.ts");
new Worker(new URL("./worker.js", import.meta.url));
import style from "./page.css" with { type: "text" };
import { h } from "./assembly_script";
import assert from "node:assert/strict";
`;
  const beside = "c.ts side_effect.js again.ts type.ts later.ts worker.js assembly_script.ts";
  assert.deepEqual(
    importsIn("lib/a/b/file.ts", text).sort(),
    ["lib/a/d.ts", ...beside.split(" ").map((name) => `lib/a/b/${name}`)].sort(),
  );
});

Deno.test("a circle is found, and an import of what is above or beside", () => {
  const made = new Map([
    ["lib/top/a.ts", ["lib/left/b.ts"]],
    ["lib/left/b.ts", ["lib/left/c.ts", "lib/right/e.ts"]],
    ["lib/left/c.ts", ["lib/left/d.ts", "lib/errors.ts"]],
    ["lib/left/d.ts", ["lib/left/b.ts", "lib/top/a.ts"]],
    ["lib/right/e.ts", []],
    ["lib/errors.ts", ["lib/version.ts"]],
    ["lib/version.ts", []],
  ]);
  const [b, c, d] = ["b", "c", "d"].map((name) => `lib/left/${name}.ts`);
  assert.deepEqual(circleIn(new Map([...made].slice(1))), [b, c, d, b]);
  assert.equal(circleIn(new Map([...made, [d, []]])), undefined);
  const picture = [["lib/top"], ["lib/left", "lib/right"], ["lib/errors.ts", "lib/version.ts"]];
  assert.deepEqual(upwards(made, picture), [
    "lib/left/b.ts imports lib/right/e.ts",
    "lib/left/d.ts imports lib/top/a.ts",
  ]);
});

Deno.test("a script's table of contents may export what is above it, unless lib/ imports it", () => {
  const contents: [string, string[]] = ["lib/low/mod.ts", ["lib/high/a.ts"]];
  const user: [string, string[]] = ["lib/high/b.ts", ["lib/low/mod.ts"]];
  const entries = ["./mod.ts", "./lib/low/mod.ts"];
  assert.deepEqual(withoutEntries(new Map([contents]), entries), new Map());
  assert.deepEqual(withoutEntries(new Map([contents]), ["./mod.ts"]), new Map([contents]));
  assert.deepEqual(withoutEntries(new Map([contents, user]), entries), new Map([contents, user]));
});

Deno.test("every import of lib/ leads to a file that is there", () => {
  assert.ok(imports.size > 200);
  for (const [file, imported] of imports) {
    for (const other of imported) assert.ok(imports.has(other), `${file} imports ${other}`);
  }
});

Deno.test("the imports of lib/ run in no circle", () => {
  assert.equal(circleIn(imports)?.join("\n→ "), undefined);
});

Deno.test("the picture in docs/architecture.md has every folder and single file of lib/ once", () => {
  const rooms = new Set([...imports.keys()].map(roomOf));
  assert.deepEqual(rows.flat().sort(), [...rooms].sort());
});

Deno.test("the imports of lib/ point downwards in the picture", () => {
  const entries = Object.values(config.exports);
  assert.deepEqual(upwards(withoutEntries(imports, entries), rows), []);
});
