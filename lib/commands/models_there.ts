/**
 * A model's file that is not there is answered with those that are: names like `MODEL.safetensors` are
 * typed as they stand in a manual.
 */
import { WeightsError } from "../errors.ts";
import { folderOf, isMissing, join } from "../files.ts";
import { commandLine } from "../invocation.ts";
import { isRemote } from "../model/model_source.ts";
import { listed } from "../quoted.ts";

/** How many models are named. */
const MAX_NAMED = 5;

/** Where training keeps models if nothing else is said. */
const MODELS = "models";

/**
 * Refuses a file that is not there, before anything is started. Whatever else is wrong with one is said
 * by whoever reads it.
 *
 * @param paths files of classifiers; addresses are passed over
 * @throws {WeightsError} if one is not there, naming the newest models in its folder
 */
export async function checkModelFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (isRemote(path) || !await isMissing(path)) continue;
    const folders = [...new Set([folderOf(path), MODELS])];
    const found = (await Promise.all(folders.map(_modelsIn))).flat();
    const hint = found.length === 0
      ? `train a model first: ${commandLine("-t", "acl", "-p", "sagittal")}`
      : `there are ${listed(found.map((path) => `'${path}'`), MAX_NAMED)}`;
    throw new WeightsError(`Cannot read the model '${path}': there is no such file: ${hint}`);
  }
}

/** The models in a folder, the newest first; none where this process may not look without asking. */
async function _modelsIn(folder: string): Promise<string[]> {
  if ((await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") return [];
  const found: { path: string; time: number }[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (!isFile || !/(\.safetensors|\.pth|\.pt|^(combined|ensemble)_.*\.json)$/.test(name)) {
        continue;
      }
      const path = folder === "." ? name : join(folder, name);
      const { mtime } = await Deno.stat(path);
      found.push({ path, time: mtime?.getTime() ?? 0 });
    }
  } catch {
    // A folder that cannot be listed has nothing to offer.
  }
  return found.sort((a, b) => b.time - a.time).map(({ path }) => path);
}
