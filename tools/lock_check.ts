/**
 * What is wrong with the three lock files, if anything: `deno.lock` must hold what `mod.ts` and `cli.ts`
 * import and no more, for Deno downloads all that it holds before it runs anything; `deno.queue.lock`
 * also holds what queues need, which few use, and `deno.dev.lock` the packages of tests and tools.
 */
import { messageOf } from "../lib/errors.ts";
import { QUEUE_LOCK } from "../lib/invocation.ts";

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
  optionalDependencies?: string[];
}

const USERS = "deno.lock";
const DEVELOPERS = "deno.dev.lock";

/** The file of lib/ that imports the packages of queues. */
const QUEUE_CLIENT = "lib/plan/engines/bullmq_client.ts";

/** A specifier between quotes, without a path into the package. */
const SPECIFIER = /["'](npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+)(?:\/[^"']*)?["']/g;

const REMEDY = "Run a file of tests by 'deno task test FILE', so that its packages are not added " +
  "to deno.lock, and see CONTRIBUTING.md on how to add one";

/**
 * The specifiers of the packages that the toolkit itself imports, at once or later.
 *
 * @param queues whether those of queues count
 */
async function importedSpecifiers(root: URL, queues: boolean): Promise<Set<string>> {
  const found = new Set<string>();
  const visit = async (url: URL) => {
    if (!queues && url.href === new URL(QUEUE_CLIENT, root).href) return;
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
    const { dependencies = [], optionalDependencies = [] } = npm[key];
    for (const name of [...dependencies, ...optionalDependencies]) {
      visit(name in npm ? name : byName.get(name)!);
    }
  };
  for (const [specifier, version] of Object.entries(specifiers)) {
    visit(`${specifier.replace(/^npm:/, "").replace(/(?<=.)@.*/, "")}@${version}`);
  }
  return reached;
}

/** Sentences about what is wrong with the lock files of a folder; none if all is well. */
export async function lockFaults(root: URL): Promise<string[]> {
  const [users, queues, developers]: Lock[] = await Promise.all(
    [USERS, QUEUE_LOCK, DEVELOPERS].map(async (name) =>
      JSON.parse(await Deno.readTextFile(new URL(name, root)))
    ),
  );
  return [
    ..._faults(USERS, users, await importedSpecifiers(root, false), developers),
    ..._faults(QUEUE_LOCK, queues, await importedSpecifiers(root, true), developers),
  ];
}

/** What is wrong with a lock file that is to hold what is imported. */
function _faults(
  name: string,
  lock: Lock,
  imported: ReadonlySet<string>,
  developers: Lock,
): string[] {
  const reached = reachable(lock);
  const missing = [...imported].filter((each) => !(each in lock.specifiers));
  const extra = Object.keys(lock.specifiers).filter((each) => !imported.has(each));
  const unneeded = Object.keys(lock.npm).filter((key) => !reached.has(key));
  const different = Object.entries(lock.npm)
    .filter(([key, { integrity }]) => developers.npm[key]?.integrity !== integrity)
    .map(([key]) => key);
  return [
    ...missing.map((each) => `${name} lacks ${each}, which lib/ imports`),
    ...extra.map((each) => `${name} holds ${each}, which neither mod.ts nor cli.ts imports`),
    ...unneeded.map((key) => `${name} holds ${key}, which nothing in it needs`),
    ...different.map((key) => `${DEVELOPERS} does not hold ${key} as ${name} does`),
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
