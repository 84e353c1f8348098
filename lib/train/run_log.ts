/**
 * The log folder of a run: TensorBoard events under the original tags, `history.csv`, the page
 * `curves.html` of the same numbers, and `config.json`. `Val` and `val` mean the exams that the run
 * chooses on: the validation set or, if `config.json` has `tune`, the training exams kept out.
 */
import { baseName, join, removeLeftOvers, writeWhole } from "../files.ts";
import { CURVES_FILE, isRunFile, makeLockedRunFolder } from "../logs/run_folder.ts";
import type { RunLock } from "../logs/run_lock.ts";
import { EventWriter } from "../logs/tensorboard.ts";
import { curvesHtml, type CurvesOf } from "./curves.ts";
import { subject } from "../page/format.ts";
import type { Plane, Task } from "../terms.ts";
import { CONFIG_FILE } from "./run_config.ts";
import type { EpochReport, ExamReport } from "./reports.ts";

/** Events are flushed after so many exams, so that TensorBoard can follow a run. */
const FLUSH_EVERY = 100;

const COLUMNS = "epoch,train_loss,train_auc,val_loss,val_auc,lr,seconds\n";

/** The length of a log, from which {@linkcode RunLog.resume} continues. */
export interface LogPosition {
  /** The name of the event file. */
  name: string;
  /** How much of it is written, in bytes. */
  size: number;
}

/** The log of one run. */
export class RunLog {
  /** The folder of the log. */
  readonly folder: string;
  readonly #events: EventWriter;
  /** The lock of the folder, if this log made it. */
  readonly lock: RunLock | undefined;
  #history = COLUMNS;
  readonly #epochs: EpochReport[] = [];
  readonly #shown: CurvesOf;
  #flushing: Promise<void> = Promise.resolve();

  private constructor(folder: string, events: EventWriter, shown: CurvesOf, lock?: RunLock) {
    this.folder = folder;
    this.#shown = shown;
    this.#events = events;
    this.lock = lock;
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
    const { folder, lock } = await makeLockedRunFolder(logs, task, plane);
    try {
      await _configure(folder, config);
      const shown = _shownOf({ task, plane, ...config });
      return new RunLog(folder, await EventWriter.create(folder), shown, lock);
    } catch (error) {
      await lock.release();
      // A run that did not begin leaves no trace.
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw error;
    }
  }

  /**
   * Continues the log of a run from an earlier position: what was logged after it is removed.
   *
   * @param folder the run's folder, whose lock the caller holds
   * @param config the new content of `config.json`
   * @param position the position in the event file
   * @param epochs the completed epochs
   */
  static async resume(
    folder: string,
    config: Record<string, unknown>,
    position: LogPosition,
    epochs: readonly EpochReport[],
  ): Promise<RunLog> {
    // Unfinished files are nobody's: this process holds the lock.
    await removeLeftOvers(folder, { age: 0, isOurs: isRunFile });
    await _configure(folder, config);
    const { name, size } = position;
    const log = new RunLog(folder, await EventWriter.reopen(folder, name, size), _shownOf(config));
    for (const report of epochs) log.#add(report);
    await writeWhole(join(folder, "history.csv"), log.#history);
    if (epochs.length > 0) await log.#draw();
    return log;
  }

  /** Flushes the log to the disk and returns its position. */
  async position(): Promise<LogPosition> {
    await this.#flushing;
    await this.#events.sync();
    return { name: baseName(this.#events.path), size: this.#events.size };
  }

  /** Writes `config.json` anew. */
  async configure(config: Record<string, unknown>): Promise<void> {
    await _configure(this.folder, config);
  }

  /** Logs an exam: `Train/Loss` and `Train/AUC`, or `Val/Loss` and `Val/AUC`. */
  exam({ phase, epoch, done, total, loss, auc }: ExamReport): void {
    const group = phase === "train" ? "Train" : "Val";
    const step = (epoch - 1) * total + done - 1;
    this.#events.scalar(`${group}/Loss`, loss, step);
    this.#events.scalar(`${group}/AUC`, _logged(auc), step);
    if (done % FLUSH_EVERY !== 0) return;
    this.#flushing = this.#events.flush();
    // The end of the epoch awaits this and reports a full disk; until then a rejection is handled here.
    this.#flushing.catch(() => {});
  }

  #add(report: EpochReport): void {
    this.#epochs.push(report);
    this.#history += _row(report);
  }

  async #draw(): Promise<void> {
    await writeWhole(join(this.folder, CURVES_FILE), curvesHtml(this.#epochs, this.#shown));
  }

  /** Logs an epoch: `Train/AUC_epoch`, `Val/AUC_epoch`, a row of `history.csv`, and the curves. */
  async epoch(report: EpochReport): Promise<void> {
    const { epoch, trainAuc, valAuc } = report;
    this.#events.scalar("Train/AUC_epoch", _logged(trainAuc), epoch);
    this.#events.scalar("Val/AUC_epoch", _logged(valAuc), epoch);
    this.#add(report);
    await this.#flushing;
    await this.#events.flush();
    await writeWhole(join(this.folder, "history.csv"), this.#history);
    await this.#draw();
  }

  /** Writes what is left and closes the event file. */
  async close(): Promise<void> {
    try {
      await this.#events.close();
    } finally {
      await this.lock?.release();
    }
  }
}

/** What the page of curves shows about a run. */
function _shownOf({ task, plane, tune }: Record<string, unknown>): CurvesOf {
  return {
    title: subject(task as Task, plane as Plane),
    chosenBy: tune === undefined ? "validation" : "tune",
  };
}

/** A row of `history.csv`. */
function _row(report: EpochReport): string {
  const { epoch, trainLoss, trainAuc, valLoss, valAuc, learningRate, seconds } = report;
  const row = [epoch, trainLoss, trainAuc, valLoss, valAuc, learningRate, seconds.toFixed(3)];
  return row.join(",") + "\n";
}

async function _configure(folder: string, config: Record<string, unknown>): Promise<void> {
  await writeWhole(join(folder, CONFIG_FILE), JSON.stringify(config, null, 2) + "\n");
}

/** The reference logs 0.5 where an AUC is undefined; only the log does. */
function _logged(auc: number): number {
  return Number.isNaN(auc) ? 0.5 : auc;
}
