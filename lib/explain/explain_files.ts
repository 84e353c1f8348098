/** Explaining exams from their files, into a folder. */
import { examFileOf, type ExamInput, readExamFiles } from "../data/exam_files.ts";
import { currentEngine } from "../engine/engine.ts";
import { OptionError } from "../errors.ts";
import {
  type FilePrediction,
  filePrediction,
  type FilePredictions,
  filePredictions,
} from "../model/file_prediction.ts";
import type { MRNet } from "../model/mrnet.ts";
import { checkOptionNames, type OptionNames } from "../option_names.ts";
import { explain, EXPLAIN_OPTION_NAMES, type ExplainOptions, type Explanation } from "./explain.ts";
import { meanExplanation } from "./mean.ts";
import { type ExplainedModel, type ExplanationFiles, writeExplanation } from "./write.ts";

/** How to explain, and into which folder. */
export interface ExplainFilesOptions extends ExplainOptions {
  /** The folder that is written to; made if it is missing. */
  folder: string;
  /** Which model it is. */
  model: ExplainedModel;
}

/** What explaining files can be given. */
const OPTION_NAMES: OptionNames<ExplainFilesOptions> = {
  ...EXPLAIN_OPTION_NAMES,
  folder: true,
  model: true,
};

/** What a model says about an exam's file, and what was written about it. */
export type FileExplanation = FilePrediction & { files?: ExplanationFiles };

/** As in `verbs.ts`, where it is described. */
export async function* explainFiles(
  network: MRNet,
  paths: readonly ExamInput[],
  options: ExplainFilesOptions,
): AsyncGenerator<FileExplanation> {
  checkOptionNames("explain", options, OPTION_NAMES);
  for await (const { files, ...outcome } of explainFilesTogether([network], paths, options)) {
    if ("error" in outcome) yield outcome;
    else {
      const { predictions: [prediction], ...known } = outcome;
      yield { ...known, prediction, files };
    }
  }
}

/**
 * As {@linkcode explainFiles}, with several models that read the same plane: the pictures show the mean of
 * their explanations.
 *
 * @param networks at least one
 * @throws as {@linkcode explainFiles}
 */
export async function* explainFilesTogether(
  networks: readonly MRNet[],
  paths: readonly ExamInput[],
  { folder, model, map }: ExplainFilesOptions,
): AsyncGenerator<FilePredictions & { files?: ExplanationFiles }> {
  checkNames(paths, folder);
  const engine = currentEngine();
  for await (const file of readExamFiles(paths)) {
    if ("error" in file) {
      yield file;
      continue;
    }
    const outcomes: FilePrediction[] = [];
    const explanations: Explanation[] = [];
    for (const network of networks) {
      const { outcome, computed } = await filePrediction(
        file,
        network,
        () => explain(network, file.exam, { map }),
      );
      engine.check();
      outcomes.push(outcome);
      if (computed === undefined) break;
      explanations.push(computed);
    }
    const together = filePredictions(outcomes);
    if ("error" in together) yield together;
    else {
      const explanation = meanExplanation(explanations);
      yield { ...together, files: await writeExplanation(folder, file.exam, explanation, model) };
    }
  }
}

/**
 * Refuses files whose pictures would have the same names.
 *
 * @throws {OptionError} if two names are equal but for upper and lower case, which some disks do not tell
 * apart
 */
export function checkNames(paths: readonly ExamInput[], folder: string): void {
  const seen = new Map<string, string>();
  for (const input of paths) {
    const { path, id } = examFileOf(input);
    const name = id.toLowerCase();
    const before = seen.get(name);
    if (before !== undefined) {
      throw new OptionError(
        `Cannot write pictures of both '${before}' and '${path}' to '${folder}': ` +
          "they would have the same names: give each a folder of its own",
      );
    }
    seen.set(name, path);
  }
}
