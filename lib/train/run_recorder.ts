/**
 * What a run keeps while it trains: its log, its state and its best model. They are written in an
 * order in which a kill at any moment costs at most the exams since the last save.
 */
import type { ExamSet } from "../data/exam_set.ts";
import type { Engine } from "../engine/engine.ts";
import { baseName, join } from "../files.ts";
import type { RunLock } from "../logs/run_lock.ts";
import type { MRNet } from "../model/mrnet.ts";
import type { Snapshot } from "../model/engine_network.ts";
import type { BestCheckpoint } from "./checkpoint.ts";
import type { HashedExams } from "./hashed_exams.ts";
import type { EpochEnd, Position, TrainHooks, TrainProgress } from "./progress.ts";
import type { EpochReport, ExamReport, SkippedExam } from "./reports.ts";
import type { Resumption } from "./resume.ts";
import type { RunLog } from "./run_log.ts";
import { type RunState, STATE_FILE, writeRunState } from "./run_state.ts";

/** What a recorder works with. */
export interface RecorderOptions {
  model: MRNet;
  engine: Engine;
  log: RunLog;
  /** The lock of the run's folder; checked before each write of the state. */
  lock: RunLock;
  /** The best model's file; none if no model is kept. */
  checkpoint: BestCheckpoint | undefined;
  /** The exams that the model is trained on, and those that its best epoch is chosen on. */
  exams: { trained: HashedExams; chosen: HashedExams };
  /** What the table of imported exams says of the training exams. */
  imported: Pick<ExamSet, "sequences" | "scanners">;
  /** What stays the same in every state of the run. */
  fixed: Pick<RunState, "run" | "config" | "labels" | "landmarks" | "earlierExams">;
  /** What `config.json` says. */
  logged: Record<string, unknown>;
  /** The least time between two saves within an epoch, in milliseconds. */
  saveEvery: number;
  /** The run that goes on. */
  from: Resumption | undefined;
  /** Called after each epoch, with the file of the best model so far. */
  onEpoch: ((report: EpochReport, checkpoint: string | undefined) => void) | undefined;
}

/** Keeps what a run has, so that it can go on after a stop. */
export class RunRecorder {
  readonly #options: RecorderOptions;
  readonly #path: string;
  /** The file of the last state; none before the first save. */
  #saved: string | undefined;
  #savedAt = performance.now();
  /** How many of the exams that were left out `config.json` lists. */
  #listed: number;
  #position: Position | undefined;

  constructor(options: RecorderOptions) {
    const { log, from } = options;
    this.#options = options;
    this.#path = join(log.folder, STATE_FILE);
    this.#saved = from && this.#path;
    this.#listed = from?.state.progress.skipped.length ?? 0;
  }

  /** Logs an exam. */
  exam(report: ExamReport): void {
    this.#options.log.exam(report);
  }

  /** What the training loop calls. */
  hooks(): TrainHooks {
    const { from, saveEvery } = this.#options;
    this.#savedAt = performance.now();
    return {
      from: from && { progress: from.state.progress, optimizer: from.state.optimizer },
      due: () => performance.now() - this.#savedAt >= saveEvery,
      resumable: true,
      save: (progress, snapshot) => this.#save(progress, snapshot),
      onEpoch: (report, end) => this.#epoch(report, end),
      onPosition: (position) => this.#position = position,
    };
  }

  /** The end of a failure's message: where the run stopped, and what there is to go on with. */
  remains(): string {
    const said: string[] = [];
    if (this.#position !== undefined) {
      const { phase, epoch, number, total, id, step } = this.#position;
      const use = phase === "train" ? "train" : "validate";
      said.push(
        `stopped in epoch ${epoch}, step ${step}, at exam '${id}', ${number} of ${total} to ${use} on`,
      );
    }
    const best = this.#options.checkpoint?.path;
    if (this.#saved !== undefined) said.push(`go on with --resume '${this.#saved}'`);
    if (best !== undefined) said.push(`the best model so far is kept in '${best}'`);
    return said.map((each) => `; ${each}`).join("");
  }

  /** Writes the state. */
  async #save(progress: TrainProgress, snapshot: Snapshot): Promise<void> {
    const { engine, log, lock, checkpoint, fixed, logged } = this.#options;
    const { name, threads, precision } = engine;
    const state: RunState = {
      run: fixed.run,
      folder: log.folder,
      config: fixed.config,
      labels: fixed.labels,
      landmarks: fixed.landmarks,
      earlierExams: fixed.earlierExams,
      computed: { engine: name, threads, precision },
      progress,
      checkpoint: checkpoint?.path && baseName(checkpoint.path),
      events: await log.position(),
      ...snapshot,
    };
    const { skipped } = progress;
    if (skipped.length > this.#listed) await log.configure({ ...logged, skipped });
    this.#listed = skipped.length;
    await lock.check();
    await writeRunState(this.#path, state);
    this.#saved = this.#path;
    this.#savedAt = performance.now();
  }

  /** Logs an epoch, saves the state, and keeps the model if it is the best so far. */
  async #epoch(report: EpochReport, { snapshot, save, skipped }: EpochEnd): Promise<void> {
    const { model, log, checkpoint, exams, imported, onEpoch } = this.#options;
    const logAndSave = async () => {
      await log.epoch(report);
      await save();
    };
    // The earlier file stays until the state names the new one.
    if (report.isBest && checkpoint !== undefined) {
      const leftOut = (split: SkippedExam["split"]) =>
        new Set(skipped.filter((exam) => exam.split === split).map(({ id }) => id));
      const trained = await exams.trained.describe(leftOut("train"));
      const chosen = await exams.chosen.describe(leftOut("valid"));
      await checkpoint.keep(model, report, logAndSave, {
        state: snapshot.parameters,
        trainedExams: trained.hashes,
        trainingSet: { ...trained.set, ...imported },
        chosenExams: chosen.hashes,
        selectionSet: chosen.set,
      });
    } else await logAndSave();
    onEpoch?.(report, checkpoint?.path);
  }
}
