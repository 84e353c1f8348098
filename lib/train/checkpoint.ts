/** The file that holds the best model of a run. */
import { OptionError, WeightsError } from "../errors.ts";
import { isFileName } from "../file_name.ts";
import { join, writeUnderFreeName } from "../files.ts";
import type { ChosenOn, ModelCard } from "../model/card.ts";
import { cardMetadata } from "../model/card_metadata.ts";
import { writeMRNet } from "../model/create.ts";
import type { MRNet } from "../model/mrnet.ts";
import { readSafetensorsHeader } from "../model/weights/safetensors.ts";
import type { StateDict } from "../model/weights/tensors.ts";
import type { Plane, Task } from "../terms.ts";
import type { EpochReport } from "./reports.ts";

/** Which model a checkpoint is of. */
export interface CheckpointOptions {
  /** The folder it is written to; it must exist. */
  folder: string;
  /** A name for the kind of run; letters, digits, `.`, `_` and `-`. */
  prefix: string;
  task: Task;
  plane: Plane;
  /** The exams that the best epoch and its operating point are chosen by. */
  chosenOn: ChosenOn;
  /** How the model was made, kept in the file. */
  card: Partial<ModelCard>;
  /** Tells the run's files from all others: what {@linkcode runMark} gives; kept in the file. */
  run: string;
}

/** The name of a checkpoint, as the original script forms it. */
export function checkpointName(
  { prefix, task, plane }: Pick<CheckpointOptions, "prefix" | "task" | "plane">,
  { valAuc, trainAuc, epoch }: Pick<EpochReport, "valAuc" | "trainAuc" | "epoch">,
): string {
  // A training AUC is undefined if training saw one class only; the name needs a number all the same.
  const auc4 = (auc: number) => (Number.isNaN(auc) ? 0.5 : auc).toFixed(4);
  return `model_${prefix}_${task}_${plane}_val_auc_${auc4(valAuc)}` +
    `_train_auc_${auc4(trainAuc)}_epoch_${epoch}.safetensors`;
}

/** Whether a name can be that of a checkpoint of this prefix, task and plane. */
export function isCheckpointName(
  name: string,
  { prefix, task, plane }: Pick<CheckpointOptions, "prefix" | "task" | "plane">,
): boolean {
  const begin = `model_${prefix}_${task}_${plane}_val_auc_`;
  return isFileName(name) && name.startsWith(begin) &&
    /^\d\.\d{4}_train_auc_\d\.\d{4}_epoch_\d+(-\d+)?\.safetensors$/.test(
      name.slice(begin.length),
    );
}

/** The characters of a prefix: it cannot lead out of the folder or make the name ambiguous. */
export const PREFIX_RULE =
  "up to 64 letters, digits, dots, hyphens and underscores, not dots alone";

/** Whether a prefix keeps to {@linkcode PREFIX_RULE}, and is not made of dots alone. */
export function isPrefix(prefix: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(prefix) && !/^\.+$/.test(prefix);
}

/** Refuses a prefix that is none. */
export function checkPrefix(prefix: string): void {
  if (isPrefix(prefix)) return;
  throw new OptionError(`Cannot name a model with the prefix '${prefix}': use ${PREFIX_RULE}`);
}

/**
 * Keeps the best model of one run: a better epoch replaces the file of the earlier one. Models of other
 * runs stay, so a new run never costs a model that took hours.
 */
export class BestCheckpoint {
  readonly #options: CheckpointOptions;
  #path: string | undefined;

  /**
   * @param path the file of the best model so far, if the run is resumed
   * @throws {OptionError} if the prefix cannot be part of a file's name
   */
  constructor(options: CheckpointOptions, path?: string) {
    checkPrefix(options.prefix);
    this.#options = options;
    this.#path = path;
  }

  /** The file that holds the best model so far. */
  get path(): string | undefined {
    return this.#path;
  }

  /**
   * Writes the model, then removes the file it replaces, so that one whole file exists at every moment.
   * If another run has a file of the same name, that stays and this one's name gets a number.
   *
   * @param beforeRemoval called when the new file is whole and before the earlier one goes
   * @param kept the exams that the model was trained on, and those that chose the epoch and its operating
   * point; its parameters, where they are not the model's own
   * @returns the path of the new file
   * @throws {OutputError} if it cannot be written; the earlier file stays
   */
  async keep(
    model: MRNet,
    report: EpochReport,
    beforeRemoval: () => Promise<void> = () => Promise.resolve(),
    { state, ...exams }:
      & Pick<ModelCard, "trainedExams" | "trainingSet" | "chosenExams" | "selectionSet">
      & { state?: StateDict } = {},
  ): Promise<string> {
    const { folder, prefix, task, plane, chosenOn, card, run } = this.#options;
    const name = checkpointName(this.#options, report);
    const operatingPoint = {
      threshold: report.threshold,
      rule: report.rule,
      exams: chosenOn,
    } as const;
    const { epoch, trainAuc, trainLoss, valAuc, valLoss } = report;
    const metadata = cardMetadata({
      ...{ ...card, task, plane, intensity: model.intensity, operatingPoint, ...exams, prefix },
      ...{ epochRule: "auc", epoch, trainAuc, trainLoss, valAuc, valLoss },
    });
    const path = await this.#write(model, join(folder, name), { ...metadata, run }, state);
    const replaced = this.#path;
    this.#path = path;
    await beforeRemoval();
    if (replaced !== undefined && replaced !== path) await this.#remove(replaced);
    return path;
  }

  /**
   * Removes this run's models except the best one; a process that was killed while it replaced one has
   * left them. Only for the process that holds the run's lock.
   *
   * @returns the paths of the removed files
   */
  async removeOthers(): Promise<string[]> {
    const { folder } = this.#options;
    const removed: string[] = [];
    for await (const { name, isFile } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (!isFile || path === this.#path || !isCheckpointName(name, this.#options)) continue;
      if (await this.#remove(path)) removed.push(path);
    }
    return removed;
  }

  /** Removes a file if it is this run's; a copied run names a model of the original run. */
  async #remove(path: string): Promise<boolean> {
    if (!await this.isOwn(path)) return false;
    return await Deno.remove(path).then(() => true, () => false);
  }

  /** Writes it under the name or, if another run has it, under the first free one with a number. */
  async #write(
    model: MRNet,
    path: string,
    metadata: Record<string, string>,
    state: StateDict | undefined,
  ): Promise<string> {
    return await writeUnderFreeName(
      path,
      (own) => writeMRNet(model, own, metadata, { state, replace: () => this.isOwn(own) }),
    );
  }

  /** Whether a file exists and is this run's. */
  async isOwn(path: string): Promise<boolean> {
    try {
      return (await readSafetensorsHeader(path)).metadata.run === this.#options.run;
    } catch (error) {
      // Any other file belongs to somebody else.
      if (error instanceof WeightsError) return false;
      throw error;
    }
  }
}
