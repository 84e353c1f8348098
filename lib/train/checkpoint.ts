/**
 * The file that holds the best model of a run.
 *
 * @module
 */
import { OptionError } from "../errors.ts";
import { join } from "../files.ts";
import { saveMRNet } from "../model/create.ts";
import type { MRNet } from "../model/mrnet.ts";
import type { Plane, Task } from "../terms.ts";
import type { EpochReport } from "./trainer.ts";

/** Which model a checkpoint is of. */
export interface CheckpointOptions {
  /** The folder it is written to; it must exist. */
  folder: string;
  /** A name for the kind of run; letters, digits, `.`, `_` and `-`. */
  prefix: string;
  task: Task;
  plane: Plane;
  /** How the model was made, kept in the file as text. */
  metadata: Record<string, string>;
}

/** The name of a checkpoint, as the original script forms it. */
export function checkpointName(
  { prefix, task, plane }: Pick<CheckpointOptions, "prefix" | "task" | "plane">,
  { valAuc, trainAuc, epoch }: Pick<EpochReport, "valAuc" | "trainAuc" | "epoch">,
): string {
  // A training AUC is undefined only where training saw one class; names need a number there.
  const figure = (auc: number) => (Number.isNaN(auc) ? 0.5 : auc).toFixed(4);
  return `model_${prefix}_${task}_${plane}_val_auc_${figure(valAuc)}` +
    `_train_auc_${figure(trainAuc)}_epoch_${epoch}.safetensors`;
}

/** What a prefix is made of, so that it cannot lead out of the folder or confuse the name. */
export const PREFIX_RULE = "use up to 64 letters, digits, dots, hyphens and underscores";

/** Whether a prefix keeps to {@linkcode PREFIX_RULE}. */
export function isPrefix(prefix: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(prefix);
}

/** Refuses a prefix that is none. */
export function checkPrefix(prefix: string): void {
  if (isPrefix(prefix)) return;
  throw new OptionError(`Cannot name a model with the prefix '${prefix}': ${PREFIX_RULE}`);
}

/**
 * Keeps the best model of one run: a better epoch replaces the file of the earlier one. Models of
 * other runs are left alone, so starting anew never costs a model that took hours.
 */
export class BestCheckpoint {
  readonly #options: CheckpointOptions;
  #path: string | undefined;

  /** @throws {OptionError} where the prefix cannot be part of a file's name */
  constructor(options: CheckpointOptions) {
    checkPrefix(options.prefix);
    this.#options = options;
  }

  /** The file that holds the best model so far. */
  get path(): string | undefined {
    return this.#path;
  }

  /**
   * Writes the model, then removes the file it replaces: at every moment one of them is whole.
   *
   * @returns the path of the new file
   * @throws {OutputError} where it cannot be written; the earlier file stays
   */
  async keep(model: MRNet, report: EpochReport): Promise<string> {
    const { folder, prefix, task, plane } = this.#options;
    const path = join(folder, checkpointName(this.#options, report));
    const metadata = {
      ...this.#options.metadata,
      prefix,
      task,
      plane,
      epoch: String(report.epoch),
      val_auc: String(report.valAuc),
      val_loss: String(report.valLoss),
      train_auc: String(report.trainAuc),
      train_loss: String(report.trainLoss),
    };
    await saveMRNet(model, path, metadata);
    const replaced = this.#path;
    this.#path = path;
    if (replaced !== undefined && replaced !== path) await Deno.remove(replaced).catch(() => {});
    return path;
  }
}
