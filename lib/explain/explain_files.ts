/** Explaining exams from their files, into a folder. */
import type { Exam } from "../data/exam.ts";
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
  const { folder, model, map } = options;
  checkNames(paths, folder);
  let files: ExplanationFiles | undefined;
  const explained = explainFilesTogether([network], paths, {
    map,
    onExplained: async (exam, explanation) => {
      files = await writeExplanation(folder, exam, explanation, model);
    },
  });
  for await (const outcome of explained) {
    if ("error" in outcome) yield outcome;
    else {
      const { predictions: [prediction], ...known } = outcome;
      yield { ...known, prediction, files };
    }
  }
}

/** What explaining with several models can be given. */
export interface ExplainTogetherOptions extends Pick<ExplainOptions, "map"> {
  /** Is given each exam and the mean of its explanations, and awaited, before its prediction is given. */
  onExplained: (exam: Exam, explanation: Explanation) => Promise<void>;
}

/**
 * Predicts exams from their files as {@linkcode explainFiles} does, with several models that read the same
 * plane, and leaves to the caller what becomes of the explanations.
 *
 * @param networks at least one
 * @throws {EngineError} if the engine fails
 * @throws what `onExplained` throws
 */
export async function* explainFilesTogether(
  networks: readonly MRNet[],
  paths: readonly ExamInput[],
  { map, onExplained }: ExplainTogetherOptions,
): AsyncGenerator<FilePredictions> {
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
    if (!("error" in together)) await onExplained(file.exam, meanExplanation(explanations));
    yield together;
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
