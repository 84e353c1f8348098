/**
 * What a run leaves in its log folder: TensorBoard events under the original tags, `history.csv`
 * and `config.json`.
 *
 * @module
 */
import { join, writeWhole } from "../files.ts";
import { makeRunFolder } from "../logs/run_folder.ts";
import { EventWriter } from "../logs/tensorboard.ts";
import type { Plane, Task } from "../terms.ts";
import type { EpochReport, ExamReport } from "./trainer.ts";

/** After so many exams the events reach the file, so that TensorBoard can follow a run. */
const FLUSH_EVERY = 100;

const COLUMNS = "epoch,train_loss,train_auc,val_loss,val_auc,lr,seconds\n";

/** The log of one run. */
export class RunLog {
  /** Where it is kept. */
  readonly folder: string;
  readonly #events: EventWriter;
  #history = COLUMNS;
  #flushing: Promise<void> = Promise.resolve();

  private constructor(folder: string, events: EventWriter) {
    this.folder = folder;
    this.#events = events;
  }

  /**
   * Makes the folder of a new run and writes `config.json`, before training starts.
   *
   * @param logs the folder of all logs
   * @param config how the run is made; anything JSON can hold
   */
  static async create(
    logs: string,
    { task, plane }: { task: Task; plane: Plane },
    config: Record<string, unknown>,
  ): Promise<RunLog> {
    const folder = await makeRunFolder(logs, task, plane);
    try {
      await writeWhole(join(folder, "config.json"), JSON.stringify(config, null, 2) + "\n");
      return new RunLog(folder, await EventWriter.create(folder));
    } catch (error) {
      // A run that did not begin leaves no trace.
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw error;
    }
  }

  /** Logs an exam: `Train/Loss` and `Train/AUC`, or `Val/Loss` and `Val/AUC`. */
  exam({ phase, epoch, done, total, loss, auc }: ExamReport): void {
    const group = phase === "train" ? "Train" : "Val";
    const step = (epoch - 1) * total + done - 1;
    this.#events.scalar(`${group}/Loss`, loss, step);
    this.#events.scalar(`${group}/AUC`, _logged(auc), step);
    if (done % FLUSH_EVERY !== 0) return;
    this.#flushing = this.#events.flush();
    // A full disk is reported by the epoch that waits for this; until then it must not be unhandled.
    this.#flushing.catch(() => {});
  }

  /** Logs an epoch: `Train/AUC_epoch`, `Val/AUC_epoch`, and a row of `history.csv`. */
  async epoch(report: EpochReport): Promise<void> {
    const { epoch, trainLoss, trainAuc, valLoss, valAuc, learningRate, seconds } = report;
    this.#events.scalar("Train/AUC_epoch", _logged(trainAuc), epoch);
    this.#events.scalar("Val/AUC_epoch", _logged(valAuc), epoch);
    const row = [epoch, trainLoss, trainAuc, valLoss, valAuc, learningRate, seconds.toFixed(3)];
    this.#history += row.join(",") + "\n";
    await this.#flushing;
    await this.#events.flush();
    await writeWhole(join(this.folder, "history.csv"), this.#history);
  }

  /** Writes what is left and closes the event file. */
  async close(): Promise<void> {
    await this.#events.close();
  }
}

/** The reference logs 0.5 where an AUC is undefined; only the log does. */
function _logged(auc: number): number {
  return Number.isNaN(auc) ? 0.5 : auc;
}
