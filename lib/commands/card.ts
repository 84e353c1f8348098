/** `cli.ts card MODEL`: what is known of a model, on the terminal, as a README or as a bundle. */
import { baseName, folderOf, makeWritableFolder, writeWhole } from "../files.ts";
import { DataError } from "../errors.ts";
import { Command, option, repeatedOption, text, UsageError } from "./arguments.ts";
import { columns, endWithReader, print, remark } from "./console.ts";
import { intensityOption, planeOption, taskOption } from "./model_options.ts";
import { checkModelFiles } from "./models_there.ts";

/** How wide the card is at least and at most, in columns. */
const [MIN_WIDTH, MAX_WIDTH] = [50, 100];

/** The command. */
export function cardCommand() {
  return new Command("card")
    .description(
      "Say what a model, a combination or an ensemble is: use, training data, how it was chosen,\n" +
        "results, licence. On the terminal, as a README of the Hugging Face Hub, or as a MONAI\n" +
        "bundle with ONNX files.",
    )
    .argument("<MODEL>", "the model: .safetensors, .pth or .pt, or .json")
    .addOption(
      option(
        "--out <FILE.md|DIR>",
        "write a README for the Hugging Face Hub, or a MONAI bundle to a folder",
        text,
      ),
    )
    .addOption(
      repeatedOption(
        "--results <FILE>",
        "what 'evaluate --json' printed of this model; may be given several times",
        text,
      ),
    )
    .addOption(taskOption())
    .addOption(planeOption())
    .addOption(intensityOption())
    .addHelpText(
      "after",
      "\nPermissions: --allow-read=models, and --allow-write of the file or the folder of --out.",
    )
    .action(async (model, { out, results: files = [], ...hints }) => {
      if (out !== undefined) _checkOut(out);
      await checkModelFiles([model]);
      // What makes cards is loaded for cards alone.
      const { cardLines, cardReadme, describeModel, readResults, writeBundle } = await import(
        "../card/mod.ts"
      );
      const described = await describeModel(model, hints);
      const results = await Promise.all(files.map(readResults));
      results.forEach((each, at) => _checkResults(each.sha256, files[at], described));
      if (out === undefined) {
        using _reader = endWithReader();
        const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns()));
        for (const line of await cardLines(described, results, width)) print(line);
        return;
      }
      if (_isPage(out)) {
        await makeWritableFolder(folderOf(out));
        await writeWhole(out, await cardReadme(described, results));
        return remark(`Wrote ${out}`);
      }
      const written = await writeBundle(described, out, results);
      remark(`Wrote ${written.length} files to ${out}, configs/metadata.json among them`);
    });
}

function _isPage(out: string): boolean {
  return /\.md$/i.test(out);
}

/** Refuses a name that is neither a page's nor a folder's. */
function _checkOut(out: string): void {
  if (_isPage(out) || !/\.(json|onnx|pt|pth|safetensors|txt|html|ya?ml)$/i.test(out)) return;
  throw new UsageError(
    `argument --out: invalid value: '${baseName(out)}' (must end in .md, or be a folder)`,
  );
}

/** Refuses results of another model. */
function _checkResults(
  sha256: string,
  path: string,
  { file, sha256: own }: { file: string; sha256: string },
): void {
  if (sha256 === own) return;
  throw new DataError(
    `Cannot use the results '${path}': they are of a model with the SHA-256 ${
      sha256.slice(0, 12)
    }…, ` +
      `that of '${file}' is ${own.slice(0, 12)}…: evaluate this model`,
  );
}
