/**
 * A made-up dataset that is not finished. From the beginning until the labels are written, a file in
 * its folder holds its settings: the same dataset can be continued, and no other is mixed into it.
 */
import { OutputError } from "../errors.ts";
import { fileError, ifThere, join, removeLeftOvers, writeWhole } from "../files.ts";

/** The name of the file. */
const UNFINISHED = "unfinished.json";

/** The settings of a dataset, which decide what its files hold. */
export type PhantomSettings = Readonly<Record<string, unknown>> & { readonly seed: number };

/**
 * The settings of the unfinished dataset in a folder.
 *
 * @returns `undefined` if none was begun there
 * @throws {OutputError} if the file that says it is damaged
 * @throws {PermissionError} if Deno may not look
 */
export async function readUnfinished(folder: string): Promise<PhantomSettings | undefined> {
  const path = join(folder, UNFINISHED);
  const text = await ifThere(Deno.readTextFile(path)).catch((error) => {
    throw fileError(error, { what: "read", path, access: "read", error: OutputError });
  });
  if (text === undefined) return undefined;
  try {
    const settings = JSON.parse(text);
    if (Number.isSafeInteger(settings?.seed)) return settings;
  } catch {
    // What is no JSON is damaged too.
  }
  throw new OutputError(
    `Cannot go on with the phantoms in '${folder}': '${UNFINISHED}' there is damaged: remove the folder`,
  );
}

/**
 * Begins a dataset, or goes on with the same.
 *
 * @throws {OutputError} if another one was begun there, naming what differs
 */
export async function beginOrGoOn(folder: string, settings: PhantomSettings): Promise<void> {
  const begun = await readUnfinished(folder);
  const text = JSON.stringify(settings, null, 2) + "\n";
  if (begun === undefined) return void await writeWhole(join(folder, UNFINISHED), text);
  const wanted = JSON.parse(text) as PhantomSettings;
  const names = [...new Set([...Object.keys(begun), ...Object.keys(wanted)])];
  const differ = names.map((name) => [name, _shown(begun[name]), _shown(wanted[name])])
    .filter(([, was, is]) => was !== is);
  if (differ.length === 0) return;
  const list = differ.map(([name, was, is]) => `${name} ${was} there and ${is} here`).join(", ");
  throw new OutputError(
    `Cannot go on with the phantoms in '${folder}': another set was begun there (${list}): ` +
      "give the same options, choose another folder, or remove it",
  );
}

/** A file of a dataset that was being written: its name, and the ending it has until it is whole. */
const HALF_WRITTEN =
  /^(\d{4}\.npy|(train|valid)-[a-z]+\.csv|unfinished\.json|(README|PHANTOMS)\.md)\.[0-9a-f]{8}\.part$/;

/**
 * Removes the incomplete files that a killed run left in one of a dataset's folders. It does so at once:
 * a run may be continued right after it was killed.
 *
 * @throws {OutputError} if the folder cannot be listed
 */
export async function removeIncomplete(folder: string): Promise<void> {
  try {
    await removeLeftOvers(folder, { age: 0, isOurs: (name) => HALF_WRITTEN.test(name) });
  } catch (error) {
    const what = "go on with the phantoms in";
    throw fileError(error, { what, path: folder, access: "read", error: OutputError });
  }
}

/** The dataset is finished. */
export async function endUnfinished(folder: string): Promise<void> {
  await Deno.remove(join(folder, UNFINISHED)).catch((error) => {
    const path = join(folder, UNFINISHED);
    throw fileError(error, { what: "remove", path, access: "write", error: OutputError });
  });
}

function _shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
