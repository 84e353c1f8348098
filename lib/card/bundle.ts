/** A model as a MONAI bundle: its metadata, its networks as ONNX and PyTorch, and its card. */
import { OptionError } from "../errors.ts";
import { join, makeFolder, makeWritableFolder, writeWhole } from "../files.ts";
import { convertOpened } from "../model/convert.ts";
import { openModelSource } from "../model/model_source.ts";
import type { ModelDescription } from "./describe.ts";
import { bundledModels, monaiMetadata } from "./monai.ts";
import { cardReadme } from "./readme.ts";
import type { ModelResults } from "./results.ts";

/** As in `verbs.ts`, where it is described. */
export async function writeBundle(
  model: ModelDescription,
  folder: string,
  results: readonly ModelResults[] = [],
): Promise<string[]> {
  const bundled = bundledModels(model);
  if (bundled.length === 0) {
    throw new OptionError(
      `Cannot make a bundle of '${model.file}': it was fitted on a table and has no models: ` +
        "give a combination of models, or a name that ends in .md",
    );
  }
  await makeWritableFolder(folder);
  const written: string[] = [];
  const write = async (inside: string, name: string, text: string) => {
    await makeFolder(join(folder, inside));
    written.push(join(folder, inside, name));
    await writeWhole(written.at(-1)!, text);
  };
  await makeFolder(join(folder, "models"));
  for (const { name, model: { source, card: { intensity } } } of bundled) {
    using opened = await openModelSource(source);
    for (const [ending, options] of [["onnx", { intensity }], ["pt", {}]] as const) {
      const path = join(folder, "models", `${name}.${ending}`);
      await convertOpened(opened, path, options);
      written.push(path);
    }
  }
  await write("docs", "README.md", await cardReadme(model, results));
  // Last, so that a bundle with metadata is whole.
  const metadata = JSON.stringify(monaiMetadata(model, results), null, 2) + "\n";
  await write("configs", "metadata.json", metadata);
  return written;
}
