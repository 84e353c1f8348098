/**
 * What is wrong with the two lock files, if anything: `deno.lock` must hold what `mod.ts` and `cli.ts`
 * import and no more, for Deno downloads all that it holds before it runs anything; `deno.dev.lock`
 * holds the packages of tests and tools besides.
 */
import { messageOf } from "../lib/errors.ts";

/** A lock file, as far as it matters here. */
interface Lock {
  /** The version that each `npm:` specifier stands for, with those of its peers. */
  specifiers: Record<string, string>;
  /** Each package by name and version. */
  npm: Record<string, LockedPackage>;
}

interface LockedPackage {
  integrity: string;
  dependencies?: string[];
}

const USERS = "deno.lock";
const DEVELOPERS = "deno.dev.lock";

/** A specifier between quotes, without a path into the package. */
const SPECIFIER = /["'](npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+)(?:\/[^"']*)?["']/g;

const REMEDY = "Run a file of tests by 'deno task test FILE', so that its packages are not added " +
  "to deno.lock, and see CONTRIBUTING.md on how to add one";

/** The specifiers of the packages that the toolkit itself imports, at once or later. */
async function importedSpecifiers(root: URL): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (url: URL) => {
    for (const [, name] of (await Deno.readTextFile(url)).matchAll(SPECIFIER)) found.add(name);
  };
  const visitFolder = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await visitFolder(new URL(`${name}/`, folder));
      else if (/\.[jt]s$/.test(name)) await visit(new URL(name, folder));
    }
  };
  await visitFolder(new URL("lib/", root));
  for (const name of ["mod.ts", "cli.ts"]) await visit(new URL(name, root));
  return found;
}

/** The packages that the specifiers of a lock need, one by way of another included. */
function reachable({ specifiers, npm }: Lock): Set<string> {
  const byName = new Map(Object.keys(npm).map((key) => [key.replace(/(?<=.)@.*/, ""), key]));
  const reached = new Set<string>();
  const visit = (key: string) => {
    if (reached.has(key) || npm[key] === undefined) return;
    reached.add(key);
    // Where there is one version of a package alone, its name stands for it.
    for (const name of npm[key].dependencies ?? []) visit(name in npm ? name : byName.get(name)!);
  };
  for (const [specifier, version] of Object.entries(specifiers)) {
    visit(`${specifier.replace(/^npm:/, "").replace(/(?<=.)@.*/, "")}@${version}`);
  }
  return reached;
}

/** Sentences about what is wrong with the lock files of a folder; none if all is well. */
export async function lockFaults(root: URL): Promise<string[]> {
  const [users, developers]: Lock[] = await Promise.all(
    [USERS, DEVELOPERS].map(async (name) =>
      JSON.parse(await Deno.readTextFile(new URL(name, root)))
    ),
  );
  const imported = await importedSpecifiers(root);
  const reached = reachable(users);
  const missing = [...imported].filter((each) => !(each in users.specifiers));
  const extra = Object.keys(users.specifiers).filter((each) => !imported.has(each));
  const unneeded = Object.keys(users.npm).filter((key) => !reached.has(key));
  const different = Object.entries(users.npm)
    .filter(([key, { integrity }]) => developers.npm[key]?.integrity !== integrity)
    .map(([key]) => key);
  return [
    ...missing.map((each) => `${USERS} lacks ${each}, which lib/ imports`),
    ...extra.map((each) => `${USERS} holds ${each}, which neither mod.ts nor cli.ts imports`),
    ...unneeded.map((key) => `${USERS} holds ${key}, which nothing in it needs`),
    ...different.map((key) => `${DEVELOPERS} does not hold ${key} as ${USERS} does`),
  ];
}

if (import.meta.main) {
  const say = (text: string) => Deno.stderr.write(new TextEncoder().encode(`${text}\n`));
  try {
    const faults = await lockFaults(new URL("../", import.meta.url));
    for (const fault of faults) await say(fault);
    if (faults.length > 0) await say(REMEDY);
    Deno.exit(faults.length > 0 ? 1 : 0);
  } catch (error) {
    await say(`Cannot check the lock files: ${messageOf(error)}`);
    Deno.exit(1);
  }
}
