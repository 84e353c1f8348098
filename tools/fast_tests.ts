/**
 * Runs the tests that are fast: every file of tests that, with the helpers that it imports, starts no
 * process, no browser and no engine. Which these are is read from the files, so there is no list to keep.
 *
 * ```sh
 * deno task test:fast
 * ```
 *
 * Types are not checked; `deno task check` does that.
 */

const ROOT = new URL("../", import.meta.url);

/** What a slow file does, and how it is seen. */
const SIGNS: Readonly<Record<string, RegExp>> = {
  "starts a process": /\bnew Deno\.Command\b/,
  "steers a browser": /\bplaywright-core@/,
  "computes with an engine":
    /\b(startEngine|onEachEngine|createMRNet|loadMRNet|loadCombined|trainClassifier|runAll|createHandler)\b/,
};

/** An import of another file, at once or later. */
const IMPORT = /\b(?:from|import\()\s*["'](\.[^"']+)["']/g;

/** The files that hold tests, by their path from the root, sorted. */
async function testFiles(folder = "tests/"): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) found.push(...await testFiles(`${folder}${name}/`));
    else if (name.endsWith("_test.ts")) found.push(folder + name);
  }
  return found.sort();
}

/** The text of a file; none where an import is a test's own text and names no file. */
async function textOf(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(file, ROOT));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** What makes a file slow, of itself or by a helper beside the tests; nothing if it is fast. */
async function slowness(file: string, visited = new Set<string>()): Promise<string | undefined> {
  if (visited.has(file) || !/^(tests|tools)\//.test(file)) return undefined;
  visited.add(file);
  const code = (await textOf(file)).replace(/^ *(\*|\/\/).*$/gm, "");
  for (const [what, sign] of Object.entries(SIGNS)) {
    if (sign.test(code)) return `${file} ${what}`;
  }
  for (const [, path] of code.matchAll(IMPORT)) {
    const imported = new URL(path, new URL(file, ROOT)).href.slice(ROOT.href.length);
    const reason = await slowness(imported, visited);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The files of tests that are fast, and the others, each with what makes it slow. */
export async function sortTests(): Promise<{ fast: string[]; slow: Map<string, string> }> {
  const [fast, slow]: [string[], Map<string, string>] = [[], new Map()];
  for (const file of await testFiles()) {
    const reason = await slowness(file);
    if (reason === undefined) fast.push(file);
    else slow.set(file, reason);
  }
  return { fast, slow };
}

if (import.meta.main) {
  const { fast } = await sortTests();
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--lock=deno.dev.lock", "-A", "--no-check", "--quiet", "--parallel"],
      ...Deno.args,
      ...fast,
    ],
    cwd: ROOT.pathname,
  }).spawn().status;
  Deno.exit(code);
}
